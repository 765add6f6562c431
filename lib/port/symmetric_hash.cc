#include "port/symmetric_hash.h"

#include <algorithm>
#include <cstring>

#include "packet/headers.h"
#include "packet/wire_order.h"

namespace portcullis::port {

namespace {

constexpr size_t mac_addresses_size = 12;
constexpr uint16_t type_ipv4 = 0x0800, type_ipv6 = 0x86dd;

uint16_t u16(Bytes in, size_t at) noexcept { return load_be16(&in[at]); }

uint64_t u64(Bytes in, size_t at) noexcept {
    uint64_t value;
    std::memcpy(&value, in.data() + at, sizeof value);
    return value;
}

uint32_t u32(Bytes in, size_t at) noexcept {
    uint32_t value;
    std::memcpy(&value, in.data() + at, sizeof value);
    return value;
}

/// Swapping source and destination leaves an exclusive or as it is; the
/// multiplication spreads it over the high bits, which choose the Worker.
uint32_t mixed(uint64_t sides, uint32_t ports) noexcept {
    uint64_t h = sides ^ (uint64_t{ports} << 29 | ports);
    h ^= h >> 32;
    h *= 0x9e3779b97f4a7c15;
    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9;
    return static_cast<uint32_t>(h >> 32);
}

/// 0 when there are no ports to read.
uint32_t ports_at(Bytes in, size_t at, uint8_t protocol) noexcept {
    if (protocol != ip_protocol_tcp && protocol != ip_protocol_udp) return 0;
    if (in.size() < at + 4) return 0;
    return static_cast<uint32_t>(u16(in, at) ^ u16(in, at + 2));
}

uint32_t hash_ipv4(Bytes in, size_t at) noexcept {
    constexpr size_t header_min = 20;
    if (in.size() < at + header_min) return 0;
    const uint64_t sides = u32(in, at + 12) ^ u32(in, at + 16);
    const bool fragment = (u16(in, at + 6) & 0x3fff) != 0;
    if (fragment) return mixed(sides, 0);
    const size_t header = (std::to_integer<size_t>(in[at]) & 0xf) * 4;
    return mixed(sides, ports_at(in, at + header, std::to_integer<uint8_t>(in[at + 9])));
}

uint32_t hash_ipv6(Bytes in, size_t at) noexcept {
    constexpr size_t header = 40, fragment_size = 8;
    constexpr uint16_t offset_and_more = 0xfff9;
    if (in.size() < at + header) return 0;
    const uint64_t high = u64(in, at + 8) ^ u64(in, at + 24);
    const uint64_t low = u64(in, at + 16) ^ u64(in, at + 32);
    // One direction may carry extension headers while the other does not, so the
    // ports are looked for behind as many as the parser opens (RFC 8200 4.1).  Of
    // fragments the addresses alone count, but not of one that is all (RFC 6946).
    uint8_t next = std::to_integer<uint8_t>(in[at + 6]);
    size_t end = at + header;
    for (unsigned i = 0; i < ipv6_headers_max && in.size() >= end + fragment_size; ++i) {
        const size_t size = ipv6_extension_size(&in[end], next);
        const bool fragment = next == ipv6_fragment_header;
        if (size == 0 || (fragment && (u16(in, end + 2) & offset_and_more) != 0)) break;
        next = std::to_integer<uint8_t>(in[end]);
        end += size;
    }
    return mixed(high * 3 ^ low, ports_at(in, end, next));
}

}  // namespace

uint32_t symmetric_hash(Bytes frame) noexcept {
    size_t at = mac_addresses_size;
    for (unsigned tags = 0; tags <= vlan_tags_max; ++tags) {
        if (frame.size() < at + 2) return 0;
        const uint16_t type = u16(frame, at);
        if (type == type_ipv4) return hash_ipv4(frame, at + 2);
        if (type == type_ipv6) return hash_ipv6(frame, at + 2);
        if (std::ranges::find(vlan_types, type) == vlan_types.end()) return 0;
        at += vlan_tag_size;
    }
    return 0;
}

}  // namespace portcullis::port
