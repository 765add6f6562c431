#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "base/seq.h"
#include "stream/stream_pool.h"

namespace portcullis::stream {

/// A stretch of one stream's bytes, each at the place that its sequence number
/// gives it, in one piece.  Which of them have come is for others to know: a
/// place whose byte has not come holds anything.
class KeptBytes {
public:
    bool empty() const noexcept { return block_ == StreamPool::none; }
    /// The first sequence number that has a place; meaningless when empty.
    Seq base() const noexcept { return base_; }

    /// Makes places for all up to `end`: from `from` when empty, else from
    /// `base()`.  Bytes up to `top` are in use and stay.  False: no room.
    bool reserve(Seq from, Seq top, Seq end, StreamPool& pool, StreamPool::Use use) noexcept;

    void write(Seq at, Bytes bytes, StreamPool& pool) noexcept {
        if (!bytes.empty()) std::memcpy(place_of(at, pool), bytes.data(), bytes.size());
    }
    Bytes read(Seq begin, Seq end, const StreamPool& pool) const noexcept {
        return {place_of(begin, pool), static_cast<uint32_t>(end - begin)};
    }

    /// Gives up the places before `base`, which must have one.
    void forget_before(Seq base) noexcept {
        head_ += static_cast<uint32_t>(base - base_);
        base_ = base;
    }
    void release(StreamPool& pool) noexcept {
        if (empty()) return;
        pool.give_back(block_);
        block_ = StreamPool::none;
    }

private:
    std::byte* place_of(Seq at, const StreamPool& pool) const noexcept {
        return pool.data(block_) + head_ + (at - base_);
    }

    StreamPool::Block block_ = StreamPool::none;
    uint32_t head_ = 0;  ///< Where in the block `base_` lies.
    Seq base_;
};

}  // namespace portcullis::stream
