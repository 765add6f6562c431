#pragma once

#include <algorithm>
#include <cstdint>

#include "protocol/protocol.h"
#include "stream/segment.h"
#include "stream/stream.h"
#include "stream/stream_pool.h"

namespace portcullis::stream {

/// What a completed handshake agreed on, as the server's SYN/ACK names it.
struct Handshake {
    Seq client_isn, server_isn;
    uint16_t client_window = 0;  ///< Of the SYN, never scaled (RFC 7323 2.2).
    uint16_t server_window = 0;  ///< Of the SYN/ACK.
    uint8_t client_scale = 0;    ///< Both 0 unless both sides offered one.
    uint8_t server_scale = 0;
    bool timestamps = false;  ///< Both sides offered them.
    bool sack = false;
    uint32_t client_timestamp = 0;
    uint32_t server_timestamp = 0;
};

/// A TCP connection as one who sits between its two sides sees it, by RFC 9293
/// and 5961.
///
/// Judges each segment, and offers the bytes of each direction in order to a
/// consumer, where they lie when it can.  Holds no segment back and gives each
/// sequence number toward the server one byte value only (see Stream).
///
/// Keeps its bytes in a StreamPool: call `release` before forgetting it.
class Connection {
public:
    using Direction = protocol::Direction;

    Connection() noexcept = default;
    static Connection from_handshake(const Handshake& handshake) noexcept;
    /// Older than we are: sequence numbers are followed, everything passes.
    static Connection midstream() noexcept;

    /// Judges one segment that goes in `direction`.  What is new in order is
    /// offered to `consumer(Direction, Bytes) noexcept -> protocol::Progress`;
    /// what that leaves is offered again, in one piece, with more behind it.
    /// The consumer may ask and mark this connection, but not release it.
    template <class Consumer>
    Outcome accept(Direction direction, const Segment& segment, StreamPool& pool,
                   Consumer&& consumer) noexcept {
        Outcome outcome;
        Bytes offered = judge(direction, segment, pool, outcome);
        if (offered.empty()) return outcome;

        Stream& stream = stream_of(direction);
        bool finished = false;
        while (!offered.empty()) {
            const protocol::Progress progress = consumer(direction, offered);
            const size_t consumed = std::min(progress.consumed, offered.size());
            stream.consume(consumed, progress.skip);
            offered = offered.subspan(consumed);
            offered = offered.subspan(std::min(progress.skip, offered.size()));
            finished = progress.finished;
            if (finished || progress.skip == 0 || !stream.inspected()) break;
        }
        // Rewritten bytes stay ours until the server has them; so the consumer may
        // have to say again that it finished.
        if (finished && !stream.remembers_rewrite(pool)) {
            stream.stop_inspecting(pool);
        } else {
            stream.settle(offered, pool, outcome);
        }
        going_by_ = {};
        return outcome;
    }

    /// Nobody wants the bytes of `direction` any more; they pass, uninspected.
    void stop_inspecting(Direction direction, StreamPool& pool) noexcept {
        stream_of(direction).stop_inspecting(pool);
    }
    /// The same for a segment that was not taken for want of memory, and shall go on all the
    /// same.  False: it must not, since bytes before it are to go on rewritten again.
    bool give_up(Direction direction, const Segment& segment, StreamPool& pool) noexcept {
        return stream_of(direction).give_up(segment, pool);
    }

    /// For the consumer, toward the server: replaces bytes that go by for the
    /// first time in the segment being accepted; the caller writes them into the
    /// packet too.  Retransmissions get the same (`Outcome::patch`).  False: some
    /// of them went by before, or there is no room to remember; nothing changed.
    bool rewrite(Direction direction, Seq at, Bytes bytes, StreamPool& pool) noexcept {
        const Seq end = at + static_cast<uint32_t>(bytes.size());
        if (at < going_by_.begin || end > going_by_.end) return false;
        return stream_of(direction).rewrite(at, bytes, pool);
    }
    /// What of the stream goes by for the first time in the segment being
    /// accepted, in order: all that may be rewritten.
    SeqRange going_by() const noexcept { return going_by_; }
    /// The sequence number of the first byte now being offered.
    Seq offered_seq(Direction direction) const noexcept {
        return stream_of(direction).offered_seq();
    }

