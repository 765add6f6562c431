#include "stream/stream.h"

#include <algorithm>
#include <cstring>

namespace portcullis::stream {

namespace {

SeqRange overlap(SeqRange a, SeqRange b) noexcept {
    const Seq begin = later(a.begin, b.begin);
    const Seq end = earlier(a.end, b.end);
    return begin < end ? SeqRange{begin, end} : SeqRange{begin, begin};
}

Bytes part_of(const Segment& segment, SeqRange range) noexcept {
    return segment.payload.subspan(static_cast<uint32_t>(range.begin - segment.begin()),
                                   static_cast<uint32_t>(range.end - range.begin));
}

// They wrap as sequence numbers do (RFC 7323 5.2).
uint32_t newer(uint32_t a, uint32_t b) noexcept { return later(Seq(a), Seq(b)).value(); }

/// Recorded hosts acknowledge one number too many; who guesses gains nothing by one.
constexpr uint32_t ack_slack = 1;

uint32_t distance(Seq from, Seq to) noexcept { return static_cast<uint32_t>(to - from); }

}  // namespace

Stream::Stream(const Start& start) noexcept
    : next_(start.first),
      acked_(start.first),
      highest_(start.first),
      window_end_(start.first + start.window),
      consumed_(start.first),
      timestamp_(start.timestamp),
      newest_timestamp_(start.timestamp),
      window_scale_(start.window_scale),
      timestamps_(start.timestamps),
      keep_until_acked_(start.keep_until_acked),
      inspected_(true),
      started_(true) {}

Bytes Stream::admit(const Segment& segment, StreamPool& pool, SeqRange& going_by,
                    Outcome& outcome) noexcept {
    outcome.expected_before = expected();
    if (segment.options.has_timestamps) {
        newest_timestamp_ = newer(segment.options.timestamp, newest_timestamp_);
    }
    if (!inspected_) {
        follow_numbers(segment, outcome);
        return {};
    }
    const bool fin = segment.has(tcp::fin);
    if (segment.payload.empty() && !fin) {
        outcome.keepalive = segment.seq + 1 == acked_;
        return {};
    }
    const Seq end = segment.end();
    // The receiver throws away what it acknowledged, whatever it says now; so a
    // keepalive may have a byte of garbage (RFC 1122 4.2.3.6).
    if (end + (fin ? 1u : 0u) <= earlier(acked_, expected())) {
        outcome.retransmission = true;
        outcome.keepalive = segment.payload.size() == 1 && end == acked_;
        return {};
    }
    outcome.drop = fault(segment, pool, outcome);
    if (outcome.drop != DropReason::none) return {};

    note_timestamp(segment);
    if (segment.begin() > next_) {
        admit_ahead(segment, pool, outcome);
        return {};
    }
    if (end > next_) return admit_in_order(segment, pool, going_by, outcome);
    outcome.retransmission = !fin || has_fin_;
    note_end(segment);
    patch(segment, pool, outcome);
    return {};
}

DropReason Stream::fault(const Segment& segment, const StreamPool& pool,
                         Outcome& outcome) const noexcept {
    // Only the server's word on its window counts: the client could say anything
    // about its own, and gains nothing by it.
    if (keep_until_acked_) {
        if (segment.begin() > window_end_) return DropReason::out_of_window;
        outcome.window_probe = segment.payload.size() == 1 && segment.begin() == window_end_;
    }
    if (contradicts_fin(segment)) return DropReason::conflicting_overlap;
    if ((!kept_.empty() || !islands_.empty()) && contradicts_bytes(segment, pool)) {
        return DropReason::conflicting_overlap;
    }
    // PAWS (RFC 7323 5.3).  Copies of what went by may pass: they change nothing.
    const bool repeats = segment.end() <= next_ && !segment.has(tcp::fin);
    if (timestamps_ && segment.options.has_timestamps && !repeats &&
        newer(segment.options.timestamp, timestamp_) != segment.options.timestamp) {
        return DropReason::out_of_window;
    }
    return DropReason::none;
}

// The FIN has one place like a byte has one value, and ends the stream.
bool Stream::contradicts_fin(const Segment& segment) const noexcept {
    const Seq end = segment.end();
    if (has_fin_) {
        const Seq fin = highest_ - 1;
        return end > fin || (segment.has(tcp::fin) && end != fin);
    }
    return segment.has(tcp::fin) && end < highest_;
}

bool Stream::contradicts_bytes(const Segment& segment, const StreamPool& pool) const noexcept {
    const SeqRange span{later(segment.begin(), acked_in_order()), segment.end()};
    if (!kept_.empty() && differs(overlap(span, {kept_.base(), next_}), segment, pool)) return true;
    for (const SeqRange& island : islands_.ranges(pool)) {
        if (differs(overlap(span, island), segment, pool)) return true;
    }
    return false;
}

// Where bytes were rewritten, the sender's differ from ours by right; they are
// replaced again, so they can not contradict.
bool Stream::differs(SeqRange part, const Segment& segment, const StreamPool& pool) const noexcept {
    if (part.empty()) return false;
    const auto unlike = [&](SeqRange range) {
        if (range.begin >= range.end) return false;
        const Bytes ours = kept_.read(range.begin, range.end, pool);
        const Bytes theirs = part_of(segment, range);
        return std::memcmp(ours.data(), theirs.data(), ours.size()) != 0;
    };
    const SeqRange rewritten = overlap(part, islands_.rewritten(pool));
    if (rewritten.empty()) return unlike(part);
    return unlike({part.begin, rewritten.begin}) || unlike({rewritten.end, part.end});
}

Bytes Stream::admit_in_order(const Segment& segment, StreamPool& pool, SeqRange& going_by,
                             Outcome& outcome) noexcept {
    const Seq end = segment.end();
    const Bytes fresh = part_of(segment, {next_, end});
    // A message that never ends, or one segment larger than all we may keep.
    if (distance(earlier(consumed_, next_), end) > pool.stream_bytes()) {
        if (remembers_rewrite(pool)) {
            no_room(pool, false, outcome);
            return {};
        }
        outcome.over_limit = true;
        stop_inspecting(pool);
        follow_numbers(segment, outcome);
        return {};
    }
    const bool waiting = consumed_ < next_;
    const bool keep = keep_until_acked_ || waiting || !kept_.empty();
    if (keep) {
        const Seq base = kept_.empty() ? next_ : kept_.base();
        const bool fits = distance(base, end) <= pool.stream_bytes();
        if (!fits || !kept_.reserve(next_, top(pool), end, pool, StreamPool::Use::in_order)) {
            no_room(pool, fits, outcome);
            return {};
        }
        kept_.write(next_, fresh, pool);
    }
    patch(segment, pool, outcome);

    const Seq before = next_;
    going_by = {before, islands_.begin(pool, end)};
    next_ = islands_.absorb(end, pool);
    delivered_ += distance(before, next_);
    note_end(segment);
    outcome.new_bytes = true;

    if (consumed_ >= next_) {
        let_go(pool);
        return {};
    }
    if (waiting || next_ != end) return kept_.read(consumed_, next_, pool);
    return consumed_ > before ? fresh.subspan(distance(before, consumed_)) : fresh;
}

void Stream::admit_ahead(const Segment& segment, StreamPool& pool, Outcome& outcome) noexcept {
    const SeqRange span{segment.begin(), segment.end()};
    if (!span.empty()) {
        const Seq base = kept_.empty() ? next_ : kept_.base();
        const bool fits = distance(base, span.end) <= pool.stream_bytes();
        constexpr auto use = StreamPool::Use::out_of_order;
        if (!fits || !kept_.reserve(next_, top(pool), span.end, pool, use)) {
            no_room(pool, fits, outcome);
            return;
        }
        if (!islands_.add(span, pool)) {
            let_go(pool);
            no_room(pool, islands_.empty(), outcome);
            return;
        }
        kept_.write(span.begin, segment.payload, pool);
    }
    note_end(segment);
    outcome.out_of_order = true;
}

void Stream::no_room(StreamPool& pool, bool pool_full, Outcome& outcome) noexcept {
    // The client says it has what we still wait for: it will not be sent again,
    // so waiting on would only stop the stream.  (For the server see acknowledge.)
    if (acked_ > expected()) {
        outcome.gap = true;
        stop_inspecting(pool);
        return;
    }
    outcome.drop = DropReason::no_buffer;
    outcome.pool_full = pool_full;
}

void Stream::consume(size_t consumed, size_t skip) noexcept {
    consumed_ += static_cast<uint32_t>(consumed + std::min<size_t>(skip, skip_max));
}

void Stream::settle(Bytes rest, StreamPool& pool, Outcome& outcome) noexcept {
    if (!inspected_) return;
    if (kept_.empty() && !rest.empty()) {
        constexpr auto use = StreamPool::Use::in_order;
        if (!kept_.reserve(consumed_, consumed_, next_, pool, use)) {
            // As if the segment had ended where the decoder stopped; TCP sends
            // the rest again.
            delivered_ -= rest.size();
            next_ = consumed_;
            no_room(pool, true, outcome);
            return;
        }
        kept_.write(consumed_, rest, pool);
    }
    let_go(pool);
}

void Stream::acknowledge(Seq ack, uint16_t window, StreamPool& pool, Outcome& outcome) noexcept {
    if (!started_) {
        next_ = acked_ = highest_ = consumed_ = ack;
        started_ = true;
    }
    // Of what was never sent: no host believes it (RFC 9293 3.10.7.4).
    if (ack > highest_) return;
    window_end_ = later(window_end_, ack + (uint32_t{window} << window_scale_));
    if (ack <= acked_) return;

    acked_ = ack;
    fin_acked_ = has_fin_ && ack == highest_;
    if (!inspected_) return;
    if (keep_until_acked_ && ack > expected()) {
        // The server has bytes that did not come this way.
        outcome.gap = true;
        stop_inspecting(pool);
        return;
    }
    islands_.forget_rewritten_before(ack, pool);
    let_go(pool);
}

bool Stream::believes_ack(Seq ack) const noexcept {
    const uint64_t acked = acked_bytes() + (fin_acked_ ? 1 : 0);
    const uint64_t window = uint64_t{0xffff} << window_scale_;
    return ack <= highest_ + ack_slack &&
           ack >= acked_ - static_cast<uint32_t>(std::min(acked, window));
}

void Stream::stop_inspecting(StreamPool& pool) noexcept {
    inspected_ = false;
    release(pool);
}

bool Stream::give_up(const Segment& segment, StreamPool& pool) noexcept {
    if (remembers_rewrite(pool)) return false;
    Outcome outcome;
    stop_inspecting(pool);
    follow_numbers(segment, outcome);
    return true;
}

void Stream::release(StreamPool& pool) noexcept {
    kept_.release(pool);
    islands_.release(pool);
}

Stream Stream::numbers() const noexcept {
    Stream copy = *this;
    copy.kept_ = {};
    copy.islands_ = {};
    return copy;
}

Stream Stream::rewound(Seq next, Seq consumed) const noexcept {
    Stream before = numbers();
    before.delivered_ -= distance(next, next_);
    before.next_ = next;
    before.consumed_ = consumed;
    return before;
}

bool Stream::resume(Bytes undecoded, StreamPool& pool) noexcept {
    if (undecoded.empty()) return true;
    if (undecoded.size() != distance(consumed_, next_)) return false;
    constexpr auto use = StreamPool::Use::in_order;
    if (!kept_.reserve(consumed_, consumed_, next_, pool, use)) return false;
    kept_.write(consumed_, undecoded, pool);
    return true;
}

bool Stream::rewrite(Seq at, Bytes bytes, StreamPool& pool) noexcept {
    const SeqRange range{at, at + static_cast<uint32_t>(bytes.size())};
    if (!keep_until_acked_ || kept_.empty()) return false;
    if (at < kept_.base() || at < acked_ || range.end > next_) return false;
    if (!islands_.add_rewritten(range, pool)) return false;
    kept_.write(at, bytes, pool);
    return true;
}

void Stream::patch(const Segment& segment, const StreamPool& pool,
                   Outcome& outcome) const noexcept {
    if (islands_.empty()) return;
    const SeqRange range = overlap({later(segment.begin(), acked_in_order()), segment.end()},
                                   islands_.rewritten(pool));
    if (range.empty()) return;
    outcome.patch_offset = distance(segment.begin(), range.begin);
    outcome.patch = kept_.read(range.begin, range.end, pool);
}

void Stream::follow_numbers(const Segment& segment, Outcome& outcome) noexcept {
    const Seq end = segment.end();
    if (!started_) {
        next_ = acked_ = highest_ = consumed_ = segment.begin();
        started_ = true;
    }
    if (end > next_) {
        outcome.new_bytes = segment.begin() <= next_;
        outcome.out_of_order = segment.begin() > next_;
        delivered_ += distance(next_, end);
        next_ = end;
    } else {
        outcome.retransmission = !segment.payload.empty();
    }
    note_end(segment);
}

void Stream::note_end(const Segment& segment) noexcept {
    highest_ = later(highest_, segment.end());
    if (segment.has(tcp::fin) && segment.end() == highest_) {
        has_fin_ = true;
        highest_ += 1;
    }
}

// RFC 7323 4.3, with the acknowledgements seen here for those that were sent:
// so ours is never newer than the receiver's, and drops nothing it would take.
void Stream::note_timestamp(const Segment& segment) noexcept {
    if (!segment.options.has_timestamps || segment.seq > acked_) return;
    timestamp_ = newer(segment.options.timestamp, timestamp_);
}

void Stream::let_go_kept(StreamPool& pool) noexcept {
    const Seq from = needed_from();
    if (from == next_ && islands_.ranges(pool).empty()) {
        kept_.release(pool);
    } else if (from > kept_.base()) {
        kept_.forget_before(from);
    }
}

}  // namespace portcullis::stream
