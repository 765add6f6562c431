#include "player/look_back.h"

#include <algorithm>

namespace portcullis {

namespace {

/// A line is taken for as slow as it was so long ago.
constexpr Nanos measured_age_max = 1s;
/// What the client shows lags what it has received by three ticks and a frame.
constexpr Nanos shown_late = 3 * game_tick + 100ms;

}  // namespace

void LookBack::sent(const Line& line, Nanos now) noexcept {
    const uint64_t from_bytes = sent_bytes_;
    sent_bytes_ = line.sent_bytes;
    if (marks_size_ > 0 && now - marks_[marks_size_ - 1].at < mark_interval) return;
    size_t over = 0;
    while (over + 1 < marks_size_ && marks_[over + 1].from_bytes <= line.acked_bytes) ++over;
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
    marks_[marks_size_++] = {from_bytes, now};
}

Nanos LookBack::unacknowledged_for(const Line& line, Nanos now) const noexcept {
    // Whoever does not follow acknowledgements leaves them at nothing.
    const uint64_t acked = line.acked_bytes;
    if (acked == 0 || acked >= line.sent_bytes || marks_size_ == 0) return Nanos{};
    size_t i = 0;
    while (i + 1 < marks_size_ && marks_[i + 1].from_bytes <= acked) ++i;
    return now - marks_[i].at;
}

Nanos LookBack::window(const Line& line, Nanos sight, Nanos now) const noexcept {
    return std::max(sight, unacknowledged_for(line, now) + shown_late);
}

Nanos LookBack::window_behind_proxy(const Line& line, Nanos sight, Nanos now) const noexcept {
    const Nanos least = window(line, sight, now);
    if (now - answered_at_ <= measured_age_max) return least;
    return std::max(least, now - answered_sent_ + shown_late);
}

}  // namespace portcullis
