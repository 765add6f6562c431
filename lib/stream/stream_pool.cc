#include "stream/stream_pool.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/memory.h"

namespace portcullis::stream {

namespace {

constexpr size_t slab_size_min = 64 << 10;

unsigned class_for(size_t size) noexcept {
    if (size <= StreamPool::block_size_min) return 0;
    return static_cast<unsigned>(std::bit_width((size - 1) / StreamPool::block_size_min));
}

}  // namespace

StreamPool::StreamPool(uint64_t bytes_total, uint32_t stream_bytes) : stream_bytes_(stream_bytes) {
    // Twice, so that kept bytes can move up a block that is half theirs for
    // long before they must be moved back to its start.
    const size_t largest = 2 * std::bit_ceil(std::max<size_t>(stream_bytes, small_block_size_max));
    slab_size_ = std::max(largest, slab_size_min);
    slab_shift_ = static_cast<unsigned>(std::countr_zero(slab_size_ / block_size_min));
    classes_ = class_for(largest) + 1;

    const size_t slabs = std::max<size_t>(bytes_total / slab_size_, classes_);
    expect_memory(slabs * slab_size_);
    memory_ = std::make_unique_for_overwrite<std::byte[]>(slabs * slab_size_ + readable_past_end);
    slabs_.resize(slabs);
    with_room_.assign(classes_, nowhere);
    for (uint32_t i = 0; i < slabs; ++i) slabs_[i].next = i + 1 < slabs ? i + 1 : nowhere;
    uncut_ = 0;
    uncut_count_ = static_cast<uint32_t>(slabs);
}

StreamPool::Block StreamPool::take(size_t size, Use use) noexcept {
    const unsigned size_class = class_for(size);
    if (size_class >= classes_) return none;

    uint32_t slab = with_room_[size_class];
    if (slab == nowhere) {
        if (!may_cut(size_class, use)) return none;
        slab = uncut_slab();
        if (slab == nowhere) return none;
        slabs_[slab] = Slab{};
        link(slab, size_class);
    }
    bytes_used_ += block_size_min << size_class;
    return take_from(slab, size_class);
}

StreamPool::Block StreamPool::take_from(uint32_t index, unsigned size_class) noexcept {
    Slab& slab = slabs_[index];
    Block block = slab.free;
    if (block != none) {
        std::memcpy(&slab.free, data(block), sizeof slab.free);
    } else {
        const uint32_t first = (index << slab_shift_) + 1;
        block = (first + (slab.fresh << size_class)) << class_bits | size_class;
        ++slab.fresh;
    }
    if (++slab.used == blocks_in_slab(size_class)) unlink(index, size_class);
    return block;
}

void StreamPool::give_back(Block block) noexcept {
    const unsigned size_class = block & class_mask;
    const uint32_t index = slab_of(block);
    Slab& slab = slabs_[index];
    std::memcpy(data(block), &slab.free, sizeof slab.free);
    slab.free = block;
    if (slab.used-- == blocks_in_slab(size_class)) link(index, size_class);
    bytes_used_ -= block_size_min << size_class;

    // One empty slab a class stays cut, or a lone block that comes and goes
    // would cut a slab each time.
    const bool alone = with_room_[size_class] == index && slab.next == nowhere;
    if (slab.used == 0 && !alone) {
        unlink(index, size_class);
        slab.next = uncut_;
        uncut_ = index;
        ++uncut_count_;
    }
}

bool StreamPool::may_cut(unsigned size_class, Use use) const noexcept {
    const size_t total = slabs_.size();
    if (use == Use::out_of_order) return uncut_count_ > total / 2;
    const bool small = (block_size_min << size_class) <= small_block_size_max;
    return small || uncut_count_ > total / 8;
}

uint32_t StreamPool::uncut_slab() noexcept {
    // None left: a class that holds on to an empty one gives it up.
    for (unsigned c = 0; uncut_ == nowhere && c < classes_; ++c) {
        const uint32_t slab = with_room_[c];
        if (slab == nowhere || slabs_[slab].used != 0) continue;
        unlink(slab, c);
        slabs_[slab].next = nowhere;
        uncut_ = slab;
        ++uncut_count_;
    }
    if (uncut_ == nowhere) return nowhere;
    const uint32_t slab = uncut_;
    uncut_ = slabs_[slab].next;
    --uncut_count_;
    return slab;
}

void StreamPool::link(uint32_t index, unsigned size_class) noexcept {
    Slab& slab = slabs_[index];
    slab.previous = nowhere;
    slab.next = with_room_[size_class];
    if (slab.next != nowhere) slabs_[slab.next].previous = index;
    with_room_[size_class] = index;
}

void StreamPool::unlink(uint32_t index, unsigned size_class) noexcept {
    Slab& slab = slabs_[index];
    if (slab.previous != nowhere) {
        slabs_[slab.previous].next = slab.next;
    } else {
        with_room_[size_class] = slab.next;
    }
    if (slab.next != nowhere) slabs_[slab.next].previous = slab.previous;
}

}  // namespace portcullis::stream
