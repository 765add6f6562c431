#pragma once

#include <cstdint>

#include "base/drop_reason.h"
#include "protocol/protocol.h"
#include "stream/islands.h"
#include "stream/kept_bytes.h"
#include "stream/segment.h"

namespace portcullis::stream {

/// What a Connection made of a segment.
struct Outcome {
    DropReason drop = DropReason::none;  ///< `none`: it goes on.

    bool new_bytes : 1 = false;       ///< The stream grew in order.
    bool retransmission : 1 = false;  ///< Nothing in it was new.
    bool out_of_order : 1 = false;    ///< Went on ahead of bytes that are missing yet.
    bool keepalive : 1 = false;       ///< One byte below the acknowledgement, whatever it says.
    bool window_probe : 1 = false;    ///< One byte into a closed window.
    bool urgent : 1 = false;          ///< The caller must drop it or strip the URG bit.
    bool syn : 1 = false;             ///< A SYN on a living connection: its peer judges it.
    bool midstream : 1 = false;       ///< Nothing is known of what came before.
    bool reset : 1 = false;           ///< A RST that its receiver believes.
    bool closed : 1 = false;          ///< Both sides' FINs are acknowledged.
    bool over_limit : 1 = false;      ///< A message over `stream_bytes`: uninspected from here.
    bool gap : 1 = false;        ///< The receiver has bytes we never saw: uninspected from here.
    bool pool_full : 1 = false;  ///< `no_buffer`, since the Worker's whole pool is full.

    /// What the receiver expects if this segment does not go on: the sequence
    /// number for a RST in its place.
    Seq expected_before;

    /// Bytes that must replace those at `patch_offset` of the payload, since
    /// they were rewritten when they first went by.  Valid until the next call.
    uint32_t patch_offset = 0;
    Bytes patch;
};

/// One direction of a TCP connection: which bytes went by, which of them the
/// receiver has, and those that are kept, for the decoder or for comparison.
///
/// Toward the server a byte is kept until the server acknowledges it.  Until
/// then no other value may go by for its sequence number, so whichever copy the
/// server keeps, loses or prefers, it reads what was decoded here.
class Stream {
public:
    static constexpr uint32_t skip_max = 1u << 30;

    struct Start {
        Seq first;  ///< Sequence number of the first byte.
        bool keep_until_acked = false;
        uint32_t window = 0;       ///< What its receiver takes from there.
        uint8_t window_scale = 0;  ///< Of what its receiver offers later.
        bool timestamps = false;   ///< Both sides send them.
        uint32_t timestamp = 0;    ///< The sender's.
    };

    Stream() noexcept = default;
    explicit Stream(const Start& start) noexcept;

    /// Judges a segment's place and takes what must be kept.  Returns what the
    /// decoder has not done with, from `offered_seq()`, and sets `going_by` to
    /// what of it is in this segment and in none before.
    Bytes admit(const Segment& segment, StreamPool& pool, SeqRange& going_by,
                Outcome& outcome) noexcept;
    /// The decoder is done with `consumed` of the offered bytes, and wants none
    /// of the `skip` after them.
    void consume(size_t consumed, size_t skip) noexcept;
    /// Ends an offer: keeps what is left of it, lets go what nobody needs.
    void settle(Bytes rest, StreamPool& pool, Outcome& outcome) noexcept;

    /// Its receiver says that it has all before `ack`, and takes `window` bytes,
    /// unscaled, from there.
    void acknowledge(Seq ack, uint16_t window, StreamPool& pool, Outcome& outcome) noexcept;
    /// Nobody wants this stream's bytes any more: numbers only from here.
    void stop_inspecting(StreamPool& pool) noexcept;
    /// The same, and `segment` goes on: Connection::give_up.
    bool give_up(const Segment& segment, StreamPool& pool) noexcept;
    /// Changes kept bytes that the server does not have.
    bool rewrite(Seq at, Bytes bytes, StreamPool& pool) noexcept;
    bool remembers_rewrite(const StreamPool& pool) const noexcept {
        return !islands_.rewritten(pool).empty();
    }
    void release(StreamPool& pool) noexcept;

    // ---- To go on from a copy, elsewhere ----

