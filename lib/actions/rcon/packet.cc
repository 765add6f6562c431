#include "actions/rcon/packet.h"

#include <array>
#include <cassert>

#include "base/reader.h"
#include "base/writer.h"

namespace portcullis::actions::rcon {

namespace {

constexpr size_t length_size = 4;
constexpr size_t overhead = 10;  ///< Id, type, two zero bytes.

}  // namespace

std::string encode(int32_t id, Type type, std::string_view text) {
    assert(text.size() <= text_to_server_max);
    std::string packet(length_size + overhead + text.size(), '\0');
    Writer out({reinterpret_cast<std::byte*>(packet.data()), packet.size()});
    out.le_u32(static_cast<uint32_t>(overhead + text.size()));
    out.le_u32(static_cast<uint32_t>(id));
    out.le_u32(static_cast<uint32_t>(type));
    out.text(text);
    return packet;
}

std::optional<Packet> Splitter::next() {
    Reader in(as_bytes(buffer_));
    const uint32_t length = in.le_u32();
    if (broken_ || !in.ok()) return std::nullopt;
    if (length < overhead || length > packet_size_max) {
        broken_ = true;
        return std::nullopt;
    }
    if (in.left() < length) return std::nullopt;
    Packet packet;
    packet.id = static_cast<int32_t>(in.le_u32());
    packet.type = static_cast<Type>(in.le_u32());
    packet.text = as_text(in.bytes(length - overhead));
    buffer_.erase(0, length_size + length);
    return packet;
}

}  // namespace portcullis::actions::rcon
