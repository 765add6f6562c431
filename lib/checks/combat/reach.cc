#include "checks/combat/reach.h"

#include <algorithm>

namespace portcullis::checks {

namespace {

constexpr float surely_over = 0.97f;
constexpr float slightly_over = 0.85f;
constexpr float mob_over = 0.7f;
constexpr double surely_blocks = 0.25;

struct Body {
    double half_width, height;
};
constexpr Body player_body = {0.3, 1.8};
constexpr Body mob_body = {2, 4};
/// Up to 1.8 every body is this much wider for who aims at it.
constexpr int32_t version_1_8 = 47;
constexpr double border_1_8 = 0.1;
/// From 1.21.11 on a spear reaches further, and which item is held is not known.
constexpr int32_t version_spear = 774;
constexpr double spear_extra = 1.5;

}  // namespace

void Reach::on(const protocol::Attack& attack, const Player& player, const Settings& settings,
               Findings& out) noexcept {
    using protocol::GameMode;
    if (!player.placed() || player.bedrock() || player.may_be(GameMode::creative) ||
        player.may_be(GameMode::spectator) || player.may_ride() || player.watching_another()) {
        return;
    }
    const Nanos window = player.look_back();
    double limit = player.entity_reach_max() + settings.margin_blocks;
    if (player.version >= version_spear) limit += spear_extra;
    const auto near = reached(player, attack.target, window);
    if (!near || *near <= limit) return;

    float confidence = slightly_over;
    const double surely = limit + surely_blocks;
    if (!player.entities().seen(attack.target, window, player.now)->is_player) {
        confidence = mob_over;
    } else if (*near > surely && !player.line.to_proxy) {
        confidence = surely_over;
    } else if (*near > surely) {
        const Nanos back = player.look_back_behind_proxy();
        if (reached(player, attack.target, back).value_or(0) > surely) confidence = surely_over;
    }
    out.add(confidence, {.observed = *near, .limit = limit, .unit = "blocks"});
}

std::optional<double> Reach::reached(const Player& player, protocol::EntityId target,
                                     Nanos window) const noexcept {
    const auto seen = player.entities().seen(target, window, player.now);
    if (!seen || seen->rides || seen->known > player.now - window) return std::nullopt;
    const Body body = seen->is_player ? player_body : mob_body;
    const double border = player.version <= version_1_8 ? border_1_8 : 0;
    const double scale = player.entities().scale_max();
    return distance(player.eye_hull(), seen->feet.grown(body.half_width * scale + border, border,
                                                        body.height * scale + border));
}

}  // namespace portcullis::checks
