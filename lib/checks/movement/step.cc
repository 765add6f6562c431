#include "checks/movement/step.h"

#include <algorithm>

#include "checks/movement/judged.h"

namespace portcullis::checks {

void Step::on(const protocol::Move& move, const Player& player, const Settings& settings,
              Findings& out) noexcept {
    constexpr double lifted_by_piston = 0.76;
    constexpr double rounding = 0.01;
    constexpr uint32_t soon_ticks = 400;

    if (player.kind_of(move) != Player::MoveKind::tick || !move.has_position) return;
    const Player::Step step = player.step_of(move);
    if (!step.ground_before || !step.ground_after || !walks(player)) return;
    if (may_be_pushed_up(player, 0)) return;

    const double height = player.step_height_max();
    const double rise = double{step.dy};
    const double limit = std::max(height, lifted_by_piston) + rounding;
    if (rise <= limit) return;

    const bool again = last_at_ != 0 && player.ticks() - last_at_ < soon_ticks;
    const bool certain = again || rise > std::max(settings.certain_blocks, height + rounding);
    last_at_ = std::max(player.ticks(), 1u);
    out.add(certain ? 0.97f : 0.8f, {.observed = rise, .limit = limit, .unit = "blocks/tick"});
}

}  // namespace portcullis::checks
