#include "port/symmetric_hash.h"

#include <cstring>

namespace portcullis::port {

namespace {

constexpr size_t mac_addresses_size = 12;
constexpr unsigned vlan_tags_max = 2;
constexpr uint16_t type_ipv4 = 0x0800, type_ipv6 = 0x86dd;
constexpr uint16_t type_vlan = 0x8100, type_qinq = 0x88a8, type_qinq_old = 0x9100;
constexpr uint8_t protocol_tcp = 6, protocol_udp = 17;

uint16_t u16(Bytes in, size_t at) noexcept {
    return static_cast<uint16_t>(std::to_integer<unsigned>(in[at]) << 8 |
                                 std::to_integer<unsigned>(in[at + 1]));
}

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
    if (protocol != protocol_tcp && protocol != protocol_udp) return 0;
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
    constexpr size_t header = 40;
    constexpr unsigned extensions_max = 4;
    constexpr uint8_t hop_by_hop = 0, routing = 43, destination_options = 60;
    if (in.size() < at + header) return 0;
    const uint64_t high = u64(in, at + 8) ^ u64(in, at + 24);
    const uint64_t low = u64(in, at + 16) ^ u64(in, at + 32);
    // One direction may carry extension headers while the other does not, so the
    // ports are looked for behind them (RFC 8200 4.1).  A fragment header ends
    // the search: of those the addresses alone count.
    uint8_t next = std::to_integer<uint8_t>(in[at + 6]);
    size_t end = at + header;
    for (unsigned i = 0; i < extensions_max; ++i) {
        if (next != hop_by_hop && next != routing && next != destination_options) break;
        if (in.size() < end + 2) break;
        next = std::to_integer<uint8_t>(in[end]);
        end += (std::to_integer<size_t>(in[end + 1]) + 1) * 8;
    }
    return mixed(high * 3 ^ low, ports_at(in, end, next));
}

}  // namespace

uint32_t symmetric_hash(Bytes frame) noexcept {
    size_t at = mac_addresses_size;
    for (unsigned tags = 0; tags <= vlan_tags_max; ++tags) {
        if (frame.size() < at + 2) return 0;
        switch (u16(frame, at)) {
            case type_ipv4:
                return hash_ipv4(frame, at + 2);
            case type_ipv6:
                return hash_ipv6(frame, at + 2);
            case type_vlan:
            case type_qinq:
            case type_qinq_old:
                at += 4;
                break;
            default:
                return 0;
        }
    }
    return 0;
}

}  // namespace portcullis::port
