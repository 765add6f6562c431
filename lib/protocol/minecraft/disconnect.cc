#include "protocol/minecraft/disconnect.h"

#include <array>

#include "base/writer.h"
#include "protocol/minecraft/tables.h"

namespace portcullis::minecraft {

namespace {

constexpr size_t reason_size_max = 240;
constexpr int32_t nbt_since = 765;
constexpr uint8_t nbt_string = 8;

/// Cuts at a character's start, and leaves out what JSON would have to escape in
/// more than two bytes.
std::string_view shortened(std::string_view reason) noexcept {
    if (reason.size() <= reason_size_max) return reason;
    size_t size = reason_size_max;
    while (size > 0 && (static_cast<uint8_t>(reason[size]) & 0xc0) == 0x80) --size;
    return reason.substr(0, size);
}

void write_json(Writer& out, std::string_view reason) noexcept {
    out.text(R"({"text":")");
    for (const char c : reason) {
        if (c == '"' || c == '\\') out.u8('\\');
        out.u8(static_cast<uint8_t>(static_cast<unsigned char>(c) < ' ' ? ' ' : c));
    }
    out.text(R"("})");
}

/// The id of the packet that ends the connection; -1: there is none.
int32_t disconnect_id(const Session& session, State state) noexcept {
    if (session.tables < 0 || state < State::login || state > State::play) return -1;
    const Packet packet = state == State::play ? Packet::kick_disconnect : Packet::disconnect;
    const auto rows =
        all_tables()[static_cast<size_t>(session.tables)]
            .rows[static_cast<size_t>(state)][static_cast<size_t>(Direction::to_client)];
    for (size_t id = 0; id < rows.size(); ++id) {
        if (rows[id].packet == packet) return static_cast<int32_t>(id);
    }
    return -1;
}

}  // namespace

size_t write_disconnect(const Session& session, std::string_view reason,
                        MutableBytes out) noexcept {
    const State state = session.half(Direction::to_client).state;
    const int32_t id = disconnect_id(session, state);
    if (id < 0 || session.awaits_key()) return 0;
    reason = shortened(reason);

    std::array<std::byte, disconnect_size_max> room;
    Writer text(room);
    if (session.version >= nbt_since && state != State::login) {
        text.u8(nbt_string);
        text.u16(static_cast<uint16_t>(reason.size()));
        text.text(reason);
    } else {
        std::array<std::byte, disconnect_size_max> json;
        Writer inner(json);
        write_json(inner, reason);
        text.varint(static_cast<uint32_t>(inner.size()));
        text.bytes(inner.written());
        if (!inner.ok()) return 0;
    }
    std::array<std::byte, disconnect_size_max> packet_room;
    Writer packet(packet_room);
    // Under any threshold a packet may go uncompressed: a zero says so.
    if (session.threshold >= 0) packet.varint(0);
    packet.varint(static_cast<uint32_t>(id));
    packet.bytes(text.written());
    Writer frame(out);
    frame.varint(static_cast<uint32_t>(packet.size()));
    frame.bytes(packet.written());
    return text.ok() && packet.ok() && frame.ok() ? frame.size() : 0;
}

bool seal(const Session& session, MutableBytes message) noexcept {
    if (!session.enciphered()) return true;
    const Session::Half& half = session.half(Direction::to_client);
    if (session.awaits_key() || half.passing > 0) return false;
    Cfb8::Register last = half.last;
    session.cipher.encrypt(message, last);
    return true;
}

}  // namespace portcullis::minecraft
