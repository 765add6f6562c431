#include "flow/source_rates.h"

#include <algorithm>

namespace portcullis {

namespace {

// A bucket is one word: which source's, and when it will be empty.
constexpr unsigned moment_bits = 40;  ///< Microseconds: 12 days until they come again.
constexpr uint64_t moment_mask = (uint64_t{1} << moment_bits) - 1;
/// What a bucket may hold beyond its room: how long a flood outlasts its end.
constexpr uint64_t beyond_us = 1'000'000;
/// More than any bucket holds, and little beside what a moment can tell: who is said to
/// be empty only later than this was there before the moments began anew.
constexpr uint64_t held_max_us = 200'000'000'000;

uint64_t moment(Nanos now) noexcept {
    return (static_cast<uint64_t>(now.count()) / 1000) & moment_mask;
}

/// Which of those in a set it is: bits of the name that did not choose the set.
uint64_t tag_of(uint64_t name) noexcept {
    const uint64_t tag = name << moment_bits;
    return tag == 0 ? uint64_t{1} << moment_bits : tag;
}

/// How long from `now` until the bucket is empty; 0 when it is.
uint64_t held(uint64_t bucket, uint64_t now) noexcept {
    const uint64_t ahead = (bucket - now) & moment_mask;
    return ahead > held_max_us ? 0 : ahead;
}

}  // namespace

struct alignas(64) SourceRates::Set {
    static constexpr size_t buckets_max = 8;
    std::array<uint64_t, buckets_max> buckets{};  ///< 0: free.
};

SourceRates::SourceRates(uint32_t sources)
    : set_count_(std::max<uint32_t>(1, sources / Set::buckets_max)), sets_(set_count_) {}

SourceRates::~SourceRates() = default;

SourceRates::Set& SourceRates::set_of(uint64_t name) const noexcept {
    return sets_[(name >> 32) * set_count_ >> 32];
}

void SourceRates::fetch(uint64_t name) const noexcept { __builtin_prefetch(&set_of(name), 1); }

uint64_t SourceRates::charge(uint64_t name, Nanos at, const SourceLimit& limit) noexcept {
    Set& set = set_of(name);
    const uint64_t now = moment(at);
    const uint64_t tag = tag_of(name);
    uint64_t* mine = nullptr;
    for (uint64_t& bucket : set.buckets) {
        if ((bucket & ~moment_mask) == tag) mine = &bucket;
    }
    if (mine == nullptr) {
        mine = &set.buckets[0];
        uint64_t least = UINT64_MAX;
        for (uint64_t& bucket : set.buckets) {
            const uint64_t weight = bucket == 0 ? 0 : held(bucket, now) + 1;
            if (weight >= least) continue;
            least = weight;
            mine = &bucket;
        }
        used_ += *mine == 0 ? 1 : 0;
        *mine = tag | now;
    }
    const uint64_t most = limit.room_us + limit.interval_us + beyond_us;
    const uint64_t holds = std::min(held(*mine, now) + limit.interval_us, most);
    *mine = tag | ((now + holds) & moment_mask);
    return holds;
}

void SourceRates::keep_house(Nanos at) noexcept {
    if (used_ == 0) return;
    const uint64_t now = moment(at);
    for (uint32_t i = 0; i <= set_count_ / sweep_calls; ++i) {
        hand_ = hand_ + 1 < set_count_ ? hand_ + 1 : 0;
        for (uint64_t& bucket : sets_[hand_].buckets) {
            if (bucket == 0 || held(bucket, now) != 0) continue;
            bucket = 0;
            --used_;
        }
    }
}

uint32_t SourceRates::capacity() const noexcept {
    return set_count_ * static_cast<uint32_t>(Set::buckets_max);
}

size_t SourceRates::memory() const noexcept { return size_t{set_count_} * sizeof(Set); }

}  // namespace portcullis
