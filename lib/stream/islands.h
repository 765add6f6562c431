#pragma once

#include <array>
#include <cstdint>
#include <new>
#include <span>

#include "base/seq.h"
#include "stream/stream_pool.h"

namespace portcullis::stream {

struct SeqRange {
    Seq begin, end;

    bool empty() const noexcept { return begin == end; }
};

/// Which bytes behind a hole have come: ranges in order, none touching another.
/// Also where bytes were rewritten on their way.  Costs a small block while
/// there is either, and four bytes otherwise.
class Islands {
public:
    static constexpr size_t islands_max = 62;

    bool empty() const noexcept { return block_ == StreamPool::none; }
    std::span<const SeqRange> ranges(const StreamPool& pool) const noexcept {
        if (empty()) return {};
        const Chart* c = chart(pool);
        return {c->islands.data(), c->count};
    }
    /// Where the first island begins, if that is before `limit`.
    Seq begin(const StreamPool& pool, Seq limit) const noexcept {
        const auto all = ranges(pool);
        return all.empty() ? limit : earlier(all.front().begin, limit);
    }
    /// End of the last island; `otherwise` when there is none.
    Seq end(const StreamPool& pool, Seq otherwise) const noexcept {
        const auto all = ranges(pool);
        return all.empty() ? otherwise : all.back().end;
    }

    /// Adds a range, joined with those it meets.  False: no room, nothing changed.
    bool add(SeqRange range, StreamPool& pool) noexcept;
    /// The stream has come up to `next`: takes away the islands it reached and
    /// returns where it stands then.
    Seq absorb(Seq next, StreamPool& pool) noexcept {
        return empty() ? next : absorb_reached(next, pool);
    }

    /// The stretch within which bytes were rewritten; empty when none were.
    SeqRange rewritten(const StreamPool& pool) const noexcept {
        return empty() ? SeqRange{} : chart(pool)->rewritten;
    }
    bool add_rewritten(SeqRange range, StreamPool& pool) noexcept;
    /// All before `acked` is beyond retransmission.
    void forget_rewritten_before(Seq acked, StreamPool& pool) noexcept;

    void release(StreamPool& pool) noexcept;

private:
    struct Chart {
        uint32_t count = 0;
        uint32_t reserved = 0;
        SeqRange rewritten;
        std::array<SeqRange, islands_max> islands;
    };
    static_assert(sizeof(Chart) == 512);

    Chart* chart(const StreamPool& pool) const noexcept {
        return std::launder(reinterpret_cast<Chart*>(pool.data(block_)));
    }
    Seq absorb_reached(Seq next, StreamPool& pool) noexcept;
    Chart* open(StreamPool& pool, StreamPool::Use use) noexcept;
    void close_if_blank(StreamPool& pool) noexcept;

    StreamPool::Block block_ = StreamPool::none;
};

}  // namespace portcullis::stream
