#include "protocol/shadowland/payload.h"

#include <algorithm>
#include <array>
#include <cstring>

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

/// Reads one block of LZ4 into all of `out`.  By hand, since the format's reference decoder
/// refuses blocks whose last literals are few, and who reads on must not read more than we do.
class Lz4Block {
public:
    Lz4Block(Bytes block, MutableBytes out) noexcept : in_(block), out_(out) {}

    /// False: its bytes are no block, or not of that many.
    bool read() noexcept {
        while (in_.ok() && !in_.empty()) {
            const uint8_t token = in_.u8();
            const Bytes literals = in_.bytes(length(token >> 4));
            if (!in_.ok() || literals.size() > out_.size() - at_) return false;
            std::ranges::copy(literals, out_.begin() + static_cast<ptrdiff_t>(at_));
            at_ += literals.size();
            if (in_.empty()) return at_ == out_.size();  // The last literals have no match.
            const size_t offset = in_.le_u16();
            constexpr size_t match_min = 4;
            if (!copy_match(offset, length(token & 0x0f) + match_min)) return false;
        }
        return false;
    }

private:
    size_t length(unsigned nibble) noexcept {
        size_t total = nibble;
        for (uint8_t more = 255; nibble == 15 && more == 255 && in_.ok();) total += more = in_.u8();
        return total;
    }
    /// A match may reach into what it writes itself.
    bool copy_match(size_t offset, size_t size) noexcept {
        if (!in_.ok() || offset == 0 || offset > at_ || size > out_.size() - at_) return false;
        while (size > 0) {
            const size_t some = std::min(offset, size);
            std::memcpy(out_.data() + at_, out_.data() + at_ - offset, some);
            at_ += some;
            offset += some;
            size -= some;
        }
        return true;
    }

    Reader in_;
    MutableBytes out_;
    size_t at_ = 0;
};

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
    Lz4Block block(payload.subspan(prefix), out.first(size));
    if (!block.read()) return {{}, Error::lz4};
    return {out.first(size)};
}

}  // namespace portcullis::shadowland
