#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "flow/flow.h"

namespace portcullis {

/// The Flows of one Worker: a fixed number of places, found by FlowKey.
///
/// A bucket is one cache line of eight (tag, place) pairs; a key may be in
/// either of two buckets.  `find` of a whole burst first fetches all buckets,
/// then all Flows, so the misses of its packets overlap.
class FlowTable {
public:
    static constexpr size_t bulk_max = 64;

    FlowTable(uint32_t capacity, uint64_t secret);
    ~FlowTable();
    FlowTable(const FlowTable&) = delete;
    FlowTable& operator=(const FlowTable&) = delete;

    /// `out[i]` becomes the Flow of `keys[i]`, or null.
    void find(std::span<const FlowKey> keys, std::span<Flow*> out) noexcept;
    Flow* find(const FlowKey& key) noexcept;
    /// Null when full.  Only for a key that is not there.
    Flow* insert(const FlowKey& key) noexcept;
    /// The Flow's place is free from here on; pointers to it must be gone.
    void erase(Flow& flow) noexcept;

    /// Looks at the next `places` places in turn and calls `visit(Flow&)` for each
    /// that is in use.  The hand goes round: whoever calls it every millisecond
    /// sees each Flow once in capacity / places milliseconds.
    template <class Visit>
    void sweep(uint32_t places, Visit&& visit) noexcept;

    FlowLinks& links(const Flow& flow) noexcept { return links_[index_of(flow)]; }
    uint32_t size() const noexcept { return size_; }
    uint32_t capacity() const noexcept { return capacity_; }
    /// Bytes in all, everything counted.
    size_t memory() const noexcept;

private:
    struct Bucket;
    struct Place;
    uint32_t index_of(const Flow& flow) const noexcept;
    Flow* used(uint32_t index) noexcept;  ///< Null when the place is free.

    FlowHash hash_;
    uint32_t capacity_;
    uint32_t bucket_count_;
    uint32_t size_ = 0;
    uint32_t free_ = 0;
    uint32_t hand_ = 0;
    std::unique_ptr<Bucket[]> buckets_;
    std::unique_ptr<Flow[]> flows_;
    std::unique_ptr<FlowLinks[]> links_;
};

template <class Visit>
void FlowTable::sweep(uint32_t places, Visit&& visit) noexcept {
    for (uint32_t i = 0; i < places && i < capacity_; ++i) {
        if (Flow* flow = used(hand_)) visit(*flow);
        hand_ = hand_ + 1 < capacity_ ? hand_ + 1 : 0;
    }
}

}  // namespace portcullis
