#pragma once

#include "base/time.h"

namespace portcullis {

/// Notices that the wall clock was set, by a person or by NTP, from how far it ran beside a
/// clock that nobody sets.
class ClockSteps {
public:
    /// What differs by less is drift, and adds up until it is a step.
    static constexpr Nanos smallest = 1s;

    ClockSteps(Nanos wall, Nanos steady) noexcept : apart_(wall - steady) {}

    /// How far the wall clock was set since the last call that told; 0: it was not.
    Nanos look(Nanos wall, Nanos steady) noexcept {
        const Nanos step = wall - steady - apart_;
        if (step > -smallest && step < smallest) return Nanos{};
        apart_ += step;
        return step;
    }

private:
    Nanos apart_;
};

}  // namespace portcullis
