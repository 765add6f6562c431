#include "checks/movement/fly.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "checks/movement/judged.h"

namespace portcullis::checks {
namespace {

using protocol::Effect;

constexpr int32_t version_1_9 = 107;
constexpr int32_t version_1_13 = 393;
constexpr int32_t version_1_14 = 477;
constexpr int32_t version_1_18_2 = 758;
constexpr int32_t version_1_21_4 = 769;

constexpr float ladder_sideways = 0.1502f;
/// The fastest that water lets go: by swimming in a current, and with depth
/// strider, for each unit of the sprinting attribute.
constexpr double water_sideways = 0.36;
constexpr double water_sideways_of_attribute = 2.3;
/// Swimming gains 0.02 a tick and a current adds 0.014.
constexpr double water_gain = 0.034;
/// What depth strider leaves of his speed, at most; it gains the whole attribute then.
constexpr double strider_drag = 0.546;
/// A swimmer's rise follows his look, and changes by less than this in a tick.
constexpr float swim_change = 0.012f;
/// What lifts faster than this is no water, ladder or (before 1.13) anything.
constexpr double rise_before_1_13 = 0.25;
/// Bubble columns lift by 0.7, and one may swim in them.
constexpr double rise_since_1_13 = 0.85;
constexpr double falling_slack = 0.02;

/// Hanging is to go no further than this in a tick, and in all.  A web sinks 0.08
/// in the ticks it takes, still water 0.3, and who treads water bobs by more.
constexpr float hang_step = 0.02f;
constexpr double hang_band = 0.05;
constexpr double usual_gravity = 0.08;
constexpr double gravity_telling = 0.02;  ///< With less, a jump's top looks like hanging.
/// A web takes all speed and lets go a twentieth of what a tick gives, a quarter of it with
/// weaving: in water, or where he bobs at its surface, that is next to nothing.
constexpr double web_step = 0.005;
constexpr double web_lets_sideways = 0.5;  ///< With weaving; a quarter without.
/// Where no chunk is, clients sink so until the world's floor, and no further.
constexpr double chunkless_sinking = 0.098;
/// Wings keep a height only at the cost of speed, and of much of it.
constexpr double wings_least = 0.5;
constexpr double wings_keep = 0.9905;
/// Who sprints in water swims; the server says so a round trip later.
constexpr uint32_t sprint_swims_ticks = 40;
/// Bubble columns lift by 0.7 and are a block wide; swimming lifts by less than this.
constexpr double column_rise = 0.65;
constexpr float column_wide = 10;

/// An unmoved client repeats its place on every 20th tick, with its look when that
/// changed.  Counted as fewer, so that one such packet alone says nothing.
constexpr uint16_t reminder_ticks = 15;

/// A block may begin there: their heights are whole sixteenths.
bool may_be_ceiling(double y) noexcept {
    const double sixteenths = y * 16;
    return std::abs(sixteenths - std::round(sixteenths)) < 16 * 2e-4;
}

/// The head touches a block, in a pose that he may have: standing, sneaking, swimming.
bool may_touch_ceiling(double feet, bool may_swim, const Player& player) noexcept {
    if (!player.is_default_size()) return true;
    // Low roofs make him crouch without a key, or crawl; since 1.14 servers tell.  From 1.9 on
    // he stayed as small as he had come.
    const bool told = !player.server_silent() && player.latency() <= 500ms;
    const bool any = player.line.translated;
    const bool since_1_14 = player.version >= version_1_14;
    const bool stays_small = !since_1_14 && player.version >= version_1_9;
    const bool crouches = player.was_sneaking_within(2) || player.may_crouch() || !told;
    const bool crawls = may_swim || player.may_spin() || !told;
    return may_be_ceiling(feet + 1.8) || ((any || stays_small) && may_be_ceiling(feet + 1.65)) ||
           ((any || (since_1_14 && crouches)) && may_be_ceiling(feet + 1.5)) ||
           ((any || stays_small || (since_1_14 && crawls)) && may_be_ceiling(feet + 0.6));
}

/// The heights that a bed puts a sleeper on, and holds him at.
bool may_lie_in_bed(double feet) noexcept {
    const double over_block = feet - std::floor(feet);
    return std::abs(over_block - 0.6875) < 2e-4 || std::abs(over_block - 0.5625) < 2e-4;
}

/// A web holds him over or in water or lava, or at their surface.  `since`: the last place.
bool may_hang_in_web(const Player::Step& step, Nanos since, const Player& player) noexcept {
    const double gravity = player.attribute_max(protocol::Attribute::gravity);
    const double speed = player.movement_speed_max() * vanilla::sprint_factor + water_gain;
    const double along = step.sideways(), up = std::abs(double{step.dy});
    // A client that keeps small moves to itself says where they led each second.
    const bool keeps_small = player.version < version_1_18_2 || player.line.translated;
    const bool sum =
        keeps_small && std::hypot(along, up) <= vanilla::untold_blocks && since > 500ms;
    return up > 0 && (sum || (up <= web_step * std::max(1.0, gravity / usual_gravity) &&
                              along <= web_lets_sideways * speed));
}

/// He may be gliding until he reads that the server denies it, and pays for his height.
bool may_pay_by_speed(const Player::Step& step, const Player& player) noexcept {
    return player.may_glide_unconfirmed() && step.sideways() >= wings_least &&
           step.sideways() <= wings_keep * player.step(0).sideways();
}

/// The head touches a boat, a shulker or the like, which float at any height.
bool may_touch_entity(double feet, const Player& player) noexcept {
    if (!player.entities().complete()) return true;
    Box head = Box::at(player.position());
    head.min.y = feet + 0.5;
    head.max.y = feet + 2;
    // Of the widest there are, half the width and half his own.
    constexpr double sideways = 2.4;
    return player.entities().touching(head.grown(sideways, 0, 0), player.sight(), player.now,
                                      EntityTracker::Kind::mobs) > 0;
}

/// The fastest that water lets him go in this tick.  A trident or a blow may have made
/// him faster, but who does not slow down then is not held by water.
double water_sideways_max(const Player& player) noexcept {
    const double sprinting = player.movement_speed_max() * vanilla::sprint_factor;
    const double last = player.step(0).sideways();
    // No medium leaves more than air does.
    return std::max({water_sideways, sprinting * water_sideways_of_attribute,
                     vanilla::air_drag * last + water_gain, strider_drag * last + sprinting});
}

}  // namespace

void Fly::on(const protocol::Move& move, const Player& player, const Settings& settings,
             Findings& out) noexcept {
    if (unclear_ != Hang::none) {
        hang(std::exchange(unclear_, Hang::none), reminder_ticks, settings, out);
    }
    const Player::MoveKind kind = player.kind_of(move);
    const Player::Step step = player.step_of(move);
    if (move.has_position) follow_chunks(kind, step);
    const bool held = held_by_pushes(kind, player);
    const bool judged = kind != Player::MoveKind::answer && walks(player) && !step.ground_before &&
                        !step.ground_after && player.effect_max(Effect::levitation) == 0 &&
                        player.gravity_min() > 0 && !held;
    if (!judged) return forget();
    if (!move.has_position || !std::isfinite(step.dy)) return;
    if (player.may_swim()) sprint_swims_ = 0;
    judge_hover(move, player, step, settings, out);
    if (kind == Player::MoveKind::tick) judge_glide(player, step, settings, out);
}

bool Fly::held_by_pushes(Player::MoveKind kind, const Player& player) noexcept {
    // Blows come twice a second.  What lifts by pushes gives one in nearly each tick.
    constexpr uint32_t ticks_between_blows = 10, several = 50, latest_felt = 250;
    const uint32_t new_ones = player.pushes_ever() - pushes_seen_;
    pushes_seen_ = player.pushes_ever();
    const bool passes = kind == Player::MoveKind::tick && pushed_lately_ > 0;
    pushed_lately_ = static_cast<uint8_t>(
        std::min(pushed_lately_ - passes + new_ones * ticks_between_blows, latest_felt));
    return pushed_lately_ > several;
}

void Fly::follow_chunks(Player::MoveKind kind, const Player::Step& step) noexcept {
    const double dy = double{step.dy};
    if (kind == Player::MoveKind::answer) {
        no_chunk_ = true;
    } else if (std::abs(dy) > rest) {
        no_chunk_ = std::abs(dy + chunkless_sinking) < 0.001;
    }
}

void Fly::judge_hover(const protocol::Move& move, const Player& player, const Player::Step& step,
                      const Settings& settings, Findings& out) noexcept {
    const double y = move.position.y;
    const Nanos last_place_at = std::exchange(place_at_, player.now);
    // Below the world's floor clients wait for chunks without falling: old ones below zero, new
    // ones where they were put or sank to.
    const bool any = player.line.translated;
    const bool below_world = y <= 0 && (player.version < version_1_14 || any ||
                                        (player.version >= version_1_21_4 && no_chunk_));
    if (std::abs(step.dy) > hang_step || below_world || player.gravity_min() < gravity_telling) {
        hover_ = excused_hover_ = 0;
        return;
    }
    if (hover_ + excused_hover_ == 0) lowest_ = highest_ = player.position().y;
    lowest_ = std::min(lowest_, y);
    highest_ = std::max(highest_, y);
    // With less gravity a web sinks less.
    const double band = hang_band * std::min(1.0, player.gravity_min() / usual_gravity);
    if (highest_ - lowest_ > band) {
        hover_ = excused_hover_ = 0;
        return;
    }
    const bool unmoved = step.dx == 0 && step.dz == 0;
    const bool still = move.position.y == player.position().y;

    // A ladder holds still, a ceiling too; swimming goes smoothly.
    const bool ladder = still && player.was_sneaking_within(2) &&
                        std::abs(step.dx) <= ladder_sideways &&
                        std::abs(step.dz) <= ladder_sideways;
    const bool smooth = std::abs(step.dy - player.step(0).dy) < swim_change;
    const bool may_swim = (player.version >= version_1_13 || any) &&
                          (player.may_swim() || sprint_swims(player)) &&
                          (step.sideways() <= water_sideways_max(player) ||
                           player.effect_max(Effect::dolphins_grace) > 0);
    const bool swims = smooth && may_swim && (player.may_swim() || !unmoved);
    // Who has not stirred since he was put on a block may be one whose game still waits.
    const bool waits = no_chunk_ && unmoved && may_be_ceiling(y);
    const bool excused = ladder || swims || waits ||
                         may_hang_in_web(step, player.now - last_place_at, player) ||
                         may_pay_by_speed(step, player) ||
                         (still && (may_touch_ceiling(y, may_swim, player) ||
                                    may_touch_entity(y, player) || (unmoved && may_lie_in_bed(y))));
    const Hang on = ladder || (excused && player.may_swim()) ? Hang::held
                    : excused                                ? Hang::perhaps_held
                                                             : Hang::air;
    if (unmoved && still && !move.has_rotation) {
        hang(on, reminder_ticks, settings, out);
    } else if (player.kind_of(move) == Player::MoveKind::repeat ||
               (unmoved && still && player.version >= version_1_9)) {
        unclear_ = on;
    } else {
        hang(on, 1, settings, out);
    }
}

bool Fly::sprint_swims(const Player& player) noexcept {
    if (!player.was_sprinting_within(2)) return false;
    // Servers of before 1.13 do not know of it.
    if (player.server_silent() || player.line.translated) return true;
    const auto round_trip = static_cast<uint32_t>(player.latency() / game_tick);
    if (sprint_swims_ >= sprint_swims_ticks + round_trip) return false;
    ++sprint_swims_;
    return true;
}

void Fly::hang(Hang on, uint16_t ticks, const Settings& settings, Findings& out) noexcept {
    uint16_t& count = on == Hang::air ? hover_ : excused_hover_;
    count = static_cast<uint16_t>(count + ticks);
    const bool excused = on != Hang::air;
    if (on == Hang::held || count < (excused ? 3 : 1) * settings.hover_ticks) return;
    out.add(excused ? 0.5f : 0.97f,
            {.observed = static_cast<double>(count),
             .limit = settings.hover_ticks,
             .unit = "ticks",
             .note = excused ? "hangs, perhaps on something" : "hangs in the air"});
    count = 0;
}

void Fly::judge_glide(const Player& player, const Player::Step& step, const Settings& settings,
                      Findings& out) noexcept {
    const double possible =
        fallen_from(double{player.step(0).dy}, player.gravity_min()) + falling_slack;
    const double dy = double{step.dy};
    const bool falls = dy <= possible;
    const auto count = [&](uint16_t& counter, bool odd, double limit, const char* note) {
        if (!odd) {
            counter = static_cast<uint16_t>(counter - std::min<uint16_t>(counter, 2));
            return;
        }
        if (++counter < limit) return;
        counter = 0;
        out.add(0.97f, {.observed = dy, .limit = possible, .unit = "blocks/tick", .note = note});
    };
    const bool dolphin = player.effect_max(Effect::dolphins_grace) > 0;
    const bool wings = player.may_glide_unconfirmed() && (dy < 0 || may_pay_by_speed(step, player));
    count(glide_, !falls && !dolphin && !wings && step.sideways() > water_sideways_max(player),
          settings.glide_ticks, "keeps height at speed");
    const bool columns = player.version >= version_1_13 || player.line.translated;
    const double lift = columns ? rise_since_1_13 : rise_before_1_13;
    count(rise_, !falls && dy > lift, settings.rise_ticks, "rises in the air");
    judge_column(!falls && dy > column_rise && !dolphin, step, out);
}

void Fly::judge_column(bool lifted, const Player::Step& step, Findings& out) noexcept {
    column_x_ = lifted ? column_x_ + step.dx : 0;
    column_z_ = lifted ? column_z_ + step.dz : 0;
    if (std::hypot(column_x_, column_z_) < column_wide) return;
    column_x_ = column_z_ = 0;
    out.add(0.97f, {.observed = double{step.dy},
                    .limit = column_rise,
                    .unit = "blocks/tick",
                    .note = "rises as in a bubble column, and along"});
}

}  // namespace portcullis::checks
