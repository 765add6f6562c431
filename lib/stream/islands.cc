#include "stream/islands.h"

#include <algorithm>

namespace portcullis::stream {

bool Islands::add(SeqRange range, StreamPool& pool) noexcept {
    Chart* const c = open(pool, StreamPool::Use::out_of_order);
    if (c == nullptr) return false;

    SeqRange* const all = c->islands.data();
    SeqRange* const last = all + c->count;
    // Those it meets are [first, beyond).
    SeqRange* const first =
        std::find_if(all, last, [&](const SeqRange& r) { return r.end >= range.begin; });
    SeqRange* const beyond =
        std::find_if(first, last, [&](const SeqRange& r) { return r.begin > range.end; });

    if (first == beyond) {
        if (c->count == islands_max) return false;
        std::copy_backward(first, last, last + 1);
        *first = range;
        ++c->count;
        return true;
    }
    *first = {earlier(first->begin, range.begin), later((beyond - 1)->end, range.end)};
    std::copy(beyond, last, first + 1);
    c->count -= static_cast<uint32_t>(beyond - first - 1);
    return true;
}

Seq Islands::absorb_reached(Seq next, StreamPool& pool) noexcept {
    Chart* const c = chart(pool);
    uint32_t reached = 0;
    while (reached < c->count && c->islands[reached].begin <= next) {
        next = later(next, c->islands[reached].end);
        ++reached;
    }
    std::copy(c->islands.begin() + reached, c->islands.begin() + c->count, c->islands.begin());
    c->count -= reached;
    close_if_blank(pool);
    return next;
}

bool Islands::add_rewritten(SeqRange range, StreamPool& pool) noexcept {
    Chart* const c = open(pool, StreamPool::Use::in_order);
    if (c == nullptr) return false;
    SeqRange& all = c->rewritten;
    all =
        all.empty() ? range : SeqRange{earlier(all.begin, range.begin), later(all.end, range.end)};
    return true;
}

void Islands::forget_rewritten_before(Seq acked, StreamPool& pool) noexcept {
    if (empty()) return;
    SeqRange& all = chart(pool)->rewritten;
    if (!all.empty() && all.end <= acked) all = {};
    close_if_blank(pool);
}

void Islands::release(StreamPool& pool) noexcept {
    if (empty()) return;
    pool.give_back(block_);
    block_ = StreamPool::none;
}

Islands::Chart* Islands::open(StreamPool& pool, StreamPool::Use use) noexcept {
    if (!empty()) return chart(pool);
    block_ = pool.take(sizeof(Chart), use);
    if (empty()) return nullptr;
    return new (pool.data(block_)) Chart;
}

void Islands::close_if_blank(StreamPool& pool) noexcept {
    const Chart* c = chart(pool);
    if (c->count == 0 && c->rewritten.empty()) release(pool);
}

}  // namespace portcullis::stream
