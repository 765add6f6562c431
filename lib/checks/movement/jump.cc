#include "checks/movement/jump.h"

#include <algorithm>
#include <cmath>

#include "checks/movement/judged.h"

namespace portcullis::checks {
namespace {

/// How exactly a throw follows gravity; positions carry far more digits.
constexpr double same_rise = 0.004;
/// Slime pistons throw with 1, before gravity.
constexpr double piston_throw = 1.0;
constexpr double near_throw = 0.02;
/// Throws one soon after the other, each in another place, are those of a lane of pistons: as
/// many as that are let pass.
constexpr uint8_t throws_max = 5;
constexpr uint32_t throw_row_ticks = 100;
constexpr float one_place_blocks = 3;

/// How fast he may come back from what he fell on.
double bounce_max(const Player& player) noexcept {
    double fastest = 0;
    for (size_t back = 0; back < std::min<size_t>(3, player.ticks()); ++back) {
        fastest = std::max(fastest, -double{player.step(back).dy});
    }
    return fastest > 0 ? fastest + 0.1 : 0;
}

}  // namespace

/// Thrown so again and again one is in one place, where the piston stands.
bool Jump::may_be_piston(double first_rise, const Player& player) noexcept {
    if (std::abs(first_rise - piston_throw) >= near_throw) return false;
    const auto x = static_cast<float>(player.position().x);
    const auto z = static_cast<float>(player.position().z);
    const bool in_a_row = player.ticks() - thrown_at_ < throw_row_ticks &&
                          std::hypot(x - thrown_x_, z - thrown_z_) > one_place_blocks;
    throws_ = static_cast<uint8_t>(in_a_row ? std::min(throws_ + 1, 100) : 0);
    thrown_at_ = player.ticks();
    thrown_x_ = x;
    thrown_z_ = z;
    return throws_ < throws_max;
}

void Jump::on(const protocol::Move& move, const Player& player, const Settings& settings,
              Findings& out) noexcept {
    const Player::MoveKind kind = player.kind_of(move);
    if (kind == Player::MoveKind::repeat || kind == Player::MoveKind::turn) return;
    const Player::Step step = player.step_of(move);
    if (kind != Player::MoveKind::tick || !walks(player) || may_be_pushed_up(player, 0) ||
        player.may_spin() || player.effect_max(protocol::Effect::levitation) > 0) {
        seen_ = no_jump;
        return;
    }
    const double rise = double{step.dy};
    const double gravity = player.gravity_min();
    if (step.ground_before && !step.ground_after && move.has_position) {
        const double limit =
            std::max({player.jump_strength_max(), player.step_height_max(), bounce_max(player)});
        const bool too_high = rise > limit + settings.tolerance_blocks;
        seen_ = too_high && !may_be_piston(rise, player) ? rose : no_jump;
        first_rise_ = last_rise_ = step.dy;
        limit_ = static_cast<float>(limit);
        return;
    }
    if (seen_ == no_jump) return;
    const bool goes_on = !step.ground_after && move.has_position &&
                         std::abs(rise - fallen_from(double{last_rise_}, gravity)) < same_rise;
    if (!goes_on) {
        seen_ = no_jump;
        return;
    }
    last_rise_ = step.dy;
    if (++seen_ <= rose_on) return;
    seen_ = no_jump;
    out.add(0.97f,
            {.observed = double{first_rise_}, .limit = double{limit_}, .unit = "blocks/tick"});
}

}  // namespace portcullis::checks
