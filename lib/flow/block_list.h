#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/ip.h"
#include "base/time.h"

namespace portcullis {

/// Source addresses that stay out for a time.  A hash of whole prefixes, asked
/// once for each prefix length that is in use: one or two in practice.
class BlockList {
public:
    static constexpr uint32_t prefixes_max = 65'536;

    explicit BlockList(uint32_t capacity = prefixes_max);
    ~BlockList();

    /// False when full.  A prefix that is there gets the new end.
    bool block(const IpPrefix& prefix, Nanos until) noexcept;
    void unblock(const IpPrefix& prefix) noexcept;
    bool blocks(const IpAddress& address, Nanos now) const noexcept;
    /// Goes up with each block: who asked before need not ask again until then.
    uint32_t blocks_made() const noexcept { return blocks_made_; }
    bool empty() const noexcept { return size_ == 0; }
    uint32_t size() const noexcept { return size_; }
    /// Forgets what is over, a few entries a call.
    void keep_house(Nanos now) noexcept;

private:
    struct Entry;
    Entry* find(const IpAddress& base, uint8_t bits) const noexcept;
    void erase(uint32_t index) noexcept;

    uint32_t slots_;  ///< A power of two, at least twice the capacity.
    uint32_t capacity_;
    uint32_t size_ = 0;
    uint32_t hand_ = 0;
    uint32_t blocks_made_ = 0;
    std::unique_ptr<Entry[]> entries_;
    std::array<uint32_t, 129> of_length_{};  ///< How many prefixes have so many bits.
};

}  // namespace portcullis
