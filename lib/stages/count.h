#pragma once

#include <atomic>
#include <cstdint>

namespace portcullis::stages {

/// A count with one writer and any number of readers: an add costs what a plain
/// add costs, and a reader on another core sees whole values.
class Count {
public:
    void add(uint64_t n = 1) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    void set(uint64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
    uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<uint64_t> value_{0};
};

}  // namespace portcullis::stages
