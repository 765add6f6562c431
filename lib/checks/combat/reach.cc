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
/// A line is taken for as slow as it was so long ago.
constexpr Nanos measured_age_max = 1s;
/// What the client shows lags what it has received by three ticks and a frame.
constexpr Nanos shown_late = 3 * game_tick + 100ms;

}  // namespace

void Reach::on(const protocol::PacketSeen& packet, const Player& player, const Settings&,
               Findings&) noexcept {
    if (!packet.from_server) return silence_.heard(player.now);
    const uint64_t from_bytes = sent_bytes_;
    sent_bytes_ = player.line.sent_bytes;
    if (marks_size_ > 0 && player.now - marks_[marks_size_ - 1].at < mark_interval) return;
    size_t over = 0;
    while (over + 1 < marks_size_ && marks_[over + 1].from_bytes <= player.line.acked_bytes) ++over;
    if (over > 0) {
        std::move(marks_.begin() + over, marks_.begin() + marks_size_, marks_.begin());
        marks_size_ -= static_cast<uint32_t>(over);
    }
    if (marks_size_ == marks_.size()) {
        // What a mark that goes stood for counts as sent with the one before it:
        // the oldest stays, and no byte gets younger.
        marks_size_ /= 2;
        for (size_t i = 1; i < marks_size_; ++i) marks_[i] = marks_[2 * i];
    }
    marks_[marks_size_++] = {from_bytes, player.now};
}

Nanos Reach::unacknowledged_for(const Player& player) const noexcept {
    // Whoever does not follow acknowledgements leaves them at nothing.
    const uint64_t acked = player.line.acked_bytes;
    if (acked == 0 || acked >= player.line.sent_bytes || marks_size_ == 0) return Nanos{};
    size_t i = 0;
    while (i + 1 < marks_size_ && marks_[i + 1].from_bytes <= acked) ++i;
    return player.now - marks_[i].at;
}

void Reach::on(const protocol::Attack& attack, const Player& player, const Settings& settings,
               Findings& out) noexcept {
    using protocol::GameMode;
    if (!player.placed() || player.bedrock() || player.may_be(GameMode::creative) ||
        player.may_be(GameMode::spectator) || player.may_ride() || player.watching_another()) {
        return;
    }
    const Nanos window =
        std::max(player.sight(), unacknowledged_for(player) + shown_late) + silence_.credit();
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
        const Nanos back = std::max(window, surely_received(player) + silence_.credit());
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
    return distance(player.eye_hull(), seen->feet.grown(body.half_width * scale_max_ + border,
                                                        border, body.height * scale_max_ + border));
}

void Reach::measured(const Player& player, const RoundTrips::Answer& answer) noexcept {
    if (!answer.known) return;
    answered_at_ = player.now;
    answered_sent_ = answer.sent;
}

Nanos Reach::surely_received(const Player& player) const noexcept {
    if (player.now - answered_at_ <= measured_age_max) return Nanos{};
    return player.now - answered_sent_ + shown_late;
}

void Reach::on(const protocol::AttributeSet& set, const Player& player, const Settings&,
               Findings&) noexcept {
    if (set.attribute != protocol::Attribute::scale || set.entity == player.self()) return;
    scale_max_ = std::max(scale_max_, static_cast<float>(set.value));
}

}  // namespace portcullis::checks
