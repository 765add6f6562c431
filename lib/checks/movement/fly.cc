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

/// An unmoved client repeats its place on every 20th tick, with its look when that
/// changed.  Counted as fewer, so that one such packet alone says nothing.
constexpr uint16_t reminder_ticks = 15;

/// The head touches a block: heights of blocks are whole sixteenths.
bool may_touch_ceiling(double feet, const Player& player) noexcept {
    if (!player.is_default_size()) return true;
    // Standing, sneaking (1.9 to 1.13, since 1.14), swimming.
    for (const double height : {1.8, 1.65, 1.5, 0.6}) {
        const double sixteenths = (feet + height) * 16;
        if (std::abs(sixteenths - std::round(sixteenths)) < 16 * 2e-4) return true;
    }
    return false;
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
    const bool judged = kind != Player::MoveKind::answer && walks(player) && !step.ground_before &&
                        !step.ground_after && player.effect_max(Effect::levitation) == 0 &&
                        player.gravity_min() > 0 && !may_be_pushed(player);
    if (!judged) return forget();
    if (!move.has_position || !std::isfinite(step.dy)) return;
    judge_hover(move, player, step, settings, out);
    if (kind == Player::MoveKind::tick) judge_glide(player, step, settings, out);
}

void Fly::judge_hover(const protocol::Move& move, const Player& player, const Player::Step& step,
                      const Settings& settings, Findings& out) noexcept {
    // Below the world's floor old clients wait for chunks without falling.
    const bool below_world = player.version < version_1_14 && move.position.y < 0;
    const double y = move.position.y;
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
    const bool swims = smooth && player.version >= version_1_13 &&
                       (player.may_swim() || (player.was_sprinting_within(2) && !unmoved)) &&
                       (step.sideways() <= water_sideways_max(player) ||
                        player.effect_max(Effect::dolphins_grace) > 0);
    const bool excused =
        ladder || swims || (still && (may_touch_ceiling(y, player) || may_touch_entity(y, player)));
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
    count(glide_, !falls && !dolphin && step.sideways() > water_sideways_max(player),
          settings.glide_ticks, "keeps height at speed");
    const double lift = player.version >= version_1_13 ? rise_since_1_13 : rise_before_1_13;
    count(rise_, !falls && dy > lift, settings.rise_ticks, "rises in the air");
}

}  // namespace portcullis::checks
