#pragma once

#include <algorithm>

#include "base/time.h"

namespace portcullis {

/// How much later than meant a client's packets may have arrived.
///
/// A line that stalls delivers afterwards, all at once, what was sent meanwhile;
/// so what arrives after a silence may have been done at any time in it.  A check
/// that measures how fast a player does something adds `credit` to the time it
/// saw pass: the longest recent silence, paid back a second a second, as a line
/// needs some round trips to deliver all that it owes.  A player who simply had
/// nothing to say gets the same credit; that costs a moment of blindness, not an
/// honest player.
class Silence {
public:
    static constexpr Nanos ordinary = 100ms;  ///< Two ticks: nobody's line stalled.
    static constexpr Nanos credit_max = 10s;

    /// A packet of the client's has arrived.
    void heard(Nanos now) noexcept {
        if (last_ == Nanos{}) last_ = now;
        const Nanos gap = std::max(Nanos{}, now - last_);
        credit_ = std::min(credit_max, std::max(credit_ - gap, gap - ordinary));
        credit_ = std::max(Nanos{}, credit_);
        last_ = now;
    }
    Nanos credit() const noexcept { return credit_; }

private:
    Nanos last_{};
    Nanos credit_{};
};

}  // namespace portcullis
