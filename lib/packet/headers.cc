#include "packet/headers.h"

#include <algorithm>
#include <cstring>

#include "packet/checksum.h"
#include "packet/wire_order.h"

namespace portcullis {
namespace {

// Next header numbers that RFC 8200 4 and IANA call extension headers.
namespace next_header {
constexpr uint8_t hop_by_hop = 0;
constexpr uint8_t routing = 43;
constexpr uint8_t authentication = 51;
constexpr uint8_t destination = 60;
constexpr uint8_t mobility = 135;
constexpr uint8_t host_identity = 139;
constexpr uint8_t shim6 = 140;
}  // namespace next_header

/// Longer than any frame that a port takes, and short enough for offsets of 16 bits.
constexpr size_t l3_offset_max = 16'384;
constexpr size_t ipv4_size_min = 20;
constexpr size_t ipv6_size = 40;
constexpr size_t tcp_size_min = 20;
constexpr size_t udp_size = 8;
constexpr size_t tcp_sum_offset = 16, udp_sum_offset = 6;
constexpr size_t tcp_flags_offset = 13, tcp_urgent_offset = 18;

uint8_t byte_at(const Packet& packet, size_t offset) noexcept {
    return std::to_integer<uint8_t>(packet.frame[offset]);
}

IpAddress read_v4(const std::byte* at) noexcept { return IpAddress::v4(load_be32(at)); }

IpAddress read_v6(const std::byte* at) noexcept {
    IpAddress address;
    std::memcpy(address.octets.data(), at, address.octets.size());
    return address;
}

bool is_tag(uint16_t type) noexcept {
    return std::ranges::find(vlan_types, type) != vlan_types.end();
}

/// The EtherType behind the VLAN tags; sets l3_offset.  0: none that we open.
uint16_t read_link(Packet& packet) noexcept {
    size_t at = ethernet_size;
    if (packet.frame_size < at) return 0;
    uint16_t type = load_be16(packet.frame + at - 2);
    while (is_tag(type)) {
        at += vlan_tag_size;
        if (packet.frame_size < at || at > l3_offset_max) return 0;
        type = load_be16(packet.frame + at - 2);
    }
    packet.l3_offset = static_cast<uint16_t>(at);
    packet.vlan_tags =
        static_cast<uint8_t>(std::min((at - ethernet_size) / vlan_tag_size, vlan_tags_max));
    return type;
}

/// Linux takes off as many tags of VLAN 0 as there are, so what stands behind them is read
/// there.  Nobody honest sends so many, and frames of our own could not have them.
bool tagged_too_deep(const Packet& packet) noexcept {
    return packet.l3_offset > ethernet_size + vlan_tags_max * vlan_tag_size;
}

/// Flags that no stack sends together, and that hosts read in different ways.
bool impossible_flags(uint8_t flags) noexcept {
    using namespace stream::tcp;
    if ((flags & syn) != 0) return (flags & (fin | rst)) != 0;
    return (flags & (ack | rst)) == 0;
}

void read_ports(Packet& packet) noexcept {
    const std::byte* l4 = packet.frame + packet.l4_offset;
    packet.source.port = load_be16(l4);
    packet.destination.port = load_be16(l4 + 2);
    packet.has_ports = true;
}

void read_tcp(Packet& packet, size_t l4_size) noexcept {
    if (l4_size < tcp_size_min) {
        packet.fault = DropReason::truncated;
        return;
    }
    const std::byte* l4 = packet.frame + packet.l4_offset;
    packet.tcp.seq = Seq(load_be32(l4 + 4));
    packet.tcp.ack = Seq(load_be32(l4 + 8));
    packet.tcp_flags = std::to_integer<uint8_t>(l4[tcp_flags_offset]);
    packet.tcp.window = load_be16(l4 + 14);
    packet.tcp.urgent = load_be16(l4 + tcp_urgent_offset);
    const size_t header_size = (std::to_integer<size_t>(l4[12]) >> 4) * 4;
    if (header_size < tcp_size_min || header_size > l4_size || impossible_flags(packet.tcp_flags)) {
        packet.fault = DropReason::bad_header;
        return;
    }
    if (header_size > tcp_size_min) {
        packet.tcp.options = stream::parse_options({l4 + tcp_size_min, header_size - tcp_size_min});
    }
    packet.payload_offset = static_cast<uint16_t>(packet.l4_offset + header_size);
    packet.payload_size = static_cast<uint16_t>(l4_size - header_size);
}

void read_udp(Packet& packet, size_t l4_size) noexcept {
    if (l4_size < udp_size) {
        packet.fault = DropReason::truncated;
        return;
    }
    // The datagram ends where UDP says; hosts cut off what IP carries after it.
    const size_t length = load_be16(packet.frame + packet.l4_offset + 4);
    if (length < udp_size || length > l4_size) {
        packet.fault = DropReason::bad_header;
        return;
    }
    packet.payload_offset = static_cast<uint16_t>(packet.l4_offset + udp_size);
    packet.payload_size = static_cast<uint16_t>(length - udp_size);
}

/// `l4_size` is what IP says; it lies within the frame.
void read_l4(Packet& packet, size_t l4_size) noexcept {
    if (packet.ip_protocol != ip_protocol_tcp && packet.ip_protocol != ip_protocol_udp) return;
    if (l4_size < 4) {
        packet.fault = DropReason::truncated;
        return;
    }
    read_ports(packet);
    if (packet.fragment) return;  // The rest of its header may be in another one.
    if (packet.ip_protocol == ip_protocol_tcp) {
        read_tcp(packet, l4_size);
    } else {
        read_udp(packet, l4_size);
    }
}

/// Calls `visit(offset, size)` for each IPv4 option that is a source route.
template <class Visit>
void each_route_v4(const Packet& packet, Visit&& visit) noexcept {
    constexpr uint8_t end_of_list = 0, no_operation = 1, loose = 131, strict = 137;
    const size_t end = packet.l4_offset;
    for (size_t at = packet.l3_offset + ipv4_size_min; at + 1 < end;) {
        const uint8_t type = byte_at(packet, at);
        if (type == end_of_list) return;
        const size_t size = type == no_operation ? 1 : byte_at(packet, at + 1);
        if (size == 0 || size > end - at || (type != no_operation && size < 2)) return;
        if (type == loose || type == strict) visit(at, size);
        at += size;
    }
}

void read_ipv4(Packet& packet) noexcept {
    const size_t room = packet.frame_size - packet.l3_offset;
    const std::byte* ip = packet.frame + packet.l3_offset;
    if (room < ipv4_size_min || (byte_at(packet, packet.l3_offset) >> 4) != 4) {
        packet.way = Way::pass;  // Not even addresses: no Service can be meant.
        return;
    }
    packet.ip_version = 4;
    packet.ip_protocol = byte_at(packet, packet.l3_offset + 9);
    packet.source.address = read_v4(ip + 12);
    packet.destination.address = read_v4(ip + 16);

    const size_t header_size = (byte_at(packet, packet.l3_offset) & 0x0f) * size_t{4};
    const size_t total_size = load_be16(ip + 2);
    if (header_size < ipv4_size_min || total_size < header_size) {
        packet.fault = DropReason::bad_header;
        return;
    }
    if (total_size > room) {
        packet.fault = DropReason::truncated;
        return;
    }
    packet.ip_options = header_size > ipv4_size_min;
    packet.l4_offset = static_cast<uint16_t>(packet.l3_offset + header_size);
    if (packet.ip_options) {
        each_route_v4(packet, [&](size_t, size_t) { packet.source_routed = true; });
    }

    const uint16_t fragment = load_be16(ip + 6) & 0x3fff;  // MF and offset, without DF.
    packet.fragment = fragment != 0;
    if ((fragment & 0x1fff) == 0) read_l4(packet, total_size - header_size);
}

/// Walks to the L4 header.  False: it is in another fragment, or not to be found.
bool walk_extensions(Packet& packet, size_t end) noexcept {
    size_t at = packet.l3_offset + ipv6_size;
    for (unsigned i = 0;; ++i) {
        packet.l4_offset = static_cast<uint16_t>(at);
        // The size is in the second byte; L4 needs more than two anyway.
        const size_t size =
            end - at < 2 ? 0 : ipv6_extension_size(packet.frame + at, packet.ip_protocol);
        if (size == 0) return true;
        packet.ip_options = true;
        if (i == ipv6_headers_max || size > end - at) {
            packet.fault = i == ipv6_headers_max ? DropReason::bad_header : DropReason::truncated;
            return false;
        }
        if (packet.ip_protocol == ipv6_fragment_header) {
            const uint16_t field = load_be16(packet.frame + at + 2);
            // A fragment that is the whole datagram counts as none (RFC 6946).
            packet.fragment = packet.fragment || (field & 0xfff9) != 0;
            if ((field & 0xfff8) != 0) {
                packet.ip_protocol = byte_at(packet, at);
                return false;
            }
        }
        packet.source_routed |= packet.ip_protocol == next_header::routing &&
                                byte_at(packet, at + 3) > 0;  // Segments left.
        packet.ip_protocol = byte_at(packet, at);
        at += size;
    }
}

void read_ipv6(Packet& packet) noexcept {
    const size_t room = packet.frame_size - packet.l3_offset;
    const std::byte* ip = packet.frame + packet.l3_offset;
    if (room < ipv6_size || (byte_at(packet, packet.l3_offset) >> 4) != 6) {
        packet.way = Way::pass;
        return;
    }
    packet.ip_version = 6;
    packet.ip_protocol = byte_at(packet, packet.l3_offset + 6);
    packet.source.address = read_v6(ip + 8);
    packet.destination.address = read_v6(ip + 24);

    if (packet.source.address.is_v4() || packet.destination.address.is_v4()) {
        // ::ffff:a.b.c.d is for sockets, never for a wire: it would pass for IPv4 here.
        packet.fault = DropReason::bad_header;
        return;
    }
    // Jumbograms say 0 here (RFC 2675); no game server is on such a link.
    const size_t payload_size = load_be16(ip + 4);
    if (payload_size > room - ipv6_size) {
        packet.fault = DropReason::truncated;
        return;
    }
    const size_t end = packet.l3_offset + ipv6_size + payload_size;
    if (walk_extensions(packet, end)) read_l4(packet, end - packet.l4_offset);
}

std::optional<Fragment> sound(const Fragment& fragment) noexcept {
    constexpr size_t unit = 8, datagram_max = UINT16_MAX;
    const size_t size = fragment.data.size();
    if (size == 0 || fragment.offset + size > datagram_max) return std::nullopt;
    if (!fragment.last && size % unit != 0) return std::nullopt;
    return fragment;
}

Fragment read_fragment_v4(const Packet& packet) noexcept {
    const std::byte* ip = packet.frame + packet.l3_offset;
    const size_t header_size = (std::to_integer<size_t>(ip[0]) & 0x0f) * 4;
    const uint16_t field = load_be16(ip + 6);
    return {.id = load_be16(ip + 4),
            .offset = (field & 0x1fffu) * 8,
            .last = (field & 0x2000) == 0,
            .protocol = std::to_integer<uint8_t>(ip[9]),
            .data = {ip + header_size, load_be16(ip + 2) - header_size}};
}

/// The first fragment header counts; one in what it carries belongs to that.
std::optional<Fragment> read_fragment_v6(const Packet& packet) noexcept {
    const std::byte* ip = packet.frame + packet.l3_offset;
    const size_t end = ipv6_size + load_be16(ip + 4);
    size_t at = ipv6_size;
    auto type = std::to_integer<uint8_t>(ip[6]);
    for (unsigned i = 0; i < ipv6_headers_max; ++i) {
        const size_t size = end - at < 8 ? 0 : ipv6_extension_size(ip + at, type);
        if (size == 0 || size > end - at) return std::nullopt;
        if (type == ipv6_fragment_header) {
            const uint16_t field = load_be16(ip + at + 2);
            return Fragment{.id = load_be32(ip + at + 4),
                            .offset = field & 0xfff8u,
                            .last = (field & 1) == 0,
                            .protocol = std::to_integer<uint8_t>(ip[at]),
                            .data = {ip + at + 8, end - at - 8}};
        }
        type = std::to_integer<uint8_t>(ip[at]);
        at += size;
    }
    return std::nullopt;
}

size_t l4_sum_offset(const Packet& packet) noexcept {
    return packet.l4_offset + (packet.is_tcp() ? tcp_sum_offset : udp_sum_offset);
}

/// Replaces `bytes` at `offset`, which the L4 sum covers.
void rewrite(Packet& packet, size_t offset, Bytes bytes) noexcept {
    const size_t sum_at = l4_sum_offset(packet);
    uint16_t field;
    std::memcpy(&field, packet.frame + sum_at, sizeof field);
    const bool summed = packet.is_tcp() || field != 0;
    field = adjusted_checksum(field, {packet.frame + offset, bytes.size()}, bytes,
                              (offset - packet.l4_offset) % 2 != 0);
    if (packet.is_udp() && field == 0) field = 0xffff;  // 0 would say "no sum" (RFC 768).
    packet.write(offset, bytes);
    if (summed) packet.write(sum_at, as_bytes(&field, sizeof field));
}

}  // namespace

size_t ipv6_extension_size(const std::byte* at, uint8_t type) noexcept {
    const auto length = std::to_integer<size_t>(at[1]);
    switch (type) {
        case next_header::hop_by_hop:
        case next_header::routing:
        case next_header::destination:
        case next_header::mobility:
        case next_header::host_identity:
        case next_header::shim6:
            return (length + 1) * 8;
        case next_header::authentication:
            return (length + 2) * 4;  // RFC 4302 2.2
        case ipv6_fragment_header:
            return 8;
        default:
            return 0;
    }
}

void read_headers(Packet& packet) noexcept {
    switch (read_link(packet)) {
        case ether_type::ipv4:
            read_ipv4(packet);
            break;
        case ether_type::ipv6:
            read_ipv6(packet);
            break;
        // Lengths (LLC, SNAP), ARP, MPLS, PPPoE and whatever else a wire carries.
        default:
            packet.way = Way::pass;
            break;
    }
    if (tagged_too_deep(packet) && packet.ip_version != 0) packet.fault = DropReason::bad_header;
}

std::optional<Fragment> read_fragment(const Packet& packet) noexcept {
    if (packet.ip_version == 4) return sound(read_fragment_v4(packet));
    const std::optional<Fragment> found = read_fragment_v6(packet);
    return found ? sound(*found) : std::nullopt;
}

bool checksums_hold(const Packet& packet) noexcept {
    if (packet.ip_version == 4 && !packet.ip_sum_checked) {
        ChecksumSum header;
        header.add({packet.frame + packet.l3_offset,
                    static_cast<size_t>(packet.l4_offset - packet.l3_offset)});
        if (header.folded() != 0xffff) return false;
    }
    if (packet.l4_sum_checked || packet.fragment) return true;
    if (packet.is_udp()) {
        const uint16_t field = load_be16(packet.frame + l4_sum_offset(packet));
        if (field == 0) return packet.ip_version == 4;  // RFC 8200 8.1: not with IPv6.
    }
    const size_t l4_size = size_t{packet.payload_offset} + packet.payload_size - packet.l4_offset;
    // The pseudo header's addresses stand one behind the other in the IP header.
    const size_t addresses = packet.ip_version == 4 ? 8 : 32;
    const size_t addresses_at = size_t{packet.l3_offset} + (packet.ip_version == 4 ? 12 : 8);
    ChecksumSum sum;
    sum.add({packet.frame + addresses_at, addresses});
    sum.add_be16(packet.ip_protocol);
    sum.add_be16(static_cast<uint16_t>(l4_size));
    sum.add({packet.frame + packet.l4_offset, l4_size});
    return sum.folded() == 0xffff;
}

size_t read_route(const Packet& packet, std::span<IpAddress> out) noexcept {
    size_t count = 0;
    const auto read = [&](size_t at, size_t end, size_t size, auto&& address) {
        for (; end - at >= size && count < out.size(); at += size) {
            out[count++] = address(packet.frame + at);
        }
    };
    if (packet.ip_version == 4) {
        each_route_v4(packet, [&](size_t at, size_t size) {
            if (size >= 3) read(at + 3, at + size, 4, read_v4);
        });
        return count;
    }
    size_t at = packet.l3_offset + ipv6_size;
    auto type = static_cast<uint8_t>(byte_at(packet, packet.l3_offset + 6));
    while (at < packet.l4_offset) {
        const size_t size = ipv6_extension_size(packet.frame + at, type);
        if (size == 0) break;
        if (type == next_header::routing) read(at + 8, at + size, 16, read_v6);
        type = static_cast<uint8_t>(byte_at(packet, at));
        at += size;
    }
    return count;
}

LinkHeader link_header(const Packet& packet) noexcept {
    return LinkHeader::read({packet.frame, packet.frame_size}, packet.vlan_tags);
}

void rewrite_payload(Packet& packet, size_t at, Bytes bytes) noexcept {
    if (at > packet.payload_size || bytes.size() > packet.payload_size - at) return;
    rewrite(packet, packet.payload_offset + at, bytes);
}

void clear_option(Packet& packet, uint8_t kind) noexcept {
    constexpr uint8_t end_of_list = 0, no_operation = 1;
    constexpr size_t options_max = 40;
    std::array<std::byte, options_max> nothing;
    nothing.fill(std::byte{no_operation});
    for (size_t at = packet.l4_offset + tcp_size_min; at + 1 < packet.payload_offset;) {
        const uint8_t type = byte_at(packet, at);
        if (type == end_of_list) return;
        const size_t size = type == no_operation ? 1 : byte_at(packet, at + 1);
        if (size == 0 || (type != no_operation && size < 2)) return;
        if (size > packet.payload_offset - at) return;
        if (type == kind) rewrite(packet, at, Bytes(nothing).first(size));
        at += size;
    }
}

void clear_urgent(Packet& packet) noexcept {
    packet.tcp_flags = static_cast<uint8_t>(packet.tcp_flags & ~stream::tcp::urg);
    packet.tcp.urgent = 0;
    const std::array<std::byte, 2> zero{};
    const auto flags = static_cast<std::byte>(packet.tcp_flags);
    rewrite(packet, packet.l4_offset + tcp_urgent_offset, zero);
    rewrite(packet, packet.l4_offset + tcp_flags_offset, {&flags, 1});
}

}  // namespace portcullis
