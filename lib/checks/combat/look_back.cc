#include "checks/combat/look_back.h"

#include <algorithm>

namespace portcullis::checks {

namespace {

/// A line is taken for as slow as it was so long ago.
constexpr Nanos measured_age_max = 1s;
/// What the client shows lags what it has received by three ticks and a frame.
constexpr Nanos shown_late = 3 * game_tick + 100ms;

}  // namespace

void LookBack::heard(const protocol::PacketSeen& packet, const Player& player) noexcept {
    if (!packet.from_server) return silence_.heard(player.now);
    const uint64_t from_bytes = sent_bytes_;
    sent_bytes_ = player.line.sent_bytes;
    if (marks_size_ > 0 && player.now - marks_[marks_size_ - 1].at < mark_interval) return;
    size_t over = 0;
    while (over + 1 < marks_size_ && marks_[over + 1].from_bytes <= player.line.acked_bytes) ++over;
    if (over > 0) {
        std::move(marks_.begin() + over, marks_.begin() + marks_size_, marks_.begin());
        marks_size_ -= static_cast<uint32_t>(over);
    }
    if (marks_size_ == marks_.size()) {
        // What a mark that goes stood for counts as sent with the one before it:
        // the oldest stays, and no byte gets younger.
        marks_size_ /= 2;
        for (size_t i = 1; i < marks_size_; ++i) marks_[i] = marks_[2 * i];
    }
    marks_[marks_size_++] = {from_bytes, player.now};
}

Nanos LookBack::unacknowledged_for(const Player& player) const noexcept {
    // Whoever does not follow acknowledgements leaves them at nothing.
    const uint64_t acked = player.line.acked_bytes;
    if (acked == 0 || acked >= player.line.sent_bytes || marks_size_ == 0) return Nanos{};
    size_t i = 0;
    while (i + 1 < marks_size_ && marks_[i + 1].from_bytes <= acked) ++i;
    return player.now - marks_[i].at;
}

Nanos LookBack::window(const Player& player) const noexcept {
    return std::max(player.sight(), unacknowledged_for(player) + shown_late) + silence_.credit();
}

Nanos LookBack::window_behind_proxy(const Player& player) const noexcept {
    if (player.now - answered_at_ <= measured_age_max) return window(player);
    return std::max(window(player), player.now - answered_sent_ + shown_late + silence_.credit());
}

}  // namespace portcullis::checks
