#include "protocol/shadowland/payload.h"

#include <array>

#include <lz4.h>

#include "base/reader.h"

namespace portcullis::shadowland {

namespace {

/// Who sends a control packet, and the purpose flag it carries.
struct ControlRule {
    bool from_client, from_server;
    uint8_t purpose;
};
constexpr std::array<ControlRule, static_cast<size_t>(ControlType::count)> control_rules = {{
    {true, false, 0},                        // Connect
    {false, true, 0},                        // Cookie
    {false, true, 0},                        // ConnectionAccepted
    {false, true, 0},                        // ConnectionDenied
    {false, true, 0},                        // Ping
    {true, false, 0},                        // Pong
    {true, true, 0},                         // Disconnect
    {true, true, flag::acknowledgment},      // Ack
    {true, true, flag::fragment},            // Fragment
    {true, true, flag::reliable_handshake},  // ReliableHandshake
    {true, false, 0},                        // CryptoTest
    {false, true, 0},                        // CryptoTestAck
    {true, true, 0},                         // CheckIntegrity
    {false, true, flag::rekey},              // RekeyRequest
    {true, false, flag::rekey},              // RekeyResponse
}};

bool before_session(ControlType type) noexcept {
    return type == ControlType::connect || type == ControlType::cookie ||
           type == ControlType::connection_denied;
}

/// LZ4's block format forbids a match 0 bytes back, but the library copies what
/// happens to lie there.
bool offsets_hold(Bytes block) noexcept {
    Reader in(block);
    const auto length = [&](unsigned nibble) noexcept {
        size_t total = nibble;
        if (nibble == 15) {
            uint8_t more = 255;
            while (in.ok() && more == 255) total += more = in.u8();
        }
        return total;
    };
    while (in.ok() && !in.empty()) {
        const uint8_t token = in.u8();
        in.skip(length(token >> 4));
        if (in.empty()) break;  // The last literals have no match.
        if (in.le_u16() == 0) return false;
        (void)length(token & 0x0f);
    }
    return in.ok();
}

}  // namespace

Error control_fits(const Header& header, uint8_t type, Direction direction) noexcept {
    if (type >= control_rules.size()) return Error::type;
    const auto control = static_cast<ControlType>(type);
    const ControlRule& rule = control_rules[type];
    if ((header.connection_id == 0) != before_session(control)) return Error::connection;
    const bool accepted = control == ControlType::connection_accepted;
    if (header.connection_id != 0 && (header.sequence == 0) != accepted) return Error::sequence;
    if ((header.flags & flag::purposes) != rule.purpose) return Error::flags;
    const bool allowed = direction == Direction::to_server ? rule.from_client : rule.from_server;
    return allowed ? Error::none : Error::direction;
}

Cut cut_bundle(Bytes rest) noexcept {
    Reader in(rest);
    const uint16_t length = in.le_u16();
    const Bytes message = in.bytes(length);
    if (!in.ok() || length == 0) return {{}, {}, Error::bundle};
    return {message, in.rest()};
}

Cut cut_queue(Bytes rest) noexcept {
    unsigned run = 0;
    for (size_t i = 0; i < rest.size(); ++i) {
        run = rest[i] == std::byte{0xfe} ? run + 1 : 0;
        if (run == queue_marker_size) {
            return {rest.first(i + 1 - queue_marker_size), rest.subspan(i + 1)};
        }
    }
    return {{}, {}, Error::bundle};
}

Error cuts_whole(Form form, Bytes rest) noexcept {
    if (rest.empty()) return Error::bundle;
    for (size_t messages = 0; !rest.empty(); ++messages) {
        if (messages == messages_max) return Error::bundle;
        const Cut cut = form == Form::bundle ? cut_bundle(rest) : cut_queue(rest);
        if (cut.error != Error::none) return cut.error;
        rest = cut.rest;
    }
    return Error::none;
}

Decompressed decompress(Bytes payload, Direction direction, MutableBytes out) noexcept {
    constexpr size_t prefix = 4;
    if (payload.size() <= prefix) return {{}, Error::lz4};
    const size_t size = Reader(payload).le_u32();
    if (size <= compressed_size_min || size > large_payload_max[index_of(direction)] ||
        size > compression_ratio_max * payload.size() || size > out.size()) {
        return {{}, Error::lz4_size};
    }
    const Bytes block = payload.subspan(prefix);
    if (!offsets_hold(block)) return {{}, Error::lz4};
    const int written = LZ4_decompress_safe(reinterpret_cast<const char*>(block.data()),
                                            reinterpret_cast<char*>(out.data()),
                                            static_cast<int>(block.size()), static_cast<int>(size));
    if (written < 0 || static_cast<size_t>(written) != size) return {{}, Error::lz4};
    return {out.first(size)};
}

}  // namespace portcullis::shadowland
