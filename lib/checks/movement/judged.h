#pragma once

#include <algorithm>
#include <cmath>

#include "player/player.h"

/// What the movement checks share: when a player walks by the laws of walking,
/// and what those laws are.  Lengths are blocks, times are ticks.
namespace portcullis::checks {

/// Numbers of the vanilla client, protocols 47 to 776.
namespace vanilla {
inline constexpr double gravity_drag = 0.98;  ///< What is left of vertical speed each tick.
inline constexpr double sprint_factor = 1.3;
inline constexpr double air_drag = 0.91;
inline constexpr double air_acceleration = 0.026;   ///< Sprinting.
inline constexpr double jump_boost_sideways = 0.2;  ///< A sprinting jump pushes forward.
inline constexpr double player_push = 0.05;         ///< By each entity that touches him.
/// A move below this stays untold; protocols before 758.
inline constexpr double untold_blocks = 0.03;
}  // namespace vanilla

/// He goes on his own feet: nothing carries him and the server did not just put
/// him somewhere.  Otherwise the laws of walking say nothing about him.
inline bool walks(const Player& player) noexcept {
    constexpr uint32_t ticks_to_settle = 3;
    return player.joined() && !player.bedrock() && player.placed() && player.alive() &&
           !player.may_fly() && !player.may_ride() && !player.may_glide() &&
           !player.watching_another() && player.ticks_undisturbed() >= ticks_to_settle;
}

/// A push that may show in this tick with at least `up` blocks of rise.
inline bool may_be_pushed_up(const Player& player, float up) noexcept {
    return std::ranges::any_of(player.pushes(),
                               [&](const Player::Push& p) { return p.added || p.y >= up; });
}

inline bool may_be_pushed(const Player& player) noexcept { return !player.pushes().empty(); }

/// Where falling leads: the vertical move after `dy`.
inline double fallen_from(double dy, double gravity) noexcept {
    return (dy - gravity) * vanilla::gravity_drag;
}

}  // namespace portcullis::checks
