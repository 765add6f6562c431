#include "stream/kept_bytes.h"

#include <cstring>

namespace portcullis::stream {

bool KeptBytes::reserve(Seq from, Seq top, Seq end, StreamPool& pool,
                        StreamPool::Use use) noexcept {
    if (empty()) {
        block_ = pool.take(static_cast<uint32_t>(end - from), use);
        head_ = 0;
        base_ = from;
        return !empty();
    }
    const size_t needed = static_cast<uint32_t>(end - base_);
    const size_t size = StreamPool::size(block_);
    if (head_ + needed <= size) return true;

    // Moving to the block's start costs no more than what moved up since the
    // last time; else a larger block makes the next move rarer.
    const size_t used = static_cast<uint32_t>(top - base_);
    std::byte* const held = pool.data(block_);
    if (needed > size || head_ < used) {
        const size_t wanted = needed > size ? needed : size + 1;
        const StreamPool::Block larger = pool.take(wanted, use);
        if (larger != StreamPool::none) {
            std::memcpy(pool.data(larger), held + head_, used);
            pool.give_back(block_);
            block_ = larger;
            head_ = 0;
            return true;
        }
        if (needed > size) return false;
    }
    std::memmove(held, held + head_, used);
    head_ = 0;
    return true;
}

}  // namespace portcullis::stream
