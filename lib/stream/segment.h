#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/seq.h"

namespace portcullis::stream {

/// The control bits of a TCP header, as they stand in its 14th byte (RFC 9293 3.1).
namespace tcp {
inline constexpr uint8_t fin = 0x01;
inline constexpr uint8_t syn = 0x02;
inline constexpr uint8_t rst = 0x04;
inline constexpr uint8_t psh = 0x08;
inline constexpr uint8_t ack = 0x10;
inline constexpr uint8_t urg = 0x20;
}  // namespace tcp

/// Of the option that joins several connections into one (RFC 8684), by IANA's registry.
inline constexpr uint8_t multipath_option = 30;

/// What a header's options say.  `has_` fields are false when the option is
/// absent or has a length it may not have.
struct TcpOptions {
    static constexpr uint8_t scale_max = 14;  ///< Larger ones count as 14 (RFC 7323 2.3).

    uint32_t timestamp = 0;       ///< TSval
    uint32_t timestamp_echo = 0;  ///< TSecr
    uint16_t mss = 0;             ///< 0: not said.
    uint8_t window_scale = 0;
    bool has_timestamps = false;
    bool has_window_scale = false;
    bool sack_permitted : 1 = false;
    bool fast_open : 1 = false;
    bool multipath : 1 = false;
    bool malformed : 1 = false;  ///< The list ended inside an option; what came before counts.
};

/// Reads what lies between the fixed header and the payload.
TcpOptions parse_options(Bytes options) noexcept;

/// One TCP segment as a Connection judges it.  The payload's size comes from
/// the IP header: Ethernet padding is never payload.
struct Segment {
    Seq seq;
    Seq ack;  ///< Only with the ACK bit.
    uint16_t window = 0;
    uint16_t urgent = 0;
    uint8_t flags = 0;
    Bytes payload;
    TcpOptions options;

    bool has(uint8_t bits) const noexcept { return (flags & bits) == bits; }
    bool has_any(uint8_t bits) const noexcept { return (flags & bits) != 0; }
    /// Where its payload starts: a SYN takes the number before it.
    Seq begin() const noexcept { return has(tcp::syn) ? seq + 1 : seq; }
    Seq end() const noexcept { return begin() + static_cast<uint32_t>(payload.size()); }
};

}  // namespace portcullis::stream
