#include "checks/digging/fast.h"

#include <algorithm>

namespace portcullis::checks {

namespace {

constexpr float certain = 0.99f;
constexpr float machine_like = 0.96f;
/// Clients other than vanilla finish even what breaks at one blow.
constexpr float single = 0.9f;
/// A player's clock may run fast by some per mille, and lines shake.
constexpr double shake_ticks = 2;
constexpr double ticks_per_block_min = 2;

}  // namespace

void DigFast::on(const protocol::Dig& dig, const Player& player, const Settings& settings,
                 Findings& out) noexcept {
    using Status = protocol::Dig::Status;
    if (dig.status > static_cast<uint8_t>(Status::finish)) return;
    if (player.may_be(protocol::GameMode::creative) || player.bedrock()) {
        started_ = false;
        count_ = 0;
        return;
    }
    switch (static_cast<Status>(dig.status)) {
        case Status::start:
            started_ = true;
            --swings_;
            start_tick_ = ticks_.count();
            break;
        case Status::cancel:
            started_ = false;
            break;
        default:
            if (started_ && ticks_.known() && ticks_.count() == start_tick_) {
                out.add(single,
                        {.observed = 0, .limit = 1, .unit = "ticks", .note = "start to finish"});
            }
            started_ = false;
            finishes_[count_++ % run_max] = {player.now, player.held_back(), ticks_.count(),
                                             swings_};
            judge_run(settings, out);
            break;
    }
}

void DigFast::judge_run(const Settings& settings, Findings& out) noexcept {
    const auto run = static_cast<uint32_t>(settings.run);
    if (count_ <= run) return;
    const Finish& first = finishes_[(count_ - 1 - run) % run_max];
    const Finish& last = finishes_[(count_ - 1) % run_max];
    double ticks = 0;
    if (ticks_.known()) {
        ticks = static_cast<double>(last.tick - first.tick);
    } else {
        const double arrived = to_seconds(last.at - first.at + first.credit);
        const auto swings = static_cast<int16_t>(last.swings - first.swings);
        ticks = std::max<double>(arrived / to_seconds(game_tick) + shake_ticks, swings);
    }
    const double per_block = ticks / run;
    if (per_block > settings.ticks_per_block) return;
    out.add(per_block < ticks_per_block_min ? certain : machine_like,
            {.observed = per_block,
             .limit = settings.ticks_per_block,
             .unit = "ticks/block",
             .note = "run of blocks"});
}

}  // namespace portcullis::checks
