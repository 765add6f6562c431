#pragma once

#include <cstdint>

#include "protocol/shadowland/wire.h"

namespace portcullis::shadowland {

/// The 14 bytes before every payload.
struct Header {
    uint32_t connection_id = 0;  ///< 0 before a session exists.
    Channel channel{};
    bool key_phase = false;  ///< Lowest bit of the epoch whose key sealed the packet.
    uint8_t flags = 0;
    uint64_t sequence = 0;

    bool encrypted() const noexcept { return (flags & flag::encrypted) != 0; }
    bool control() const noexcept { return (flags & flag::control) != 0; }
    bool compressed() const noexcept { return (flags & flag::compressed) != 0; }
    bool reliable() const noexcept { return channel != Channel::unreliable; }
    /// What stands behind the payload.
    size_t trailer_size() const noexcept { return encrypted() ? tag_size : crc_size; }
};

struct ReadHeader {
    Header header;  ///< As far as it could be read; whole unless the error is `size`.
    uint8_t channel_byte = 0;
    Error error = Error::none;
};

/// Reads the header of a datagram and looks at all that shows without knowing
/// any session: steps 1 to 5 of the wire document's order of checks.
ReadHeader read_header(Bytes datagram) noexcept;

/// The payload between the header and the trailer; empty if there is none.
Bytes payload_of(const Header& header, Bytes datagram) noexcept;

/// Whether the sum at the end of a plain datagram is right.
bool crc_holds(Bytes datagram) noexcept;

/// Writes the header to the first 14 bytes of `out`.
void write_header(const Header& header, MutableBytes out) noexcept;
/// Puts the sum behind everything else; `out` ends with the 4 bytes for it.
void write_crc(MutableBytes out) noexcept;

}  // namespace portcullis::shadowland
