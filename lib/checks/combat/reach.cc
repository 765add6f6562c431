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
/// What the client shows lags what it has received by three ticks and a frame.
constexpr Nanos shown_late = 3 * game_tick + 100ms;

}  // namespace

void Reach::on(const protocol::PacketSeen& packet, const Player& player, const Settings&,
               Findings&) noexcept {
    if (!packet.from_server) return silence_.heard(player.now);
    const Mark& last = marks_[(marks_count_ - 1) % marks_.size()];
    if (marks_count_ > 0 && player.now - last.at < game_tick) return;
    marks_[marks_count_++ % marks_.size()] = {player.line.sent_bytes, player.now};
}

Nanos Reach::unacknowledged_for(const Player& player) const noexcept {
    // Whoever does not follow acknowledgements leaves them at nothing.
    if (player.line.acked_bytes == 0) return Nanos{};
    const auto size = static_cast<uint32_t>(marks_.size());
    const uint32_t kept = std::min(marks_count_, size);
    for (uint32_t i = marks_count_ - kept; i < marks_count_; ++i) {
        const Mark& mark = marks_[i % size];
        if (mark.sent_bytes > player.line.acked_bytes) return player.now - mark.at;
    }
    return Nanos{};
}

void Reach::on(const protocol::Attack& attack, const Player& player, const Settings& settings,
               Findings& out) noexcept {
    using protocol::GameMode;
    if (!player.placed() || player.bedrock() || player.may_be(GameMode::creative) ||
        player.may_be(GameMode::spectator) || player.may_ride() || player.watching_another() ||
        has_ridden(attack.target)) {
        return;
    }
    const Nanos window =
        std::max(player.sight(), unacknowledged_for(player) + shown_late) + silence_.credit();
    const auto seen = player.entities().seen(attack.target, window, player.now);
    if (!seen || seen->known > player.now - window) return;

    const Body body = seen->is_player ? player_body : mob_body;
    const double border = player.version <= version_1_8 ? border_1_8 : 0;
    const Box target = seen->feet.grown(body.half_width * scale_max_ + border, border,
                                        body.height * scale_max_ + border);
    double limit = player.entity_reach_max() + settings.margin_blocks;
    if (player.version >= version_spear) limit += spear_extra;
    const double reached = distance(player.eye_hull(), target);
    if (reached <= limit) return;

    const float confidence = !seen->is_player                  ? mob_over
                             : reached > limit + surely_blocks ? surely_over
                                                               : slightly_over;
    out.add(confidence, {.observed = reached, .limit = limit, .unit = "blocks"});
}

void Reach::on(const protocol::Mounted& mounted, const Player&, const Settings&,
               Findings&) noexcept {
    if (mounted.vehicle < 0 || has_ridden(mounted.rider)) return;
    riders_[riders_count_++ % riders_.size()] = mounted.rider;
}

bool Reach::has_ridden(protocol::EntityId entity) const noexcept {
    const auto end = riders_.begin() + std::min<size_t>(riders_count_, riders_.size());
    return std::find(riders_.begin(), end, entity) != end;
}

void Reach::on(const protocol::AttributeSet& set, const Player& player, const Settings&,
               Findings&) noexcept {
    if (set.attribute != protocol::Attribute::scale || set.entity == player.self()) return;
    scale_max_ = std::max(scale_max_, static_cast<float>(set.value));
}

}  // namespace portcullis::checks
