#include "player/round_trips.h"

#include <algorithm>
#include <span>

namespace portcullis {
namespace {

void add_to(uint16_t& count, uint32_t more) noexcept {
    count = static_cast<uint16_t>(std::min<uint32_t>(count + more, UINT16_MAX));
}

}  // namespace

void RoundTrips::sent(Kind kind, int64_t id, Nanos now) noexcept {
    if (waiting_size_ == waiting_max) thin_out();
    waiting_[waiting_size_++] = {id, now, ++requests_, 0, kind};
}

void RoundTrips::thin_out() noexcept {
    std::array<size_t, kinds> sizes{};
    for (const Waiting& waiting : waiting_) ++sizes[static_cast<size_t>(waiting.kind)];
    const auto fullest =
        static_cast<Kind>(std::max_element(sizes.begin(), sizes.end()) - sizes.begin());
    // The one whose neighbours are nearest to each other; it has at least seven.
    std::array<size_t, 3> row{};  // Of that kind: the last three passed.
    size_t passed = 0, out = 0, heir = 0;
    RequestCount least = 0;
    for (size_t i = 0; i < waiting_max; ++i) {
        if (waiting_[i].kind != fullest) continue;
        row = {row[1], row[2], i};
        if (++passed < row.size()) continue;
        const RequestCount gap = waiting_[row[2]].number - waiting_[row[0]].number;
        if (heir != 0 && gap >= least) continue;
        least = gap;
        out = row[1];
        heir = row[2];
    }
    add_to(waiting_[heir].left_out, waiting_[out].left_out + 1u);
    std::move(waiting_.begin() + static_cast<ptrdiff_t>(out) + 1, waiting_.end(),
              waiting_.begin() + static_cast<ptrdiff_t>(out));
    --waiting_size_;
}

RoundTrips::Answer RoundTrips::answered(Kind kind, int64_t id, Nanos now, uint32_t ticks) noexcept {
    const Waiting* const found = find(kind, id);
    uint16_t& unknown = unknown_[static_cast<size_t>(kind)];
    if (found == nullptr) {
        add_to(unknown, 1);
        return {};
    }
    unknown = 0;
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
    uint32_t left_out = 0;
    for (const Waiting& waiting : std::span(waiting_).first(waiting_size_)) {
        if (waiting.kind != kind) continue;
        left_out += waiting.left_out;
        if (left_out > unknown_[static_cast<size_t>(kind)]) return nullptr;
        if (waiting.id == id) return &waiting;
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
        static_cast<uint32_t>(std::remove_if(waiting_.begin(), end, gone) - waiting_.begin());
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
