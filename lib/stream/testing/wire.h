#pragma once

#include <string>
#include <string_view>

#include "stream/connection.h"

namespace portcullis::stream {

/// For tests: a Connection one can talk to, in places of the stream, counted
/// from 0, instead of sequence numbers.  What is read is what a consumer that
/// takes everything was shown.
class Wire {
public:
    using Direction = protocol::Direction;

    static constexpr Seq client_isn{1000};
    static constexpr Seq server_isn{50000};

    struct Terms {
        Seq client_isn = Wire::client_isn;
        uint32_t stream_bytes = 4096;
        uint64_t pool_bytes = 1 << 20;
        uint16_t server_window = 60000;
        uint8_t server_scale = 0;
        bool timestamps = false;
    };

    explicit Wire(const Terms& terms)
        : terms_(terms),
          pool_(terms.pool_bytes, terms.stream_bytes),
          connection_(Connection::from_handshake({.client_isn = terms.client_isn,
                                                  .server_isn = server_isn,
                                                  .client_window = 60000,
                                                  .server_window = terms.server_window,
                                                  .server_scale = terms.server_scale,
                                                  .timestamps = terms.timestamps,
                                                  .client_timestamp = 100,
                                                  .server_timestamp = 100})) {}
    Wire() : Wire(Terms()) {}
    ~Wire() { connection_.release(pool_); }

    // From the client.
    Outcome sends(uint32_t at, std::string_view text, uint8_t flags = tcp::ack | tcp::psh) {
        return accept(Direction::to_server, from_client(at, text, flags));
    }
    Outcome ends(uint32_t at, std::string_view text = {}) {
        return sends(at, text, tcp::ack | tcp::fin);
    }
    Outcome resets(uint32_t at) { return sends(at, {}, tcp::rst); }
    Outcome receipt(uint32_t at) {
        Segment segment = from_client(0, {}, tcp::ack);
        segment.seq = connection_.next_seq(Direction::to_server);
        segment.ack = server_isn + 1 + at;
        return accept(Direction::to_server, segment);
    }
    Segment from_client(uint32_t at, std::string_view text, uint8_t flags) const {
        Segment segment;
        segment.seq = terms_.client_isn + 1 + at;
        segment.ack = server_isn + 1;
        segment.flags = flags;
        segment.window = 60000;
        segment.payload = as_bytes(text);
        return segment;
    }

    // From the server.
    Outcome acked(uint32_t at, uint16_t window = 60000) {
        Segment segment = from_server(0, {}, tcp::ack);
        segment.seq = connection_.next_seq(Direction::to_client);
        segment.ack = terms_.client_isn + 1 + at;
        segment.window = window;
        return accept(Direction::to_client, segment);
    }
    Outcome answers(uint32_t at, std::string_view text, uint8_t flags = tcp::ack) {
        return accept(Direction::to_client, from_server(at, text, flags));
    }
    Segment from_server(uint32_t at, std::string_view text, uint8_t flags) const {
        Segment segment;
        segment.seq = server_isn + 1 + at;
        segment.ack = connection_.acked(Direction::to_server);
        segment.flags = flags;
        segment.window = 60000;
        segment.payload = as_bytes(text);
        return segment;
    }

    Outcome accept(Direction direction, const Segment& segment) {
        return connection_.accept(direction, segment, pool_, [&](Direction d, Bytes offered) {
            read_[static_cast<size_t>(d)] += as_text(offered);
            return protocol::Progress{.consumed = offered.size()};
        });
    }

    std::string_view read() const { return read_[0]; }
    std::string_view read_by_client() const { return read_[1]; }
    Connection& connection() { return connection_; }
    StreamPool& pool() { return pool_; }

private:
    Terms terms_;
    StreamPool pool_;
    Connection connection_;
    std::string read_[2];
};

inline bool passed(const Outcome& outcome) { return outcome.drop == DropReason::none; }

}  // namespace portcullis::stream
