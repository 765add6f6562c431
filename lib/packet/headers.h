#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "packet/link_header.h"
#include "packet/packet.h"

namespace portcullis {

/// An IPv6 packet with more extension headers than this is nobody's honest one.
inline constexpr unsigned ipv6_headers_max = 8;

/// Says where a fragment stands in its datagram (RFC 8200 4.5).
inline constexpr uint8_t ipv6_fragment_header = 44;

/// The size of the extension header of this type that begins at `at`, of which two bytes are
/// read; 0: it is none.
size_t ipv6_extension_size(const std::byte* at, uint8_t type) noexcept;

/// Finds the headers of `packet.frame` and fills in what they say: endpoints,
/// TCP fields, the payload.  Sets `way` to pass when there is no IP inside, and
/// `fault` when no host would take the packet.  Reads only
/// `frame[0, frame_size)`; sums are not looked at.
void read_headers(Packet& packet) noexcept;

/// What an IP fragment says of itself.
struct Fragment {
    uint32_t id = 0;
    uint32_t offset = 0;  ///< Bytes, of the datagram.
    bool last = false;
    uint8_t protocol = 0;  ///< Of what its data begins with, if it is the first.
    Bytes data;
};
/// Of a packet that is a fragment and has no fault.  Nothing when no host would
/// take it: an empty one, or one whose size does not let another follow.
std::optional<Fragment> read_fragment(const Packet& packet) noexcept;

/// Whether the sums that nobody verified are right.  IPv4's header first, then
/// TCP or UDP.  Only for a packet with ports and without a fault.
bool checksums_hold(const Packet& packet) noexcept;

/// Writes the addresses that the source route of a packet names into `out`, as many as fit,
/// and returns how many those are: where it goes after its destination, and where it was.
size_t read_route(const Packet& packet, std::span<IpAddress> out) noexcept;

/// How the frame is addressed below IP.
LinkHeader link_header(const Packet& packet) noexcept;

/// Rewrites bytes of the payload in the frame that leaves, with the TCP or UDP
/// sum to match.
void rewrite_payload(Packet& packet, size_t at, Bytes bytes) noexcept;

/// Puts no-operations where the TCP options of this kind are in the frame that leaves, sum
/// included.  Only for a packet without fault.
void clear_option(Packet& packet, uint8_t kind) noexcept;

/// Takes the URG bit and pointer out of the frame that leaves, sum included.
void clear_urgent(Packet& packet) noexcept;

}  // namespace portcullis
