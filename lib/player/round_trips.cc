#include "player/round_trips.h"

#include <algorithm>
#include <span>

namespace portcullis {

void RoundTrips::sent(Kind kind, int64_t id, Nanos now) noexcept {
    if (waiting_size_ == waiting_max) {
        std::move(waiting_.begin() + 1, waiting_.end(), waiting_.begin());
        --waiting_size_;
    }
    waiting_[waiting_size_++] = {id, now, ++requests_, kind};
}

RoundTrips::Answer RoundTrips::answered(Kind kind, int64_t id, Nanos now, uint32_t ticks) noexcept {
    const Waiting* const found = find(kind, id);
    if (found == nullptr) return {};
    const Waiting asked = *found;
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now - asked.sent);
    sample_us_[samples_++ % samples_max] =
        static_cast<uint32_t>(std::clamp<int64_t>(took.count(), 0, UINT32_MAX));
    forget([&](const Waiting& w) { return w.kind == kind && w.number <= asked.number; });
    if (kind != Kind::keep_alive) {
        reach(asked.number);
    } else if (reached_soon_ <= reached_) {
        // An earlier one that still waits for its ticks is as good, and sooner.
        reached_soon_ = asked.number;
        ticks_when_soon_ = ticks;
    }
    return {true, asked.sent};
}

RoundTrips::Answer RoundTrips::sent_at(Kind kind, int64_t id) const noexcept {
    const Waiting* const asked = find(kind, id);
    return asked == nullptr ? Answer{} : Answer{true, asked->sent};
}

void RoundTrips::ticked(uint32_t ticks) noexcept {
    if (reached_soon_ > reached_ && ticks - ticks_when_soon_ >= ticks_behind_keep_alive) {
        reach(reached_soon_);
    }
}

const RoundTrips::Waiting* RoundTrips::find(Kind kind, int64_t id) const noexcept {
    for (const Waiting& waiting : std::span(waiting_).first(waiting_size_)) {
        if (waiting.kind == kind && waiting.id == id) return &waiting;
    }
    return nullptr;
}

void RoundTrips::reach(RequestCount number) noexcept {
    reached_ = std::max(reached_, number);
    forget([this](const Waiting& w) { return w.kind != Kind::keep_alive && w.number <= reached_; });
}

template <class Gone>
void RoundTrips::forget(const Gone& gone) noexcept {
    const auto end = waiting_.begin() + static_cast<ptrdiff_t>(waiting_size_);
    waiting_size_ =
        static_cast<size_t>(std::remove_if(waiting_.begin(), end, gone) - waiting_.begin());
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
