// What may hold of a Player now, by what he was told and may have read.

#include <algorithm>

#include "player/player.h"

namespace portcullis {
namespace {

using protocol::Attribute;
using protocol::Effect;
using protocol::GameMode;

/// A client that moved less than this keeps it to itself, in any version.
constexpr double untold_blocks = 0.03;

constexpr int32_t version_1_9 = 107;
constexpr int32_t version_1_20_2 = 764;

}  // namespace

bool Player::may_be(GameMode mode) const noexcept {
    const auto wanted = static_cast<uint8_t>(mode);
    return mode_low_high_.low(trips_.reached()) <= wanted &&
           wanted <= mode_low_high_.high(trips_.reached());
}

bool Player::surely(GameMode mode) const noexcept {
    const auto wanted = static_cast<uint8_t>(mode);
    return mode_low_high_.low(trips_.reached()) == wanted &&
           mode_low_high_.high(trips_.reached()) == wanted;
}

bool Player::may_fly() const noexcept {
    return may_fly_.high(trips_.reached()) != 0 || may_be(GameMode::creative) ||
           may_be(GameMode::spectator);
}
bool Player::may_ride() const noexcept { return riding_.high(trips_.reached()) != 0; }
bool Player::may_swim() const noexcept { return swimming_.high(trips_.reached()) != 0; }
bool Player::may_crouch() const noexcept { return crouching_.high(trips_.reached()) != 0; }

/// Other threads of a server go on talking while its game hangs; the time of day comes from the
/// game, every second.  A server that has stopped telling it is known by any packet.
bool Player::server_silent() const noexcept {
    constexpr Nanos silent = 1500ms, longest_hang = 60s;
    const bool by_time = tells_time_ && now - world_time_at_ <= longest_hang;
    return now - (by_time ? world_time_at_ : server_heard_at_) > silent;
}

/// A server that is silent denies nothing: what waits for its word waits on.
void Player::wait_for_server() noexcept {
    if (!server_silent()) return;
    ++glide_claimed_at_;
    ++spin_possible_at_;
}

bool Player::may_glide() const noexcept {
    // He spreads the wings himself; the server says so only a round trip later.
    // Who was not confirmed time and again has no wings.
    constexpr uint32_t ticks_unconfirmed = 60;
    constexpr uint8_t denied_max = 1;
    return gliding_.high(trips_.reached()) != 0 ||
           (version >= version_1_9 && ever_glided_ && glides_denied_ <= denied_max &&
            ticks_ - glide_claimed_at_ < ticks_unconfirmed);
}

bool Player::may_glide_unconfirmed() const noexcept {
    // There and back, and as long as a server may be slow without being silent.
    const auto answered_within = static_cast<uint32_t>(latency() / game_tick) + 30;
    return version >= version_1_9 && ever_glided_ && ticks_ - glide_claimed_at_ <= answered_within;
}

bool Player::may_spin() const noexcept {
    constexpr uint32_t ticks_unconfirmed = 40;
    constexpr int32_t version_1_13 = 393;
    return spinning_.high(trips_.reached()) != 0 ||
           (version >= version_1_13 && ever_spun_ &&
            ticks_ - spin_possible_at_ < ticks_unconfirmed);
}

bool Player::was_sneaking_within(uint32_t ticks) const noexcept {
    return sneaking_ || (ever_sneaked_ && ticks_ - sneaked_at_ <= ticks);
}
bool Player::was_sprinting_within(uint32_t ticks) const noexcept {
    return sprinting_ || (ever_sprinted_ && ticks_ - sprinted_at_ <= ticks);
}

int Player::effect_max(Effect effect) const noexcept {
    if (effect == Effect::other) return 0;
    return effects_[static_cast<size_t>(effect)].high(trips_.reached());
}
int Player::effect_min(Effect effect) const noexcept {
    if (effect == Effect::other) return 0;
    return effects_[static_cast<size_t>(effect)].low(trips_.reached());
}
double Player::attribute_max(Attribute attribute) const noexcept {
    if (attribute == Attribute::other) return 0;
    return attributes_[static_cast<size_t>(attribute)].high(trips_.reached());
}
double Player::attribute_min(Attribute attribute) const noexcept {
    if (attribute == Attribute::other) return 0;
    return attributes_[static_cast<size_t>(attribute)].low(trips_.reached());
}

double Player::movement_speed_max() const noexcept {
    // The vanilla server's attribute holds the effect already; others send the
    // effect alone and leave the sum to the client.
    // Some servers number effects from 1 still where 1.20.2 begins at 0: what
    // reads as slowness is speed then, and a slow player with too high a limit
    // does no harm.
    const int level = version >= version_1_20_2
                          ? std::max(effect_max(Effect::speed), effect_max(Effect::slowness))
                          : effect_max(Effect::speed);
    const double by_effect = 0.1 * (1 + 0.2 * level);
    return std::max({attribute_max(Attribute::movement_speed), by_effect,
                     static_cast<double>(walk_speed_.high(trips_.reached()))});
}

double Player::jump_strength_max() const noexcept {
    return attribute_max(Attribute::jump_strength) + 0.1 * effect_max(Effect::jump_boost);
}

double Player::gravity_min() const noexcept {
    const double gravity = attribute_min(Attribute::gravity);
    return effect_max(Effect::slow_falling) > 0 ? std::min(gravity, 0.01) : gravity;
}

double Player::step_height_max() const noexcept { return attribute_max(Attribute::step_height); }

bool Player::is_default_size() const noexcept {
    return attribute_min(Attribute::scale) == 1 && attribute_max(Attribute::scale) == 1;
}

double Player::block_reach_max() const noexcept {
    const double reach = attribute_max(Attribute::block_interaction_range);
    return may_be(GameMode::creative) ? reach + 0.5 : reach;
}

double Player::entity_reach_max() const noexcept {
    const double reach = attribute_max(Attribute::entity_interaction_range);
    return may_be(GameMode::creative) ? reach + 2 : reach;
}

Box Player::eye_hull() const noexcept {
    // Blows come before the tick's movement packet: the eye is where the last
    // packet said, or where the one before it did, or a hair off untold.
    Box feet = Box::at(position_);
    feet.include(previous_position_);
    const double scale_min = std::min(1.0, attribute_min(Attribute::scale));
    const double scale_max = std::max(1.0, attribute_max(Attribute::scale));
    const double lowest = version >= version_1_9 ? 0.4 : 1.54;
    constexpr double standing = 1.62;
    Box eyes = feet.grown(untold_blocks, untold_blocks, untold_blocks);
    eyes.min.y += lowest * scale_min;
    eyes.max.y += standing * scale_max;
    return eyes;
}

}  // namespace portcullis
