#include "protocol/shadowland/header.h"

#include <bit>

#include "base/crc32c.h"
#include "base/reader.h"
#include "base/writer.h"

namespace portcullis::shadowland {

namespace {

bool flags_agree(uint8_t flags, uint8_t channel_byte) noexcept {
    const uint8_t sealing = flags & flag::sealed;
    if (sealing != 0 && sealing != flag::sealed) return false;
    if ((channel_byte & key_phase_bit) != 0 && sealing == 0) return false;
    if (std::popcount(static_cast<uint8_t>(flags & flag::purposes)) > 1) return false;
    const bool control = (flags & flag::control) != 0;
    const uint8_t control_only = flag::fragment | flag::acknowledgment | flag::reliable_handshake;
    if (!control && (flags & control_only) != 0) return false;
    const bool fragment = (flags & flag::fragment) != 0;
    return (flags & flag::compressed) == 0 || !control || fragment;
}

Error error_in(const Header& header, uint8_t channel_byte) noexcept {
    const uint8_t channel = channel_byte & channel_bits;
    if (channel >= channels || (channel_byte & ~(channel_bits | key_phase_bit)) != 0) {
        return Error::channel;
    }
    if (!flags_agree(header.flags, channel_byte)) return Error::flags;
    const bool bare = header.flags == flag::control && header.channel == Channel::unreliable;
    if (header.connection_id == 0 && (!bare || header.sequence != 0)) return Error::connection;
    if (header.sequence >= sequence_end) return Error::sequence;
    // Only ConnectionAccepted has number 0 in a session.
    if (header.connection_id != 0 && header.sequence == 0 && !bare) return Error::sequence;
    return Error::none;
}

}  // namespace

ReadHeader read_header(Bytes datagram) noexcept {
    ReadHeader read;
    if (datagram.size() < plain_size_min || datagram.size() > datagram_size_max) {
        read.error = Error::size;
        return read;
    }
    Reader in(datagram);
    read.header.connection_id = in.le_u32();
    read.channel_byte = in.u8();
    read.header.channel = static_cast<Channel>(read.channel_byte & channel_bits);
    read.header.key_phase = (read.channel_byte & key_phase_bit) != 0;
    read.header.flags = in.u8();
    read.header.sequence = in.le_u64();
    read.error = error_in(read.header, read.channel_byte);
    return read;
}

Bytes payload_of(const Header& header, Bytes datagram) noexcept {
    const size_t around = header_size + header.trailer_size();
    if (datagram.size() <= around) return {};
    return datagram.subspan(header_size, datagram.size() - around);
}

bool crc_holds(Bytes datagram) noexcept {
    if (datagram.size() < crc_size) return false;
    const size_t covered = datagram.size() - crc_size;
    return Reader(datagram.subspan(covered)).le_u32() == crc32c(datagram.first(covered));
}

void write_header(const Header& header, MutableBytes out) noexcept {
    Writer to(out.first(header_size));
    to.le_u32(header.connection_id);
    to.u8(static_cast<uint8_t>(static_cast<uint8_t>(header.channel) |
                               (header.key_phase ? key_phase_bit : 0)));
    to.u8(header.flags);
    to.le_u64(header.sequence);
}

void write_crc(MutableBytes out) noexcept {
    const size_t covered = out.size() - crc_size;
    Writer(out.subspan(covered)).le_u32(crc32c(out.first(covered)));
}

}  // namespace portcullis::shadowland
