#include "checks/shadowland/actions.h"

#include <algorithm>
#include <cmath>

namespace portcullis::checks {

using shadowland::Place;
using shadowland::Player;

namespace {

/// Units, beyond walking: both positions are coarse.
constexpr double coarse = 16;
/// How long each may have walked unseen: beyond doubt, and on any line.
constexpr double unseen_s = 1, unseen_max_s = 5;

}  // namespace

void ShadowRange::on(const shadowland::Acted& acted, const Player& player, const Settings& settings,
                     Findings& out) noexcept {
    if (acted.action == 0 || acted.action >= shadow_actions_end) return;
    if (!player.placed || player.map == nullptr) return;
    if (acted.has_point) judge(acted, acted.point, 0, player, settings, out);
    if (!acted.has_target || acted.target == player.self) return;
    // Looking up does not change what is known.
    const shadowland::Entity* entity = const_cast<Player&>(player).known.find(acted.target);
    if (entity == nullptr || !entity->placed()) return;
    // It has walked on while what he saw of it, and his request, were on their way.
    const double held_s = to_seconds(player.now - player.made_at(acted.client_time_ms));
    const double seen_s = player.believed_rtt_ms() / 1e3 + 0.1;
    judge(acted, entity->place(), seen_s + std::min(held_s, unseen_max_s), player, settings, out);
}

void ShadowRange::judge(const shadowland::Acted& acted, const Place& target, double target_s,
                        const Player& player, const Settings& settings, Findings& out) noexcept {
    const uint32_t time_ms = std::min(acted.client_time_ms, player.client_now_ms());
    const double own_s = std::abs(double(time_ms) - player.position_time_ms) / 1e3;
    const auto way = [](double seconds, double most_s) noexcept {
        return Player::walk_speed * std::min(seconds, most_s);
    };
    double distance = (target - player.position).length();
    for (const shadowland::Correction& correction : player.corrections) {
        if (!player.in_force(correction)) continue;
        // He may stand there by now, or have walked on from there.
        const double there = (target - correction.position()).length();
        distance = std::min(distance, there - player.near_by(correction));
    }
    const double range = shadow_actions[acted.action].range * settings.tolerance + coarse;
    const double most = range + way(own_s, unseen_max_s) + way(target_s, 2 * unseen_max_s);
    const double usual = range + way(own_s, unseen_s) + way(target_s, unseen_s);
    if (distance <= usual) return;
    const bool sure = distance > most;
    out.add(sure ? 0.97f : 0.9f,
            {.observed = distance, .limit = sure ? most : usual, .unit = "units"});
}

void ShadowInterest::on(const shadowland::Shown& shown, const Player& player,
                        const Settings& settings, Findings& out) noexcept {
    if (shown.entity == player.self || shown.type >= shadowland::interest_distance.size()) return;
    double distance = player.placed ? (shown.position - player.position).length() : 1e9;
    bool known = player.placed;
    for (const shadowland::Correction& correction : player.corrections) {
        if (!correction.waiting || (player.placed && !player.in_force(correction))) continue;
        known = true;
        distance = std::min(distance, (shown.position - correction.position()).length());
    }
    if (!known) return;
    const double silent_s = player.placed ? to_seconds(player.now - player.position_at) : 0;
    const double limit = shadowland::interest_distance[shown.type] + settings.slack +
                         Player::walk_speed * std::clamp(silent_s, 0.0, 15.0);
    if (distance <= limit) return;
    out.add(0.97f, {.observed = distance, .limit = limit, .unit = "units"});
}

}  // namespace portcullis::checks
