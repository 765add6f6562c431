#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.h"

namespace portcullis::pipeline {

/// The wall clock as Workers see it: counted in cycles, so that they never ask
/// the kernel.  Control compares it with the real one now and then and slews it
/// slowly, so that a day's drift never becomes a jump.
class TscClock {
public:
    /// Measures nothing itself: EAL has calibrated the counter.
    TscClock();

    /// Of a cycle count that was just read.  May lie up to `slew_max` before an
    /// earlier answer; who must not see time go back keeps the later one.
    Nanos at(uint64_t cycles) const noexcept {
        const uint64_t passed = cycles - first_cycle_;
        const auto nanos = static_cast<int64_t>(
            static_cast<unsigned __int128>(passed) * nanos_per_cycle_q32_ >> 32);
        return Nanos(first_nanos_ + nanos + slew_.load(std::memory_order_relaxed));
    }
    /// For Control, about every 100 ms.
    void slew_to_wall_clock() noexcept;

    double hz() const noexcept { return hz_; }

private:
    static constexpr int64_t slew_max = 50'000;  ///< Nanoseconds a call: 500 ppm.

    double hz_;
    uint64_t first_cycle_;
    int64_t first_nanos_;
    uint64_t nanos_per_cycle_q32_;  ///< Fixed point, 32 bits behind the point.
    std::atomic<int64_t> slew_{0};
};

}  // namespace portcullis::pipeline
