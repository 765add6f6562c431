#include "checks/shadowland/actions.h"

#include <algorithm>
#include <optional>

namespace portcullis::checks {

using shadowland::Place;
using shadowland::Player;

void ShadowRange::on(const shadowland::Acted& acted, const Player& player, const Settings& settings,
                     Findings& out) noexcept {
    if (acted.action == 0 || acted.action >= shadow_actions_end) return;
    if (!player.placed || player.map == nullptr || player.correction_waits()) return;
    std::optional<Place> target;
    double moved = 0;
    if (acted.has_point) {
        target = acted.point;
    } else if (acted.has_target && acted.target != player.self) {
        // Looking up does not change what is known.
        const shadowland::Entity* entity = const_cast<Player&>(player).known.find(acted.target);
        if (entity == nullptr || !entity->placed()) return;
        target = entity->place();
        moved = Player::walk_speed * (player.rtt_ms / 1e3 + 0.1);
    }
    if (!target) return;
    const double own_s =
        (std::max(acted.client_time_ms, player.position_time_ms) - player.position_time_ms) / 1e3;
    moved += Player::walk_speed * std::min(own_s, 5.0) + 16;
    const double limit = shadow_actions[acted.action].range * settings.tolerance + moved;
    const double distance = (*target - player.position).length();
    if (distance <= limit) return;
    out.add(0.97f, {.observed = distance, .limit = limit, .unit = "units"});
}

void ShadowInterest::on(const shadowland::Shown& shown, const Player& player,
                        const Settings& settings, Findings& out) noexcept {
    if (shown.entity == player.self || shown.type >= shadowland::interest_distance.size()) return;
    double distance = player.placed ? (shown.position - player.position).length() : 1e9;
    bool known = player.placed;
    for (const Player::Correction& correction : player.corrections) {
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