    void release(StreamPool& pool) noexcept;

    // ---- To go on from a copy, elsewhere: see Stream ----

    bool simple() const noexcept { return server_.simple() && client_.simple(); }
    Bytes undecoded(Direction direction, const StreamPool& pool) const noexcept {
        return stream_of(direction).undecoded(pool);
    }
    Connection numbers() const noexcept;
    /// For the consumer of bytes to the server: as it was before the segment being
    /// accepted, with the decoder to go on at `from`.
    Connection before_segment(Seq from) const noexcept;
    void pass_over(Direction direction, uint32_t size) noexcept {
        stream_of(direction).pass_over(size);
    }
    bool resume(Direction direction, Bytes undecoded, StreamPool& pool) noexcept {
        return stream_of(direction).resume(undecoded, pool);
    }

    /// The SYN of `direction` that this connection began with had the number `isn`.
    bool began_at(Direction direction, Seq isn) const noexcept {
        return !midstream_ && stream_of(direction).first() == isn + 1;
    }
    bool inspected(Direction direction) const noexcept { return stream_of(direction).inspected(); }
    /// Nothing more is to come: a RST that no segment followed, or both FINs
    /// acknowledged.  A Flow may be forgotten soon, but not at once.
    bool over() const noexcept { return reset_[0] || reset_[1] || closed(); }
    /// Both sides said that they have no more, and that they had all.
    bool closed() const noexcept { return client_.fin_acked() && server_.fin_acked(); }

    /// The number after the last that went by in `direction`: where injected
    /// bytes or a RST go.  With loss behind us the receiver still waits for an
    /// earlier one, at least `acked(direction)`.
    Seq next_seq(Direction direction) const noexcept { return stream_of(direction).expected(); }
    Seq highest_seq(Direction direction) const noexcept { return stream_of(direction).highest(); }
    Seq acked(Direction direction) const noexcept { return stream_of(direction).acked(); }
    /// Bytes that the receiver of `direction` takes after `next_seq`.
    uint32_t window(Direction direction) const noexcept;

    /// For frames of our own: whether each needs a timestamp (RFC 7323 3.2), and
    /// the latest that went by in `direction`.
    bool timestamps() const noexcept { return server_.timestamps(); }
    uint32_t timestamp(Direction direction) const noexcept {
        return stream_of(direction).newest_timestamp();
    }

    /// Bytes of the stream since its start that went by in order, and of those
    /// that the receiver has acknowledged.
    uint64_t delivered_bytes(Direction direction) const noexcept {
        return stream_of(direction).delivered_bytes();
    }
    uint64_t acked_bytes(Direction direction) const noexcept {
        return stream_of(direction).acked_bytes();
    }
    /// Segments judged in both directions, round after 2^32.
    uint32_t segments() const noexcept { return segments_; }
    /// All that went by is consumed: bytes injected here start a message.
    bool at_message_boundary(Direction direction) const noexcept {
        return stream_of(direction).at_boundary();
    }

private:
    Bytes judge(Direction direction, const Segment& segment, StreamPool& pool,
                Outcome& outcome) noexcept;
    void judge_syn(const Segment& segment, Outcome& outcome) const noexcept;
    static size_t index(Direction d) noexcept { return static_cast<size_t>(d); }

    // Named for whom they go to.
    Stream& stream_of(Direction d) noexcept {
        return d == Direction::to_server ? server_ : client_;
    }
    const Stream& stream_of(Direction d) const noexcept {
        return d == Direction::to_server ? server_ : client_;
    }

    Stream server_;
    Stream client_;
    SeqRange going_by_;
    uint32_t segments_ = 0;
    bool reset_[2] = {};  ///< By direction: its last segment was a RST to believe.
    bool midstream_ : 1 = false;
};

static_assert(sizeof(Connection) <= 128);

}  // namespace portcullis::stream
