#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "tally.h"

/// As much of Minecraft 1.8 (protocol 47, no compression, no encryption) as two ends
/// need to log in and to exchange numbered plugin messages.
namespace portcullis::chaos::game {

inline constexpr int32_t version = 47;
// To the server, then to the client.
inline constexpr uint8_t position = 0x04, position_look = 0x06, message_to_server = 0x17;
inline constexpr uint8_t login_success = 0x02, join_game = 0x01, place_player = 0x08,
                         message_to_client = 0x3f;
inline constexpr std::string_view channel = "chaos";

/// Puts a packet together; big-endian as the game is.
class Packet {
public:
    explicit Packet(uint8_t id) { bytes_.push_back(static_cast<char>(id)); }

    Packet& varint(uint32_t value) {
        while (value >= 0x80) {
            bytes_.push_back(static_cast<char>(value | 0x80));
            value >>= 7;
        }
        bytes_.push_back(static_cast<char>(value));
        return *this;
    }
    Packet& text(std::string_view value) {
        varint(static_cast<uint32_t>(value.size()));
        bytes_ += value;
        return *this;
    }
    template <class T>
    Packet& number(T value) {
        char raw[sizeof(T)];
        std::memcpy(raw, &value, sizeof raw);
        bytes_.append(std::string(std::rbegin(raw), std::rend(raw)));
        return *this;
    }
    Packet& raw(const void* data, size_t size) {
        bytes_.append(static_cast<const char*>(data), size);
        return *this;
    }
    std::string framed() const {
        Packet length(0);
        length.bytes_.clear();
        length.varint(static_cast<uint32_t>(bytes_.size()));
        return length.bytes_ + bytes_;
    }

private:
    std::string bytes_;
};

/// Takes whole packets, id first, off the front of what was received.
inline std::optional<std::string> next_packet(std::string& received) {
    uint32_t size = 0;
    for (size_t i = 0; i < received.size() && i < 3; ++i) {
        size |= uint32_t{static_cast<uint8_t>(received[i]) & 0x7fu} << (7 * i);
        if (static_cast<uint8_t>(received[i]) >= 0x80) continue;
        if (received.size() < i + 1 + size) return std::nullopt;
        std::string packet = received.substr(i + 1, size);
        received.erase(0, i + 1 + size);
        return packet;
    }
    return std::nullopt;
}

inline std::string hello(const std::string& host, uint16_t port, const std::string& name) {
    return Packet(0).varint(version).text(host).number(port).varint(2).framed() +
           Packet(0).text(name).framed();
}

/// What a server says to who logs in: he is in, in this world, here.
inline std::string welcome(const std::string& name) {
    return Packet(login_success).text("3f0c0000-0000-3000-8000-000000000001").text(name).framed() +
           Packet(join_game)
               .number(int32_t{1})
               .number(uint8_t{0})
               .number(int8_t{0})
               .number(uint8_t{1})
               .number(uint8_t{20})
               .text("default")
               .number(uint8_t{0})
               .framed() +
           Packet(place_player)
               .number(8.5)
               .number(64.0)
               .number(8.5)
               .number(0.0f)
               .number(0.0f)
               .number(uint8_t{0})
               .framed();
}

/// The client's answer to being placed.
inline std::string here_i_am() {
    return Packet(position_look)
        .number(8.5)
        .number(64.0)
        .number(8.5)
        .number(0.0f)
        .number(0.0f)
        .number(uint8_t{1})
        .framed();
}

/// No vanilla client says this.
inline std::string nowhere() {
    return Packet(position)
        .number(std::numeric_limits<double>::quiet_NaN())
        .number(64.0)
        .number(8.5)
        .number(uint8_t{1})
        .framed();
}

inline std::string numbered(uint8_t id, const Number& number) {
    return Packet(id).text(channel).raw(&number, sizeof number).framed();
}

/// The number in a plugin message of ours.
inline std::optional<Number> number_in(const std::string& packet) {
    const size_t at = 2 + channel.size();
    if (packet.size() != at + sizeof(Number) || packet.substr(2, channel.size()) != channel) {
        return std::nullopt;
    }
    Number number;
    std::memcpy(&number, packet.data() + at, sizeof number);
    return number;
}

}  // namespace portcullis::chaos::game
