#include "player/round_trips.h"

#include <algorithm>

namespace portcullis {

void RoundTrips::sent(Kind kind, int64_t id, Nanos now) noexcept {
    if (waiting_size_ == waiting_max) {
        std::move(waiting_.begin() + 1, waiting_.end(), waiting_.begin());
        --waiting_size_;
    }
    waiting_[waiting_size_++] = {id, now, ++requests_, kind};
}

RoundTrips::Answer RoundTrips::answered(Kind kind, int64_t id, Nanos now, uint32_t ticks) noexcept {
    for (size_t i = 0; i < waiting_size_; ++i) {
        const Waiting& waiting = waiting_[i];
        if (waiting.kind != kind || waiting.id != id) continue;

        const Answer answer{true, waiting.sent};
        const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now - waiting.sent);
        sample_us_[samples_++ % samples_max] =
            static_cast<uint32_t>(std::clamp<int64_t>(took.count(), 0, UINT32_MAX));
        if (kind == Kind::keep_alive) {
            // An earlier one that still waits for its ticks is as good, and sooner.
            if (reached_soon_ <= reached_) {
                reached_soon_ = waiting.number;
                ticks_when_soon_ = ticks;
            }
        } else {
            reached_ = std::max(reached_, waiting.number);
        }
        std::move(waiting_.begin() + static_cast<ptrdiff_t>(i) + 1,
                  waiting_.begin() + static_cast<ptrdiff_t>(waiting_size_),
                  waiting_.begin() + static_cast<ptrdiff_t>(i));
        --waiting_size_;
        return answer;
    }
    return {};
}

RoundTrips::Answer RoundTrips::sent_at(Kind kind, int64_t id) const noexcept {
    for (size_t i = 0; i < waiting_size_; ++i) {
        if (waiting_[i].kind == kind && waiting_[i].id == id) return {true, waiting_[i].sent};
    }
    return {};
}

void RoundTrips::ticked(uint32_t ticks) noexcept {
    if (reached_soon_ > reached_ && ticks - ticks_when_soon_ >= ticks_behind_keep_alive) {
        reached_ = reached_soon_;
    }
}

Nanos RoundTrips::low() const noexcept {
    if (samples_ == 0) return Nanos{0};
    const size_t size = std::min<size_t>(samples_, samples_max);
    return std::chrono::microseconds(
        *std::min_element(sample_us_.begin(), sample_us_.begin() + static_cast<ptrdiff_t>(size)));
}

Nanos RoundTrips::high(Nanos now) const noexcept {
    Nanos slowest = unmeasured;
    if (samples_ > 0) {
        const size_t size = std::min<size_t>(samples_, samples_max);
        slowest = std::chrono::microseconds(*std::max_element(
            sample_us_.begin(), sample_us_.begin() + static_cast<ptrdiff_t>(size)));
    }
    return waiting_size_ > 0 ? std::max(slowest, now - waiting_[0].sent) : slowest;
}

}  // namespace portcullis
