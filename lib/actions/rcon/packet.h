#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Source RCON on the wire: little-endian i32 length of the rest, i32 id, i32
/// type, text, two zero bytes.
namespace portcullis::actions::rcon {

enum class Type : int32_t {
    reply = 0,
    command = 2,      ///< From a client.
    login_reply = 2,  ///< From a server.
    login = 3,
};

/// What a server sends as id when the password was wrong or is still to come.
inline constexpr int32_t refused_id = -1;
/// Longer ones are not understood by the game's server, which reads once into
/// 1460 bytes.
inline constexpr size_t text_to_server_max = 1446;
/// Replies are cut at 4096 characters; of what others send we take up to this.
inline constexpr size_t packet_size_max = 64 * 1024;

struct Packet {
    int32_t id = 0;
    Type type{};
    std::string text;
};

std::string encode(int32_t id, Type type, std::string_view text);

/// Cuts packets out of what a server sent, however it was split.
class Splitter {
public:
    void add(std::string_view bytes) { buffer_.append(bytes); }
    /// The next whole packet.  Nothing while there is none; after `broken`, never.
    std::optional<Packet> next();
    /// The server does not speak RCON.
    bool broken() const noexcept { return broken_; }

private:
    std::string buffer_;
    bool broken_ = false;
};

}  // namespace portcullis::actions::rcon
