#include "checks/movement/no_fall.h"

#include <algorithm>

#include "checks/movement/judged.h"

namespace portcullis::checks {

void NoFall::on(const protocol::Move& move, const Player& player, const Settings& settings,
                Findings& out) noexcept {
    constexpr double usual_gravity = 0.08;

    const Player::MoveKind kind = player.kind_of(move);
    if (kind == Player::MoveKind::repeat || !move.has_position) return;
    if (kind != Player::MoveKind::tick || !walks(player) || may_be_pushed(player)) {
        lies_ = 0;
        return;
    }
    const Player::Step step = player.step_of(move);
    const double drop = -double{step.dy};
    const double gravity = player.attribute_max(protocol::Attribute::gravity);
    const double possible = settings.drop_blocks + std::max(0.0, gravity - usual_gravity);
    if (drop <= 0) {
        lies_ = 0;
        return;
    }
    if (!step.ground_before || drop <= possible) return;

    lies_ = static_cast<uint8_t>(std::min(lies_ + 1, 100));
    out.add(lies_ >= 2 ? 0.97f : 0.7f,
            {.observed = drop, .limit = possible, .unit = "blocks/tick", .note = "after ground"});
}

}  // namespace portcullis::checks
