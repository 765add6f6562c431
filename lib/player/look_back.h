#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"
#include "player/line.h"
#include "player/round_trips.h"

namespace portcullis {

/// How old the picture may be that a player acts on, by what his line shows.
///
/// What his TCP has not acknowledged he has not seen, so that lets him look further back
/// than his round trips say.  A proxy's TCP says nothing of his own line, which may have
/// got slow since it was measured.
class LookBack {
public:
    /// A packet to the client; `line.sent_bytes` ends with it.
    void sent(const Line& line, Nanos now) noexcept;
    /// A request of the server came back.
    void answered(const RoundTrips::Answer& answer, Nanos now) noexcept {
        if (!answer.known) return;
        answered_at_ = now;
        answered_sent_ = answer.sent;
    }

    /// So far back is what he may have seen; no less than `sight`.
    Nanos window(const Line& line, Nanos sight, Nanos now) const noexcept;
    /// The same, whatever his own line does now behind a proxy.
    Nanos window_behind_proxy(const Line& line, Nanos sight, Nanos now) const noexcept;

private:
    Nanos unacknowledged_for(const Line& line, Nanos now) const noexcept;

    /// All bytes to the client from here on were sent then or later.
    struct Mark {
        uint64_t from_bytes = 0;
        Nanos at{};
    };
    /// A server sends once a tick, some frames together.
    static constexpr Nanos mark_interval = game_tick / 2;

    Nanos answered_at_{};    ///< The last request that came back: when,
    Nanos answered_sent_{};  ///< and when it had been sent.
    uint64_t sent_bytes_ = 0;
    uint32_t marks_size_ = 0;
    /// Oldest first, back to what is not acknowledged.  When full every other one
    /// goes: a stall of any length keeps its beginning.
    std::array<Mark, 16> marks_;
};

}  // namespace portcullis
