#pragma once

#include <cstdint>
#include <span>

#include "base/huge_array.h"
#include "flow/flow.h"

namespace portcullis {

/// The Flows of one Worker: a fixed number of places, found by FlowKey.
///
/// A bucket is one cache line of eight (tag, place) pairs, and a key is in one
/// of two buckets, the emptier when it came.  Finding a whole burst first asks
/// for all buckets, then for all Flows, so that the cache misses of its packets
/// overlap.  The key itself stands in the Flow, whose first line is needed
/// anyway; rte_hash keeps it apart, which costs a miss and 48 bytes more
/// (flow_bench.cc).
class FlowTable {
public:
    static constexpr size_t bulk_max = 64;

    explicit FlowTable(uint32_t capacity);
    ~FlowTable();
    FlowTable(const FlowTable&) = delete;
    FlowTable& operator=(const FlowTable&) = delete;

    /// `found[i]` becomes the Flow of `keys[i]`, or null.  At most bulk_max keys.
    void find(std::span<const HashedKey> keys, std::span<Flow*> found) const noexcept;
    Flow* find(const HashedKey& key) const noexcept;
    /// Null when there is no place.  Only for a key that is not there.
    Flow* insert(const HashedKey& key) noexcept;
    /// The Flow's place is free from here on; pointers to it must be gone.
    void erase(Flow& flow, uint64_t hash) noexcept;

    /// Looks at the next `places` places in turn and calls `visit(Flow&)`, which
    /// may erase, for each that is in use.  The hand goes round: whoever calls it
    /// every millisecond meets each Flow once in capacity / places milliseconds.
    template <class Visit>
    void sweep(uint32_t places, Visit&& visit) noexcept {
        for (uint32_t i = 0; i < places && i < capacity_; ++i) {
            fetch_ahead(hand_);
            Flow& flow = flows_[hand_];
            if (in_use(flow)) visit(flow);
            hand_ = hand_ + 1 < capacity_ ? hand_ + 1 : 0;
        }
    }

    /// Calls `visit(const Flow&)` for each in use of the `places` places from `first`
    /// on: for whoever wants to see all of them, some at a time.
    template <class Visit>
    void look(uint32_t first, uint32_t places, Visit&& visit) const noexcept {
        for (uint32_t i = first; i < capacity_ && i - first < places; ++i) {
            fetch_ahead(i);
            if (in_use(flows_[i])) visit(flows_[i]);
        }
    }

    FlowLinks& links(const Flow& flow) noexcept { return links_[place_of(flow)]; }
    const FlowLinks& links(const Flow& flow) const noexcept { return links_[place_of(flow)]; }
    uint32_t size() const noexcept { return size_; }
    uint32_t capacity() const noexcept { return capacity_; }
    /// Bytes in all, everything counted.
    size_t memory() const noexcept;

private:
    struct Bucket;
    static constexpr uint32_t nowhere = UINT32_MAX;

    /// A free place has a key that no packet has, with the next free one in it.
    static bool in_use(const Flow& flow) noexcept { return flow.key.protocol != 0; }
    uint32_t place_of(const Flow& flow) const noexcept {
        return static_cast<uint32_t>(&flow - &flows_[0]);
    }
    void fetch_ahead(uint32_t place) const noexcept;
    Bucket& first_bucket(uint64_t hash) const noexcept;
    Bucket& second_bucket(uint64_t hash) const noexcept;
    uint32_t candidate(uint64_t hash) const noexcept;

    uint32_t capacity_;
    uint32_t bucket_count_;
    uint32_t size_ = 0;
    uint32_t free_ = 0;
    uint32_t hand_ = 0;
    HugeArray<Bucket> buckets_;
    HugeArray<Flow> flows_;
    HugeArray<FlowLinks> links_;
};

}  // namespace portcullis
