#include "checks/combat/multi_target.h"

#include <algorithm>

namespace portcullis::checks {

namespace {

constexpr float certain = 0.98f;
constexpr float repeated = 0.96f;
constexpr float hint = 0.6f;
/// Blows of one tick are written together; half a tick apart they are not one's.
constexpr Nanos together = 25ms;
/// A client that stopped showing its ticks (no chunk under it) must not be blamed
/// for blows that lie apart.
constexpr Nanos tick_max = 100ms;
constexpr float groups_max = 20;
constexpr uint8_t targets_max = 200;

}  // namespace

void MultiTarget::on(const protocol::PacketSeen& packet, const Player& player, const Settings&,
                     Findings&) noexcept {
    if (packet.from_server) return;
    const Nanos gap = player.now - heard_;
    if (gap >= together) quiet_ = gap;
    heard_ = player.now;
}

void MultiTarget::on(const protocol::Attack& attack, const Player& player, const Settings& settings,
                     Findings& out) noexcept {
    if (player.bedrock()) return;  // Strikes where he taps.
    const Nanos gap = player.now - at_;
    const bool same_tick = struck_ && ticks_.known() && ticks_.count() == tick_ && gap < tick_max;
    const bool same_group = struck_ && !moved_ && gap < together;
    const bool other = attack.target != target_;
    const bool mob = !player.entities().is_player(attack.target);

    if (same_tick && other) {
        out.add(player.may_be_vr() ? hint : certain,
                {.observed = 2, .limit = 1, .unit = "targets/tick"});
    } else if (!ticks_.known() && same_group && other) {
        if (targets_ < targets_max) ++targets_;
        mobs_ = mobs_ || mob;
        if (!group_counted_) judge_group(player, settings, out);
    } else if (!same_group) {
        // The blow before was alone, or this one opens a new group.
        if (struck_ && !group_counted_ && !group_told_) groups_ = std::max(0.0f, groups_ - 1);
        group_counted_ = group_told_ = false;
        mobs_ = mob;
        targets_ = 1;
    }

    target_ = attack.target;
    at_ = player.now;
    tick_ = ticks_.count();
    struck_ = true;
    moved_ = false;
}

void MultiTarget::judge_group(const Player& player, const Settings& settings,
                              Findings& out) noexcept {
    if (mobs_ && held_back(player)) {
        if (!group_told_) {
            out.add(hint, {.observed = static_cast<double>(targets_),
                           .limit = 1,
                           .unit = "targets",
                           .note = "after a silence"});
        }
        group_told_ = true;
        return;
    }
    group_counted_ = true;
    groups_ = std::min(groups_max, groups_ + 1);
    // Behind a translator to 1.8 that says that he is there, nobody sees whether he moved.
    const bool unseen = player.line.translated && player.version <= ClientTicks::version_flying_max;
    const bool act = groups_ >= settings.groups && !player.may_be_vr() && !unseen;
    out.add(act ? repeated : hint, {.observed = groups_,
                                    .limit = settings.groups,
                                    .unit = "groups",
                                    .note = "several targets at once"});
}

bool MultiTarget::held_back(const Player& player) const noexcept {
    Nanos silence = quiet_;
    if (player.held_back() > Nanos{}) {
        silence = std::max(silence, player.held_back() + Silence::ordinary);
    }
    return silence >= targets_ * game_tick;
}

}  // namespace portcullis::checks
