#include "stream/connection.h"

namespace portcullis::stream {

Connection Connection::from_handshake(const Handshake& h) noexcept {
    Connection c;
    c.server_ = Stream({.first = h.client_isn + 1,
                        .keep_until_acked = true,
                        .window = h.server_window,
                        .window_scale = h.server_scale,
                        .timestamps = h.timestamps,
                        .timestamp = h.client_timestamp});
    c.client_ = Stream({.first = h.server_isn + 1,
                        .keep_until_acked = false,
                        .window = h.client_window,
                        .window_scale = h.client_scale,
                        .timestamps = h.timestamps,
                        .timestamp = h.server_timestamp});
    return c;
}

Connection Connection::midstream() noexcept {
    Connection c;
    c.midstream_ = true;
    return c;
}

Connection Connection::numbers() const noexcept {
    Connection copy = *this;
    copy.server_ = server_.numbers();
    copy.client_ = client_.numbers();
    copy.going_by_ = {};
    return copy;
}

Connection Connection::before_segment(Seq from) const noexcept {
    Connection copy = numbers();
    copy.server_ = server_.rewound(going_by_.begin, from);
    return copy;
}

Bytes Connection::judge(Direction direction, const Segment& segment, StreamPool& pool,
                        Outcome& outcome) noexcept {
    Stream& stream = stream_of(direction);
    ++segments_;
    outcome.midstream = midstream_;
    outcome.urgent = segment.has(tcp::urg);
    outcome.expected_before = stream.expected();

    if (segment.has(tcp::syn)) {
        judge_syn(segment, outcome);
        return {};
    }
    if (segment.has(tcp::rst)) {
        // RFC 5961 3.2.  Whether its receiver saw it is not known; so it ends
        // nothing here, and who goes on sending takes it back.
        reset_[index(direction)] = segment.seq == stream.expected() || !stream.started();
        outcome.reset = reset_[index(direction)];
        return {};
    }
    // RFC 9293 3.10.7.4: without ACK every host drops it.
    if (!segment.has(tcp::ack) && !midstream_) {
        outcome.drop = DropReason::bad_header;
        return {};
    }
    // Its receiver drops it whole, so nobody may take its bytes for the stream's.
    const Stream& back = stream_of(opposite(direction));
    if (direction == Direction::to_server && back.inspected() && !back.believes_ack(segment.ack)) {
        outcome.drop = DropReason::out_of_window;
        return {};
    }
    reset_[index(direction)] = false;

    if (segment.has(tcp::ack)) {
        stream_of(opposite(direction)).acknowledge(segment.ack, segment.window, pool, outcome);
    }
    const Bytes offered = stream.admit(segment, pool, going_by_, outcome);
    outcome.closed = server_.fin_acked() && client_.fin_acked();
    return offered;
}

// The peer answers a SYN out of the blue with a challenge (RFC 5961 4.2), or,
// when it has forgotten this connection, begins a new one; both change nothing
// here.
void Connection::judge_syn(const Segment& segment, Outcome& outcome) const noexcept {
    outcome.syn = true;
    if (midstream_) return;
    if (segment.has_any(tcp::fin | tcp::rst)) {
        outcome.drop = DropReason::bad_header;
    } else if (!segment.payload.empty()) {
        // Data before its connection: there is nowhere to keep it, and TCP sends
        // it again once there is.
        outcome.drop = DropReason::no_buffer;
    }
}

uint32_t Connection::window(Direction direction) const noexcept {
    const Stream& stream = stream_of(direction);
    const int32_t left = stream.window_end() - stream.expected();
    return left > 0 ? static_cast<uint32_t>(left) : 0;
}

void Connection::release(StreamPool& pool) noexcept {
    server_.release(pool);
    client_.release(pool);
}

}  // namespace portcullis::stream
