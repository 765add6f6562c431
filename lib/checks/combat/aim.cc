#include "checks/combat/aim.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace portcullis::checks {

namespace {

constexpr float certain = 0.97f;
constexpr float hint = 0.8f;
constexpr float explained_by_one_ahead = 0.25f;
constexpr float behind_max = 20;
/// A player's body, and the border that up to 1.8 it has for who aims at it.
constexpr double half_width = 0.3, height = 1.8, border = 0.1;

/// The furthest that any of the ways goes in the direction of a look.
double furthest(const Box& ways, const protocol::Rotation& look) noexcept {
    constexpr double radians = std::numbers::pi / 180;
    const double yaw = look.yaw * radians, pitch = look.pitch * radians;
    const double x = -std::sin(yaw) * std::cos(pitch), y = -std::sin(pitch),
                 z = std::cos(yaw) * std::cos(pitch);
    return std::max(x * ways.min.x, x * ways.max.x) + std::max(y * ways.min.y, y * ways.max.y) +
           std::max(z * ways.min.z, z * ways.max.z);
}

}  // namespace

void Aim::on(const protocol::Attack& attack, const Player& player, const Settings&,
             Findings&) noexcept {
    using protocol::GameMode;
    if (!player.placed() || player.bedrock() || player.may_be(GameMode::creative) ||
        player.may_be(GameMode::spectator) || player.may_ride() || player.watching_another()) {
        return;
    }
    const Nanos window =
        player.line.to_proxy ? player.look_back_behind_proxy() : player.look_back();
    const auto seen = player.entities().seen(attack.target, window, player.now);
    if (!seen || !seen->is_player || seen->rides || seen->known > player.now - window) return;
    const double scale = player.entities().scale_max();
    const Box body = seen->feet.grown(half_width * scale + border, border, height * scale + border);
    const Box eyes = player.eye_hull();
    const Box way = {{body.min.x - eyes.max.x, body.min.y - eyes.max.y, body.min.z - eyes.max.z},
                     {body.max.x - eyes.min.x, body.max.y - eyes.min.y, body.max.z - eyes.min.z}};
    const auto ahead = static_cast<float>(
        std::max(furthest(way, player.rotation()), furthest(way, player.previous_rotation())));
    // Of all blows before the next look, the one furthest behind.
    if (struck_ && ahead >= ahead_) return;
    way_ = way;
    ahead_ = ahead;
    struck_ = true;
}

void Aim::on(const protocol::Move& move, const Player& player, const Settings& settings,
             Findings& out) noexcept {
    if (struck_ && move.has_rotation) {
        ahead_ = std::max(ahead_, static_cast<float>(furthest(way_, move.rotation)));
    }
    judge(player, settings, out);
}

void Aim::judge(const Player& player, const Settings& settings, Findings& out) noexcept {
    if (!struck_) return;
    struck_ = false;
    // Not-a-number is nobody's look: packets.not_finite.
    if (!(ahead_ < -settings.behind_blocks)) {
        behind_ = std::max(0.0f, behind_ - explained_by_one_ahead);
        return;
    }
    behind_ = std::min(behind_max, behind_ + 1);
    const bool act = behind_ >= settings.blows && !player.may_be_vr();
    out.add(act ? certain : hint, {.observed = -ahead_,
                                   .limit = settings.behind_blocks,
                                   .unit = "blocks",
                                   .note = "behind him"});
}

}  // namespace portcullis::checks
