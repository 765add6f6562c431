#pragma once

#include "player/player.h"
#include "records/player_context.h"

namespace portcullis::stages {

/// What is believed of a player, for people to read; whose he is is not filled in.
verdicts::PlayerContext context_of(const Player& player) noexcept;

}  // namespace portcullis::stages
