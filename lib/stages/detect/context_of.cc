#include "stages/detect/context_of.h"

namespace portcullis::stages {

namespace {

/// The modes that may hold: bounds, as Player keeps them.
verdicts::PlayerContext::Between<protocol::GameMode> modes_of(const Player& player) noexcept {
    using enum protocol::GameMode;
    verdicts::PlayerContext::Between<protocol::GameMode> between{spectator, survival};
    for (const auto mode : {survival, creative, adventure, spectator}) {
        if (!player.may_be(mode)) continue;
        between.low = std::min(between.low, mode);
        between.high = std::max(between.high, mode);
    }
    return between;
}

}  // namespace

verdicts::PlayerContext context_of(const Player& player) noexcept {
    verdicts::PlayerContext context;
    context.time = player.now;
    context.position = player.position();
    context.rotation = player.rotation();
    context.mode = modes_of(player);
    for (size_t i = 0; i < context.effects.size(); ++i) {
        const auto effect = static_cast<protocol::Effect>(i);
        context.effects[i] = {static_cast<uint8_t>(player.effect_min(effect)),
                              static_cast<uint8_t>(player.effect_max(effect))};
    }
    context.latency = {player.latency_min(), player.latency()};
    context.measured = player.trips().measured();
    context.health = player.health();
    context.food = player.food();
    context.movement_speed = static_cast<float>(player.movement_speed_max());
    context.ticks = player.ticks();
    context.entities = static_cast<uint32_t>(player.entities().size());
    context.entity = player.self();
    context.placed = player.placed();
    context.on_ground = player.on_ground();
    context.alive = player.alive();
    context.sneaking = player.sneaking();
    context.sprinting = player.sprinting();
    context.may_fly = player.may_fly();
    context.may_glide = player.may_glide();
    context.may_ride = player.may_ride();
    context.may_swim = player.may_swim();
    return context;
}

}  // namespace portcullis::stages
