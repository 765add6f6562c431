#pragma once

#include <atomic>
#include <cstdint>

#include "base/wall_clock.h"

namespace portcullis::pipeline {

/// Turns cycles into nanoseconds, without a division.
class CyclesToNanos {
public:
    explicit CyclesToNanos(double hz) noexcept
        : nanos_per_cycle_q32_(static_cast<uint64_t>(1e9 / hz * 4294967296.0)) {}

    uint64_t operator()(uint64_t cycles) const noexcept {
        return static_cast<uint64_t>(
            static_cast<unsigned __int128>(cycles) * nanos_per_cycle_q32_ >> 32);
    }

private:
    uint64_t nanos_per_cycle_q32_;  ///< Fixed point, 32 bits behind the point.
};

/// Time as Workers see it: counted in cycles, so that they never ask the kernel.  It
/// begins as the wall clock says.  Control compares the two now and then: drift is slewed
/// slowly, but a wall clock that was set moves `step` alone, since every timer of flows and
/// players runs by `at`: a jump would end them all, or stop them.
class TscClock {
public:
    using Wall = Nanos (*)();

    /// Measures nothing itself: EAL has calibrated the counter.
    explicit TscClock(Wall wall = wall_clock);

    /// Of a cycle count that was just read.  May lie up to `slew_max` before an
    /// earlier answer; who must not see time go back keeps the later one.
    Nanos at(uint64_t cycles) const noexcept {
        const auto passed = static_cast<int64_t>(nanos_(cycles - first_cycle_));
        return Nanos(first_nanos_ + passed + slew_.load(std::memory_order_relaxed));
    }
    /// What is to be added to a moment of `at` for people: how far the wall clock was set
    /// since the start.
    Nanos step() const noexcept { return Nanos(step_.load(std::memory_order_relaxed)); }
    /// For Control, about every 100 ms.
    void follow_wall_clock() noexcept;

    double hz() const noexcept { return hz_; }

private:
    static constexpr int64_t slew_max = 50'000;  ///< Nanoseconds a call: 500 ppm.
    static constexpr Nanos drift_max = 1s;       ///< From here on the wall clock was set.

    const Wall wall_;
    double hz_;
    uint64_t first_cycle_;
    int64_t first_nanos_;
    CyclesToNanos nanos_;
    std::atomic<int64_t> slew_{0};
    std::atomic<int64_t> step_{0};
};

}  // namespace portcullis::pipeline
