#pragma once

#include <cstdint>

#include "protocol/event.h"

namespace portcullis::checks {

/// Counts a client's own ticks where the wire shows them: up to 1.8 each tick
/// ends with a movement packet, from 1.21.2 (protocol 768) on with "tick end".
/// In between, and for clients that send no such packet, it is never `known`.
///
/// The answer to a teleport is a movement packet too and counts as one tick too
/// many, which is to the player's favour wherever ticks excuse him.
class ClientTicks {
public:
    static constexpr int32_t version_flying_max = 47;
    static constexpr int32_t version_tick_end_min = 768;
    /// A client that ticks shows it steadily: so many before it is believed.
    static constexpr uint32_t warm_up = 40;

    void on(const protocol::Move&, int32_t version) noexcept {
        if (version > 0 && version <= version_flying_max) ++count_;
    }
    void on(const protocol::TickEnded&) noexcept { ++count_; }

    bool known() const noexcept { return count_ >= warm_up; }
    /// Rises by one with each tick; compare two values of it.
    uint32_t count() const noexcept { return count_; }

private:
    uint32_t count_ = 0;
};

}  // namespace portcullis::checks
