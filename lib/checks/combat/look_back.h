#pragma once

#include <array>

#include "checks/silence.h"
#include "player/player.h"

namespace portcullis::checks {

/// How old the picture may be that a player acts on, for checks that hold what he did
/// against where others were.
///
/// What his TCP has not acknowledged he has not seen, and what arrives after a silence may
/// have been done at any time in it: both let him look further back than his round trips
/// say.  A proxy's TCP says nothing of his own line, which may have got slow since it was
/// measured.
class LookBack {
public:
    /// A packet of either side.
    void heard(const protocol::PacketSeen& packet, const Player& player) noexcept;
    /// A request of the server came back.
    void answered(const Player& player, const RoundTrips::Answer& answer) noexcept {
        if (!answer.known) return;
        answered_at_ = player.now;
        answered_sent_ = answer.sent;
    }

    /// So far back is what he may have seen when he did what is being told.
    Nanos window(const Player& player) const noexcept;
    /// The same, whatever his own line does now behind a proxy.
    Nanos window_behind_proxy(const Player& player) const noexcept;

private:
    Nanos unacknowledged_for(const Player& player) const noexcept;

    /// All bytes to the client from here on were sent then or later.
    struct Mark {
        uint64_t from_bytes = 0;
        Nanos at{};
    };
    /// A server sends once a tick, some frames together.
    static constexpr Nanos mark_interval = game_tick / 2;

    Silence silence_;
    Nanos answered_at_{};    ///< The last request that came back: when,
    Nanos answered_sent_{};  ///< and when it had been sent.
    uint64_t sent_bytes_ = 0;
    uint32_t marks_size_ = 0;
    /// Oldest first, back to what is not acknowledged.  When full every other one
    /// goes: a stall of any length keeps its beginning.
    std::array<Mark, 16> marks_;
};

}  // namespace portcullis::checks
