#pragma once

#include <cstdint>

#include "player/shadowland/player.h"

namespace portcullis::checks {

/// A client's clock as the packets of one channel tell it: who numbers a packet later has
/// made it later, however the line mixes them.
class ShadowClock {
public:
    static constexpr uint32_t put_aside_max_ms = shadowland::Player::put_aside_max_ms;

    /// By how much what this packet says is before what an earlier one said; 0: not by more
    /// than it may be, or the packet has no sequence on the channel.
    double back_by(uint32_t time_ms, uint64_t sequence) noexcept {
        const auto number = static_cast<uint32_t>(sequence);
        if (sequence == 0 || (sequence_ != 0 && static_cast<int32_t>(number - sequence_) < 0)) {
            return 0;
        }
        const bool before = sequence_ != 0 && time_ms < time_ms_;
        const uint32_t back_ms = before ? time_ms_ - time_ms : 0;
        const bool put_aside = before && back_ms <= put_aside_max_ms;
        sequence_ = number;
        if (!put_aside) time_ms_ = time_ms;
        return put_aside ? 0 : back_ms;
    }

private:
    uint32_t sequence_ = 0;  ///< The highest so far; 0: none.  Wraps.
    uint32_t time_ms_ = 0;
};

}  // namespace portcullis::checks
