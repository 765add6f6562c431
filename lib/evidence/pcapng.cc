#include "evidence/pcapng.h"

#include <array>
#include <cstring>

namespace portcullis::evidence::pcapng {

namespace {

// Block types, options and values as the format numbers them.
constexpr uint32_t section = 0x0a0d0d0a, interface = 1, enhanced_packet = 6;
constexpr uint32_t byte_order = 0x1a2b3c4d;
constexpr uint16_t option_end = 0, option_comment = 1;
constexpr uint16_t section_application = 4, interface_name = 2, interface_resolution = 9;
constexpr uint16_t packet_flags = 2;
constexpr uint16_t ethernet = 1;
constexpr uint8_t nanoseconds = 9;
constexpr uint32_t inbound = 1, outbound = 2;
constexpr size_t option_size_max = 65'532;

template <class T>
void put(std::string& out, const T& value) {
    std::array<char, sizeof(T)> bytes;
    std::memcpy(bytes.data(), &value, sizeof(T));
    out.append(bytes.data(), bytes.size());
}

void pad(std::string& out) { out.append((4 - out.size() % 4) % 4, '\0'); }

void option(std::string& out, uint16_t code, std::string_view value) {
    value = value.substr(0, option_size_max);
    put(out, code);
    put(out, static_cast<uint16_t>(value.size()));
    out.append(value);
    pad(out);
}

void end_options(std::string& out) {
    put(out, option_end);
    put(out, uint16_t{0});
}

void block(std::string& out, uint32_t type, std::string_view body) {
    const auto size = static_cast<uint32_t>(body.size() + 12);
    put(out, type);
    put(out, size);
    out.append(body);
    put(out, size);
}

template <class T>
T get(Bytes in, size_t at) {
    T value{};
    std::memcpy(&value, in.data() + at, sizeof value);
    return value;
}

/// Times as 64 bits in two halves, the high one first.
bool take_packet(Bytes body, const Visitor& visitor) {
    constexpr size_t fixed = 20;
    if (body.size() < fixed) return false;
    const auto size = get<uint32_t>(body, 12);
    if (size > body.size() - fixed) return false;
    Packet packet;
    packet.time = Nanos(
        static_cast<int64_t>(uint64_t{get<uint32_t>(body, 4)} << 32 | get<uint32_t>(body, 8)));
    packet.original_size = get<uint32_t>(body, 16);
    packet.bytes = body.subspan(fixed, size);
    for (size_t at = fixed + (size + 3) / 4 * 4; at + 4 <= body.size();) {
        const auto code = get<uint16_t>(body, at);
        const auto length = get<uint16_t>(body, at + 2);
        if (code == option_end || at + 4 + length > body.size()) break;
        if (code == packet_flags && length == 4) {
            packet.to_client = (get<uint32_t>(body, at + 4) & 3) == outbound;
        }
        at += 4 + (length + 3u) / 4 * 4;
    }
    visitor.packet(packet);
    return true;
}

}  // namespace

Writer::Writer(std::string& out, std::string_view application, std::string_view comment)
    : out_(out) {
    std::string body;
    put(body, byte_order);
    put(body, uint16_t{1});
    put(body, uint16_t{0});
    put(body, ~uint64_t{0});  // The section's length is not said.
    option(body, section_application, application);
    option(body, option_comment, comment);
    end_options(body);
    block(out_, section, body);

    body.clear();
    put(body, ethernet);
    put(body, uint16_t{0});
    put(body, uint32_t{0});
    option(body, interface_name, "wire");
    option(body, interface_resolution, {reinterpret_cast<const char*>(&nanoseconds), 1});
    end_options(body);
    block(out_, interface, body);
}

void Writer::packet(const Packet& packet, std::string_view comment) {
    std::string body;
    const auto time = static_cast<uint64_t>(packet.time.count());
    put(body, uint32_t{0});
    put(body, static_cast<uint32_t>(time >> 32));
    put(body, static_cast<uint32_t>(time));
    put(body, static_cast<uint32_t>(packet.bytes.size()));
    put(body, packet.original_size);
    body.append(as_text(packet.bytes));
    pad(body);
    put(body, packet_flags);
    put(body, uint16_t{4});
    put(body, packet.to_client ? outbound : inbound);
    if (!comment.empty()) option(body, option_comment, comment);
    end_options(body);
    block(out_, enhanced_packet, body);
}

void Writer::own(Bytes bytes) {
    std::string body;
    put(body, static_cast<uint32_t>(bytes.size()));
    body.append(as_text(bytes));
    pad(body);
    block(out_, own_block, body);
}

bool walk(Bytes file, const Visitor& visitor) {
    size_t at = 0;
    while (at + 12 <= file.size()) {
        const auto type = get<uint32_t>(file, at);
        const auto size = get<uint32_t>(file, at + 4);
        if (size < 12 || size % 4 != 0 || size > file.size() - at) return false;
        const Bytes body = file.subspan(at + 8, size - 12);
        if (at == 0 && (type != section || body.size() < 4 || get<uint32_t>(body, 0) != byte_order))
            return false;
        if (type == enhanced_packet && !take_packet(body, visitor)) return false;
        if (type == own_block) {
            if (body.size() < 4 || get<uint32_t>(body, 0) > body.size() - 4) return false;
            visitor.own(body.subspan(4, get<uint32_t>(body, 0)));
        }
        at += size;
    }
    return at > 0 && at == file.size();
}

}  // namespace portcullis::evidence::pcapng
