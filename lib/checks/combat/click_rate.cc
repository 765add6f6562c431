#include "checks/combat/click_rate.h"

#include <algorithm>

namespace portcullis::checks {

namespace {

/// A held button goes on swinging through the five ticks between two blocks.
constexpr Nanos after_dig = 500ms;
constexpr float confidence_max = 0.9f;
constexpr float confidence_min = 0.5f;
constexpr double finding_every = 5;  ///< Clicks over the limit a finding.

}  // namespace

void ClickRate::on(const protocol::Swing&, const Player& player, const Settings& settings,
                   Findings& out) noexcept {
    // What a silence held back it pays for: then the bucket is less than empty.
    const double elapsed = to_seconds(std::max(Nanos{}, player.now - last_));
    const double paid = to_seconds(player.held_back()) * settings.per_second;
    last_ = player.now;
    level_ = std::max(-paid, level_ - elapsed * settings.per_second);
    if (digging_ || player.now - last_dig_ < after_dig) return;
    level_ += 1;
    if (level_ <= settings.burst) return;

    // The further over, the less a hand explains it.
    const double excess = std::min(1.0, (level_ - settings.burst) / settings.burst);
    out.add(confidence_min + static_cast<float>(excess) * (confidence_max - confidence_min),
            {.observed = settings.per_second + level_,
             .limit = settings.per_second + settings.burst,
             .unit = "clicks",
             .note = "over one second"});
    level_ -= finding_every;
}

void ClickRate::on(const protocol::Dig& dig, const Player& player, const Settings&,
                   Findings&) noexcept {
    using Status = protocol::Dig::Status;
    if (dig.status <= static_cast<uint8_t>(Status::finish)) {
        digging_ = dig.status == static_cast<uint8_t>(Status::start);
        last_dig_ = player.now;
    } else {
        forgive();
    }
}

}  // namespace portcullis::checks
