#include "flow/flow_table.h"

#include <algorithm>
#include <array>
#include <bit>

#include <emmintrin.h>

#include "base/memory.h"
#include "base/setup_error.h"

namespace portcullis {

struct alignas(64) FlowTable::Bucket {
    static constexpr size_t slots = 8;

    alignas(16) std::array<uint16_t, slots> tags{};  ///< 0: free.
    std::array<uint32_t, slots> places{};

    /// One bit a slot whose tag is `tag`.
    uint32_t matches(uint16_t tag) const noexcept {
        const __m128i all = _mm_load_si128(reinterpret_cast<const __m128i*>(tags.data()));
        const __m128i equal = _mm_cmpeq_epi16(all, _mm_set1_epi16(static_cast<short>(tag)));
        // Two equal bytes a slot become one by packing.
        const __m128i packed = _mm_packs_epi16(equal, _mm_setzero_si128());
        return static_cast<uint32_t>(_mm_movemask_epi8(packed));
    }
    unsigned used() const noexcept {
        return static_cast<unsigned>(slots) - static_cast<unsigned>(std::popcount(matches(0)));
    }
};

namespace {

/// With so many Flows for each bucket of eight, the emptier of two had at most
/// seven in twenty random fillings of a million; at 4.5 it had eight.
constexpr uint32_t flows_per_bucket = 4;
static_assert(sizeof(Flow) + sizeof(FlowLinks) + 64 / flows_per_bucket + 1 < flow_bytes_max);

constexpr uint16_t tag_of(uint64_t hash) noexcept {
    const auto tag = static_cast<uint16_t>(hash);
    return tag == 0 ? uint16_t{1} : tag;
}

/// 32 bits of hash onto [0, count), without a division.
constexpr uint32_t onto(uint32_t bits, uint32_t count) noexcept {
    return static_cast<uint32_t>(uint64_t{bits} * count >> 32);
}

}  // namespace

FlowTable::FlowTable(uint32_t capacity) : capacity_(capacity) {
    if (capacity == 0) {
        throw SetupError("limits.flows: a Worker needs room for a flow");  // setup
    }
    bucket_count_ = capacity / flows_per_bucket + 2;
    // Of what is not there as a whole, no part is worth taking.
    expect_memory(memory());
    buckets_ = HugeArray<Bucket>(bucket_count_);
    flows_ = HugeArray<Flow>(capacity);
    links_ = HugeArray<FlowLinks>(capacity);
    for (uint32_t i = 0; i < capacity; ++i) {
        flows_[i].session = i + 1 < capacity ? i + 1 : nowhere;
    }
}

FlowTable::~FlowTable() = default;

FlowTable::Bucket& FlowTable::first_bucket(uint64_t hash) const noexcept {
    return buckets_[onto(static_cast<uint32_t>(hash >> 32), bucket_count_)];
}

FlowTable::Bucket& FlowTable::second_bucket(uint64_t hash) const noexcept {
    // Mostly bits of the hash that neither the first bucket nor the tag goes by.
    return buckets_[onto(static_cast<uint32_t>(hash >> 8), bucket_count_)];
}

/// The place whose tag fits, `nowhere` when none does.  Several may fit: then
/// the first that has not been ruled out.
uint32_t FlowTable::candidate(uint64_t hash) const noexcept {
    const uint16_t tag = tag_of(hash);
    const Bucket& first = first_bucket(hash);
    if (const uint32_t m = first.matches(tag)) return first.places[std::countr_zero(m)];
    const Bucket& second = second_bucket(hash);
    if (const uint32_t m = second.matches(tag)) return second.places[std::countr_zero(m)];
    return nowhere;
}

void FlowTable::find(std::span<const HashedKey> keys, std::span<Flow*> found) const noexcept {
    for (const HashedKey& key : keys) {
        __builtin_prefetch(&first_bucket(key.hash));
        __builtin_prefetch(&second_bucket(key.hash));
    }
    std::array<uint32_t, bulk_max> places;
    for (size_t i = 0; i < keys.size(); ++i) {
        places[i] = candidate(keys[i].hash);
        if (places[i] == nowhere) continue;
        const auto* flow = reinterpret_cast<const std::byte*>(&flows_[places[i]]);
        __builtin_prefetch(flow);
        __builtin_prefetch(flow + 64);
        __builtin_prefetch(flow + 128);
    }
    for (size_t i = 0; i < keys.size(); ++i) {
        found[i] = nullptr;
        if (places[i] == nowhere) continue;
        Flow& flow = flows_[places[i]];
        found[i] = flow.key == keys[i].key ? &flow : find(keys[i]);
    }
}

Flow* FlowTable::find(const HashedKey& key) const noexcept {
    const uint16_t tag = tag_of(key.hash);
    for (const Bucket* bucket : {&first_bucket(key.hash), &second_bucket(key.hash)}) {
        for (uint32_t m = bucket->matches(tag); m != 0; m &= m - 1) {
            Flow& flow = flows_[bucket->places[std::countr_zero(m)]];
            if (flow.key == key.key) return &flow;
        }
    }
    return nullptr;
}

Flow* FlowTable::insert(const HashedKey& key) noexcept {
    if (free_ == nowhere) return nullptr;
    Bucket& first = first_bucket(key.hash);
    Bucket& second = second_bucket(key.hash);
    Bucket& bucket = second.used() < first.used() ? second : first;
    const uint32_t empty = bucket.matches(0);
    if (empty == 0) return nullptr;

    const uint32_t place = free_;
    Flow& flow = flows_[place];
    free_ = flow.session;
    flow = Flow{};
    flow.key = key.key;
    const auto slot = static_cast<size_t>(std::countr_zero(empty));
    bucket.tags[slot] = tag_of(key.hash);
    bucket.places[slot] = place;
    ++size_;
    return &flow;
}

void FlowTable::erase(Flow& flow, uint64_t hash) noexcept {
    const uint32_t place = place_of(flow);
    for (Bucket* bucket : {&first_bucket(hash), &second_bucket(hash)}) {
        for (uint32_t m = bucket->matches(tag_of(hash)); m != 0; m &= m - 1) {
            const auto slot = static_cast<size_t>(std::countr_zero(m));
            if (bucket->places[slot] != place) continue;
            bucket->tags[slot] = 0;
            flow = Flow{};
            flow.session = free_;
            free_ = place;
            --size_;
            return;
        }
    }
}

void FlowTable::fetch_ahead(uint32_t place) const noexcept {
    constexpr uint32_t ahead = 8;
    __builtin_prefetch(&flows_[std::min(place + ahead, capacity_ - 1)]);
}

size_t FlowTable::memory() const noexcept {
    return bucket_count_ * sizeof(Bucket) + size_t{capacity_} * (sizeof(Flow) + sizeof(FlowLinks));
}

}  // namespace portcullis
