#pragma once

#include "player/player.h"
#include "policy/policy.h"
#include "stages/detect/account.h"

namespace portcullis::stages {

/// One Minecraft player as a Worker watches him.
struct Watched : Account {
    Player player;
    policy::MinecraftSet checks;
};

}  // namespace portcullis::stages
