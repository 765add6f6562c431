#pragma once

#include <vector>

#include "protocol/shadowland/header.h"
#include "protocol/shadowland/walks.h"

/// Datagrams as the two sides send them, for tests that speak by hand.
namespace portcullis::shadowland {

struct Spoken {
    uint32_t connection_id = 0;
    Channel channel = Channel::unreliable;
    uint8_t flags = 0;
    uint64_t sequence = 0;
};

/// A plain packet with this payload.
inline std::vector<std::byte> plain(const Spoken& spoken, Bytes payload) {
    std::vector<std::byte> out(header_size + payload.size() + crc_size);
    Header header;
    header.connection_id = spoken.connection_id;
    header.channel = spoken.channel;
    header.flags = spoken.flags;
    header.sequence = spoken.sequence;
    write_header(header, out);
    std::ranges::copy(payload, out.begin() + header_size);
    write_crc(out);
    return out;
}

/// One message, its type first.
template <class Message>
std::vector<std::byte> message_bytes(uint8_t type, const Message& message, Direction d) {
    std::vector<std::byte> out(datagram_size_max);
    Writer body{MutableBytes(out)};
    body.u8(type);
    write_body(body, message, d);
    out.resize(body.size());
    return out;
}

/// Several of them in one bundle.
inline std::vector<std::byte> bundle_of(const std::vector<std::vector<std::byte>>& messages) {
    std::vector<std::byte> out = {std::byte{payload_type::bundle}};
    for (const auto& message : messages) {
        out.push_back(static_cast<std::byte>(message.size() & 0xff));
        out.push_back(static_cast<std::byte>(message.size() >> 8));
        out.insert(out.end(), message.begin(), message.end());
    }
    return out;
}

template <class Message>
std::vector<std::byte> control(ControlType type, const Message& message, Direction d,
                               Spoken spoken = {}) {
    spoken.flags |= flag::control;
    return plain(spoken, message_bytes(static_cast<uint8_t>(type), message, d));
}

inline const std::vector<std::byte> zero_key(key_size);
inline const std::vector<std::byte> no_cookie(cookie_size);

/// A Connect of a client that plays without encryption; with a cookie unless it is empty.
inline std::vector<std::byte> connect(Bytes cookie = {}, uint32_t build = 100) {
    Connect message;
    message.build = build;
    message.public_key = zero_key;
    message.has_cookie = cookie.empty() ? 0 : 1;
    message.cookie = cookie.empty() ? Bytes(no_cookie) : cookie;
    return control(ControlType::connect, message, Direction::to_server);
}

inline std::vector<std::byte> accepted(uint32_t connection_id, uint64_t server_time_ms = 0) {
    ConnectionAccepted message;
    message.public_key = zero_key;
    message.tick_rate = 60;
    message.heartbeat_interval_ms = 5'000;
    message.heartbeat_timeout_ms = 15'000;
    message.server_time_ms = server_time_ms;
    return control(ControlType::connection_accepted, message, Direction::to_client,
                   {.connection_id = connection_id});
}

}  // namespace portcullis::shadowland
