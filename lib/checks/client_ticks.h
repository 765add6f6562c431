#pragma once

#include <cstdint>

#include "player/player.h"

namespace portcullis::checks {

/// Counts a client's own ticks where the wire shows them: up to 1.8 each tick
/// ends with a movement packet, from 1.21.2 (protocol 768) on with "tick end".
/// In between, for clients that send no such packet, and up to 1.8 behind a proxy that
/// translates and says by its own clock that the client is there, it is never `known`.
///
/// The answer to a teleport is a movement packet too and counts as one tick too
/// many, which is to the player's favour wherever ticks excuse him.
class ClientTicks {
public:
    static constexpr int32_t version_flying_max = 47;
    /// A client that ticks shows it steadily: so many before it is believed.
    static constexpr uint32_t warm_up = 40;

    void on(const protocol::Move&, const Player& player) noexcept {
        const bool shown = player.version > 0 && player.version <= version_flying_max;
        if (shown && !player.line.translated) ++count_;
    }
    void on(const protocol::TickEnded&) noexcept { ++count_; }

    bool known() const noexcept { return count_ >= warm_up; }
    /// Rises by one with each tick; compare two values of it.
    uint32_t count() const noexcept { return count_; }

private:
    uint32_t count_ = 0;
};

}  // namespace portcullis::checks