    /// Nothing came behind a hole and nothing was rewritten that is not acknowledged:
    /// then its numbers and `undecoded` are all there is to it.
    bool simple() const noexcept { return islands_.empty(); }
    /// What went by and the decoder has not done with.
    Bytes undecoded(const StreamPool& pool) const noexcept {
        return kept_.empty() || consumed_ >= next_ ? Bytes{} : kept_.read(consumed_, next_, pool);
    }
    /// Itself without the bytes it keeps.
    Stream numbers() const noexcept;
    /// As it was when only what is before `next` had gone by, and the decoder was to
    /// go on at `consumed`.
    Stream rewound(Seq next, Seq consumed) const noexcept;
    /// The decoder wants none of the `size` bytes it is offered next.
    void pass_over(uint32_t size) noexcept { consumed_ += size; }
    /// What `numbers` left out.  False: no room.
    bool resume(Bytes undecoded, StreamPool& pool) noexcept;

    bool started() const noexcept { return started_; }
    bool inspected() const noexcept { return inspected_; }
    bool fin_acked() const noexcept { return fin_acked_; }
    /// What the receiver expects, if all that went by arrived; a FIN counts.
    Seq expected() const noexcept { return next_ + (fin_reached() ? 1u : 0u); }
    Seq highest() const noexcept { return highest_; }
    Seq acked() const noexcept { return acked_; }
    Seq offered_seq() const noexcept { return consumed_; }
    Seq window_end() const noexcept { return window_end_; }
    bool at_boundary() const noexcept { return consumed_ == next_; }
    bool timestamps() const noexcept { return timestamps_; }
    uint32_t newest_timestamp() const noexcept { return newest_timestamp_; }
    uint64_t delivered_bytes() const noexcept { return delivered_; }
    /// The number of its first byte, of a stream that was seen from its start.
    Seq first() const noexcept { return next_ - static_cast<uint32_t>(delivered_); }
    /// Whether its sender may take `ack` from its receiver: of nothing that was not sent, nor
    /// older than the largest window that was ever offered (RFC 5961 5.2).
    bool believes_ack(Seq ack) const noexcept;
    uint64_t acked_bytes() const noexcept {
        return acked_ < next_ ? delivered_ - static_cast<uint32_t>(next_ - acked_) : delivered_;
    }

private:
    /// The FIN takes the number after the last byte; nothing goes by after it.
    bool fin_reached() const noexcept { return has_fin_ && next_ + 1 == highest_; }

    DropReason fault(const Segment& segment, const StreamPool& pool,
                     Outcome& outcome) const noexcept;
    bool contradicts_fin(const Segment& segment) const noexcept;
    bool contradicts_bytes(const Segment& segment, const StreamPool& pool) const noexcept;
    bool differs(SeqRange part, const Segment& segment, const StreamPool& pool) const noexcept;
    Bytes admit_in_order(const Segment& segment, StreamPool& pool, SeqRange& going_by,
                         Outcome& outcome) noexcept;
    void admit_ahead(const Segment& segment, StreamPool& pool, Outcome& outcome) noexcept;
    void no_room(StreamPool& pool, bool pool_full, Outcome& outcome) noexcept;
    void follow_numbers(const Segment& segment, Outcome& outcome) noexcept;
    void note_timestamp(const Segment& segment) noexcept;
    void note_end(const Segment& segment) noexcept;
    void patch(const Segment& segment, const StreamPool& pool, Outcome& outcome) const noexcept;
    Seq acked_in_order() const noexcept { return earlier(acked_, next_); }
    /// All from here on is for the decoder or the server yet.
    Seq needed_from() const noexcept {
        const Seq undecoded = earlier(consumed_, next_);
        return keep_until_acked_ ? earlier(undecoded, acked_in_order()) : undecoded;
    }
    Seq top(const StreamPool& pool) const noexcept { return islands_.end(pool, next_); }
    void let_go(StreamPool& pool) noexcept {
        if (!kept_.empty()) let_go_kept(pool);
    }
    void let_go_kept(StreamPool& pool) noexcept;

    uint64_t delivered_ = 0;
    Seq next_;        ///< All before has gone by in order.
    Seq acked_;       ///< All before is the receiver's.
    Seq highest_;     ///< Nothing from here on has gone by.
    Seq window_end_;  ///< The receiver takes nothing from here on.
    Seq consumed_;    ///< The decoder is done with all before; after `next_` while it skips.
    KeptBytes kept_;
    Islands islands_;
    uint32_t timestamp_ = 0;  ///< TS.Recent of RFC 7323 4.3.
    uint32_t newest_timestamp_ = 0;
    uint8_t window_scale_ = 0;  ///< Of the windows that its receiver offers.
    bool timestamps_ : 1 = false;
    bool keep_until_acked_ : 1 = false;
    bool inspected_ : 1 = false;
    bool started_ : 1 = false;
    bool has_fin_ : 1 = false;
    bool fin_acked_ : 1 = false;
};

}  // namespace portcullis::stream
