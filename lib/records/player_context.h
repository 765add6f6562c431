#pragma once

#include <array>
#include <cstdint>

#include "base/inline_text.h"
#include "base/ip.h"
#include "base/time.h"
#include "protocol/event.h"

namespace portcullis::verdicts {

/// What a Worker believes of a player at one moment: its answer to an Order to
/// `describe` him.  Where old and new may both hold, both are here.
struct PlayerContext {
    template <class T>
    struct Between {
        T low{}, high{};
    };

    Endpoint client, server;
    Nanos time{};  ///< Of the last that was heard of him.
    protocol::Position position;
    protocol::Rotation rotation;
    Between<protocol::GameMode> mode;
    /// By protocol::Effect: levels, 0 without it.
    std::array<Between<uint8_t>, static_cast<size_t>(protocol::Effect::other)> effects{};
    Between<Nanos> latency;  ///< There and back.
    float health = 0, movement_speed = 0;
    int32_t food = 0;
    uint32_t ticks = 0;     ///< Of movement that he told.
    uint32_t entities = 0;  ///< That he sees.
    protocol::EntityId entity = 0;
    bool placed = false;    ///< Without it there is no position yet.
    bool measured = false;  ///< Without it no round trip was seen, and latency is a guess.
    bool on_ground = false, alive = false, sneaking = false, sprinting = false;
    bool may_fly = false, may_glide = false, may_ride = false, may_swim = false;
};

}  // namespace portcullis::verdicts
