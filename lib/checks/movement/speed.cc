#include "checks/movement/speed.h"

#include <algorithm>
#include <cmath>

#include "checks/movement/judged.h"

namespace portcullis::checks {
namespace {

/// A float's worth of it, on the wire and in us.
constexpr double rounding = 1e-4;

/// On the ground a client gains speed x 0.216 / slip^3 and keeps slip x 0.91.
constexpr double ground_drag(double slip) noexcept { return slip * vanilla::air_drag; }
constexpr double ground_gain(double slip) noexcept { return 0.21600002 / (slip * slip * slip); }

struct Surface {
    double keeps;  ///< Share of the speed.
    double gains;  ///< For each unit of the speed attribute.
};
constexpr Surface surface(double slip) noexcept { return {ground_drag(slip), ground_gain(slip)}; }

constexpr int32_t version_1_13 = 393;  ///< Brought blue ice.
constexpr std::array<Surface, 4> surfaces = {surface(0.6), surface(0.8), surface(0.98),
                                             surface(0.989)};
constexpr double stone_gain = surfaces[0].gains;

/// Swimming keeps 0.9 at best and gains 0.02, a current adds 0.014.
constexpr double swim_keeps = 0.9;
constexpr double swim_gains = 0.034;
constexpr double dolphin_keeps = 0.96;
constexpr double current = 0.014;

/// Running ends here on every surface, for each unit of the speed attribute;
/// with what a current and an untold move can add.
constexpr double steady = 2.2334;
constexpr double steady_slack = 0.03;

/// A piston of slime throws with 1 block a tick, on top of what one had.
constexpr double throw_max = 1.4;
/// A trident of riptide throws with 0.75 more a level from 1.5.  The game's own go to
/// level three, those of many servers to five.
constexpr double spin_level_max = 5;
constexpr double spin_throw_max = 0.75 * (1 + spin_level_max) + 0.2;
constexpr double small_excess = 0.15;
/// Waking up puts him 3.5 blocks further, a trident throws less far than it.  What goes
/// further at once, nothing but a server's word does that was not heard.
constexpr double leap_least = 5;
/// Throws in a row that the server showed nobody.  It shows each one a moment later.
constexpr uint8_t spins_unshown_max = 8;
/// A piston's arm moves him by 0.51 in each of two ticks, and what he walks comes on
/// top.  Machines of them carry somebody for ever, but no faster than he could run:
/// so they are told by how far he is ahead of a runner, in blocks.  The runner runs by
/// the clock, for who is carried stands between two pushes and then says nothing; half
/// a second of it may be saved up.
constexpr double piston_least = 0.48;
constexpr double piston_most = 0.51 + 0.33;
constexpr double lead_max = 0.7;
constexpr double lead_kept_max = 4.0;
constexpr double runner_saves_ticks = 10;

/// Wings leave 0.99 of speed and add a tenth of the fall, which they slow themselves: what
/// gravity adds to it, they let on by a third at most.
double after_gliding(double speed, const Player& player) noexcept {
    constexpr double kept = 0.99, gained_of_fall = 0.1;
    const double fall = vanilla::gravity_drag * std::max(0.0, -double{player.step(0).dy});
    const double gravity = player.attribute_max(protocol::Attribute::gravity);
    return kept * (speed + gained_of_fall * (fall + gravity / 3));
}

/// How many of the surfaces there are in this version.
size_t surfaces_known(const Player& player) noexcept {
    return player.version >= version_1_13 ? surfaces.size() : surfaces.size() - 1;
}

/// The most that can be left of `speed` and be gained in one tick, `kept` at most on the ground
/// that he left.
double after_one_tick(double speed, double kept, double attribute, const Player& player,
                      const Player::Step& step) noexcept {
    // Drag follows the ground before the last move, gain the ground before this.
    const bool drag_on_ground = player.ticks() > 0 && player.step(0).ground_before;
    const bool gain_on_ground = step.ground_before;

    // Who swims along the bottom has ground under his feet.
    const double swimming = swim_keeps * speed + swim_gains;
    double best = player.may_swim() ? swimming : 0;
    if (drag_on_ground && gain_on_ground) {
        for (size_t i = 0; i < surfaces_known(player); ++i) {
            best = std::max(best, surfaces[i].keeps * speed + surfaces[i].gains * attribute);
        }
        // From ice to stone one keeps as on the one and gains as on the other.
        best = std::max(best, kept * speed + stone_gain * attribute);
    } else if (gain_on_ground) {
        best = std::max(best, vanilla::air_drag * speed + stone_gain * attribute);
    } else {
        best = std::max(vanilla::air_drag * speed + vanilla::air_acceleration, swimming);
    }
    if (player.may_glide_unconfirmed()) best = std::max(best, after_gliding(speed, player));
    if (player.effect_max(protocol::Effect::dolphins_grace) > 0) {
        // Depth strider gives a share of what feet gain on the ground, all of it there.
        best = std::max(best, dolphin_keeps * speed + std::max(swim_gains, attribute + current));
    }
    return best;
}

}  // namespace

void Speed::on(const protocol::Move& move, const Player& player, const Settings& settings,
               Findings& out) noexcept {
    if (player.kind_of(move) != Player::MoveKind::tick) return;
    const Player::Step step = player.step_of(move);
    const double speed = step.sideways();
    if (!std::isfinite(speed)) return;
    if (!walks(player)) {
        stood_on_ = any_surface;
        momentum_ = static_cast<float>(std::max(std::min(speed, 100.0), 0.0));
        return;
    }
    if (credit_ < 0) {
        credit_ = static_cast<float>(settings.credit_blocks);
        throws_ = static_cast<float>(settings.throws);
    }
    credit_ = std::min(credit_ + static_cast<float>(settings.credit_blocks_per_tick),
                       static_cast<float>(settings.credit_blocks));
    throws_ = std::min(throws_ + 1 / static_cast<float>(settings.throw_ticks),
                       static_cast<float>(settings.throws));

    const double attribute = player.movement_speed_max() * vanilla::sprint_factor;
    const double always_possible = steady * attribute + steady_slack;
    follow_runner(speed, always_possible, player.now);

    // Who jumps against a slab may land on it in the same tick.
    const bool jumped = step.ground_before && step.dy > (step.ground_after ? 0.01f : -1e-4f);
    const double jump = jumped ? vanilla::jump_boost_sideways : 0;
    const double kept = kept_max();
    follow_surfaces(speed - jump, attribute, player, step);
    if (speed <= always_possible * settings.tolerance) {
        momentum_ = static_cast<float>(speed);
        return;
    }

    double possible = std::max<double>(
        after_one_tick(momentum_, kept, attribute, player, step) + jump, always_possible);
    possible *= settings.tolerance;
    if (speed > possible) {
        // Dearer questions only now, for they are seldom asked.
        possible = pushed(speed, possible, stone_gain * attribute + jump, player);
    }
    if (speed > possible && player.entities().size() > 0) {
        const Box body = Box::at(player.position()).grown(1.5, 2, 2.5);
        possible += vanilla::player_push * static_cast<double>(player.entities().touching(
                                               body, player.sight(), player.now));
    }
    judge(speed, possible, player, settings, out);
}

double Speed::kept_max() const noexcept {
    double most = surfaces[0].keeps;
    for (size_t i = 1; i < surfaces.size(); ++i) {
        if ((stood_on_ >> i & 1) != 0) most = std::max(most, surfaces[i].keeps);
    }
    return most;
}

void Speed::follow_surfaces(double speed, double attribute, const Player& player,
                            const Player::Step& step) noexcept {
    const bool drag_on_ground = player.ticks() > 0 && player.step(0).ground_before;
    const double left = double{momentum_} * (drag_on_ground ? kept_max() : vanilla::air_drag);
    stood_on_ = 0;
    for (size_t i = 0; i < surfaces_known(player); ++i) {
        const bool may =
            step.ground_before && speed <= left + surfaces[i].gains * attribute + rounding;
        stood_on_ = static_cast<uint8_t>(stood_on_ | (may ? 1u << i : 0u));
    }
}

void Speed::follow_runner(double speed, double runner, Nanos now) noexcept {
    const double ticks = to_seconds(std::max(Nanos{}, now - last_at_)) / to_seconds(game_tick);
    last_at_ = now;
    lead_ -= static_cast<float>(runner * std::min(ticks, runner_saves_ticks));
    lead_ = std::max(lead_, static_cast<float>(-runner * runner_saves_ticks));
    lead_ = static_cast<float>(std::min(lead_ + speed, lead_kept_max));
}

double Speed::pushed(double speed, double possible, double gain, const Player& player) noexcept {
    const std::span<const Player::Push> pushes = player.pushes();
    // One of them, if that is enough; else all that he may have felt in one tick: a
    // blow sets his speed, explosions add to it.
    double set = momentum_, added = 0;
    for (const Player::Push& given : pushes) {
        if (given.serial <= push_spent_) continue;
        const double push = std::hypot(double{given.x}, double{given.z});
        const double alone = push + gain + (given.added ? double{momentum_} : 0.0);
        if (speed <= alone) {
            if (!given.several) push_spent_ = given.serial;
            stood_on_ = any_surface;
            return alone;
        }
        if (given.added) {
            added += push;
        } else {
            set = std::max(set, push);
        }
    }
    const double all = set + added + gain;
    if (pushes.empty() || speed > all) return possible;
    push_spent_ = pushes.back().serial;
    stood_on_ = any_surface;
    return all;
}

bool Speed::spins_are_shown(const Player& player) noexcept {
    if (spins_seen_ != player.spins_shown() || player.server_silent()) spins_unshown_ = 0;
    spins_seen_ = player.spins_shown();
    if (spins_unshown_ >= spins_unshown_max) return false;
    ++spins_unshown_;
    return true;
}

void Speed::judge(double speed, double possible, const Player& player, const Settings& settings,
                  Findings& out) noexcept {
    const double excess = speed - possible;
    if (excess <= rounding) {
        momentum_ = static_cast<float>(speed);
        return;
    }
    if (speed >= piston_least && speed <= piston_most && lead_ <= lead_max) {
        // Carried; that leaves no speed behind.
        momentum_ = static_cast<float>(possible);
        return;
    }
    if (excess <= small_excess && excess <= double{credit_}) {
        credit_ -= static_cast<float>(excess);
        momentum_ = static_cast<float>(speed);
        return;
    }
    if (excess <= spin_throw_max && player.may_spin() && spin_spent_ != player.spins() &&
        spins_are_shown(player)) {
        spin_spent_ = player.spins();
        stood_on_ = any_surface;
        momentum_ = static_cast<float>(speed);
        return;
    }
    const double cost = excess < leap_least ? 1 : std::max<double>(settings.throws, 1);
    if (excess > small_excess && double{throws_} >= cost) {
        throws_ -= static_cast<float>(cost);
        stood_on_ = any_surface;
        // A jump of place that is no throw leaves no speed behind.
        momentum_ = static_cast<float>(speed <= possible + throw_max ? speed : possible);
        return;
    }
    momentum_ = static_cast<float>(possible);
    out.add(0.97f, {.observed = speed, .limit = possible, .unit = "blocks/tick"});
}

}  // namespace portcullis::checks
