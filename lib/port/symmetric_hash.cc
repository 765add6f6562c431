#include "port/symmetric_hash.h"

#include <algorithm>
#include <cstring>

#include "packet/headers.h"
#include "packet/wire_order.h"

namespace portcullis::port {

namespace {

constexpr size_t mac_addresses_size = 12;

uint16_t u16(Bytes in, size_t at) noexcept { return load_be16(&in[at]); }

uint64_t u64(const std::byte* at) noexcept {
    uint64_t value;
    std::memcpy(&value, at, sizeof value);
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

uint64_t sides_ipv6(const std::byte* source, const std::byte* destination) noexcept {
    const uint64_t high = u64(source) ^ u64(destination);
    return high * 3 ^ u64(source + 8) ^ u64(destination + 8);
}

constexpr SymmetricHash too_short{.cut = true};

/// Without ports where there are none to read.
SymmetricHash with_ports(uint64_t sides, Bytes in, size_t at, uint8_t protocol) noexcept {
    if (protocol != ip_protocol_tcp && protocol != ip_protocol_udp) return {mixed(sides, 0)};
    if (in.size() < at + 4) return {.value = mixed(sides, 0), .cut = true};
    return {mixed(sides, static_cast<uint32_t>(u16(in, at) ^ u16(in, at + 2)))};
}

SymmetricHash hash_ipv4(Bytes in, size_t at) noexcept {
    constexpr size_t header_min = 20;
    if (in.size() < at + header_min) return too_short;
    const uint64_t sides = u32(in, at + 12) ^ u32(in, at + 16);
    const bool fragment = (u16(in, at + 6) & 0x3fff) != 0;
    if (fragment) return {mixed(sides, 0), true};
    const size_t header = (std::to_integer<size_t>(in[at]) & 0xf) * 4;
    return with_ports(sides, in, at + header, std::to_integer<uint8_t>(in[at + 9]));
}

SymmetricHash hash_ipv6(Bytes in, size_t at) noexcept {
    constexpr size_t header = 40, fragment_size = 8;
    constexpr uint16_t offset_and_more = 0xfff9;
    if (in.size() < at + header) return too_short;
    const uint64_t sides = sides_ipv6(&in[at + 8], &in[at + 24]);
    // One direction may carry extension headers while the other does not, so the
    // ports are looked for behind as many as the parser opens (RFC 8200 4.1).  Of
    // fragments the addresses alone count, but not of one that is all (RFC 6946).
    uint8_t next = std::to_integer<uint8_t>(in[at + 6]);
    size_t end = at + header;
    for (unsigned i = 0; i < ipv6_headers_max; ++i) {
        if (in.size() < end + fragment_size) return {.value = mixed(sides, 0), .cut = true};
        const size_t size = ipv6_extension_size(&in[end], next);
        if (size == 0) break;
        if (next == ipv6_fragment_header && (u16(in, end + 2) & offset_and_more) != 0) {
            return {mixed(sides, 0), true};
        }
        next = std::to_integer<uint8_t>(in[end]);
        end += size;
    }
    return with_ports(sides, in, end, next);
}

}  // namespace

SymmetricHash symmetric_hash_of(Bytes frame) noexcept {
    size_t at = mac_addresses_size;
    for (unsigned tags = 0; tags <= vlan_tags_max; ++tags) {
        if (frame.size() < at + 2) return too_short;
        const uint16_t type = u16(frame, at);
        if (type == ether_type::ipv4) return hash_ipv4(frame, at + 2);
        if (type == ether_type::ipv6) return hash_ipv6(frame, at + 2);
        if (std::ranges::find(vlan_types, type) == vlan_types.end()) return {};
        at += vlan_tag_size;
    }
    return {};
}

uint32_t symmetric_hash(const Endpoint& one, const Endpoint& other) noexcept {
    const Bytes a = as_bytes(one.address.octets.data(), one.address.octets.size());
    const Bytes b = as_bytes(other.address.octets.data(), other.address.octets.size());
    const uint64_t sides =
        one.address.is_v4() ? u32(a, 12) ^ u32(b, 12) : sides_ipv6(a.data(), b.data());
    return mixed(sides, static_cast<uint32_t>(one.port ^ other.port));
}

}  // namespace portcullis::port
