#pragma once

#include "player/player.h"
#include "player/shadowland/player.h"
#include "policy/policy.h"
#include "stages/detect/account.h"

namespace portcullis::stages {

/// One Minecraft player as a Worker watches him.
struct Watched : Account {
    Player player;
    policy::MinecraftSet checks;
};

/// One of Shadowland.
struct ShadowlandWatched : Account {
    ShadowlandWatched(shadowland::EntityPool& pool, const shadowland::Maps& maps) noexcept
        : player(pool, maps) {}

    shadowland::Player player;
    policy::ShadowlandSet checks;
    uint32_t connection_id = 0;
    uint8_t tick_rate = 60;
};

}  // namespace portcullis::stages
