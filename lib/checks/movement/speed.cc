#include "checks/movement/speed.h"

#include <algorithm>
#include <cmath>

#include "checks/movement/judged.h"

namespace portcullis::checks {
namespace {

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

/// Running ends here on every surface, for each unit of the speed attribute;
/// with what a current and an untold move can add.
constexpr double steady = 2.2334;
constexpr double steady_slack = 0.03;

/// A piston of slime throws with 1 block a tick, on top of what one had.
constexpr double throw_max = 1.4;
/// A trident of riptide throws with 0.75 more a level from 1.5.
constexpr double spin_throw_max = 3.2;
constexpr double small_excess = 0.15;

/// The most that can be left of `speed` and be gained in one tick.
double after_one_tick(double speed, double attribute, const Player& player,
                      const Player::Step& step) noexcept {
    // Drag follows the ground before the last move, gain the ground before this.
    const bool drag_on_ground = player.ticks() > 0 && player.step(0).ground_before;
    const bool gain_on_ground = step.ground_before;
    const size_t known = player.version >= version_1_13 ? surfaces.size() : surfaces.size() - 1;

    double best = 0;
    if (drag_on_ground && gain_on_ground) {
        for (size_t i = 0; i < known; ++i) {
            best = std::max(best, surfaces[i].keeps * speed + surfaces[i].gains * attribute);
        }
    } else if (gain_on_ground) {
        best = vanilla::air_drag * speed + stone_gain * attribute;
    } else {
        best = std::max(vanilla::air_drag * speed + vanilla::air_acceleration,
                        swim_keeps * speed + swim_gains);
    }
    if (player.effect_max(protocol::Effect::dolphins_grace) > 0) {
        best = std::max(best, dolphin_keeps * speed + swim_gains);
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
    if (speed <= always_possible * settings.tolerance) {
        momentum_ = static_cast<float>(speed);
        return;
    }

    // Who jumps against a slab may land on it in the same tick.
    const bool jumped = step.ground_before && step.dy > (step.ground_after ? 0.01f : -1e-4f);
    const double jump = jumped ? vanilla::jump_boost_sideways : 0;
    double possible = std::max<double>(after_one_tick(momentum_, attribute, player, step) + jump,
                                       always_possible);
    possible *= settings.tolerance;
    if (speed > possible) {
        // Dearer questions only now, for they are seldom asked.
        const double gain = stone_gain * attribute + jump;
        for (const Player::Push& push : player.pushes()) {
            if (speed <= possible) break;
            if (push.serial <= push_spent_) continue;
            const double pushed = std::hypot(double{push.x}, double{push.z}) + gain +
                                  (push.added ? double{momentum_} : 0.0);
            if (speed > pushed) continue;
            push_spent_ = push.serial;
            possible = pushed;
        }
    }
    if (speed > possible && player.entities().size() > 0) {
        const Box body = Box::at(player.position()).grown(1.5, 2, 2.5);
        possible += vanilla::player_push * static_cast<double>(player.entities().touching(
                                               body, player.sight(), player.now));
    }
    judge(speed, possible, player, out);
}

void Speed::judge(double speed, double possible, const Player& player, Findings& out) noexcept {
    // A float's worth of rounding on the wire and in us.
    constexpr double rounding = 1e-4;
    const double excess = speed - possible;
    if (excess <= rounding) {
        momentum_ = static_cast<float>(speed);
        return;
    }
    if (excess <= small_excess && excess <= double{credit_}) {
        credit_ -= static_cast<float>(excess);
        momentum_ = static_cast<float>(speed);
        return;
    }
    if (excess <= spin_throw_max && player.may_spin() && spin_spent_ != player.spins()) {
        spin_spent_ = player.spins();
        momentum_ = static_cast<float>(speed);
        return;
    }
    if (excess > small_excess && throws_ >= 1) {
        throws_ -= 1;
        // A jump of place that is no throw leaves no speed behind.
        momentum_ = static_cast<float>(speed <= possible + throw_max ? speed : possible);
        return;
    }
    momentum_ = static_cast<float>(possible);
    out.add(0.97f, {.observed = speed, .limit = possible, .unit = "blocks/tick"});
}

}  // namespace portcullis::checks
