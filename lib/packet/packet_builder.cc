#include "packet/packet_builder.h"

#include <algorithm>
#include <cstring>

#include <rte_mbuf.h>

#include "packet/checksum.h"
#include "packet/packet.h"
#include "packet/wire_order.h"

namespace portcullis {
namespace {

constexpr size_t ipv4_size = 20, ipv6_size = 40, tcp_size = 20, udp_size = 8;

void store_sum(std::byte* at, const ChecksumSum& sum) noexcept {
    const uint16_t field = sum.field();
    std::memcpy(at, &field, sizeof field);
}

}  // namespace

PacketBuilder& PacketBuilder::link(const LinkHeader& link) noexcept {
    link_ = link;
    return *this;
}

PacketBuilder& PacketBuilder::vlan(uint16_t id, uint16_t type) noexcept {
    const size_t i = link_.tag_count;
    if (i == vlan_tags_max) return *this;
    const auto kind = std::ranges::find(vlan_types, type) - vlan_types.begin();
    link_.tag_types = static_cast<uint8_t>(link_.tag_types | kind << (2 * i)) & 0x3f;
    link_.tag_controls[i] = {static_cast<uint8_t>(id >> 8), static_cast<uint8_t>(id)};
    link_.tag_count = static_cast<uint8_t>(i + 1) & 3;
    return *this;
}

PacketBuilder& PacketBuilder::from(const Endpoint& source) noexcept {
    source_ = source;
    return *this;
}

PacketBuilder& PacketBuilder::to(const Endpoint& destination) noexcept {
    destination_ = destination;
    return *this;
}

PacketBuilder& PacketBuilder::tcp(Seq seq, Seq ack, uint8_t flags, uint16_t window) noexcept {
    is_tcp_ = true;
    seq_ = seq;
    ack_ = ack;
    flags_ = flags;
    window_ = window;
    return *this;
}

PacketBuilder& PacketBuilder::udp() noexcept {
    is_tcp_ = false;
    return *this;
}

PacketBuilder& PacketBuilder::options(Bytes options) noexcept {
    options_ = options;
    return *this;
}

PacketBuilder& PacketBuilder::payload(Bytes payload) noexcept {
    payload_ = payload;
    return *this;
}

size_t PacketBuilder::l4_size() const noexcept {
    return (is_tcp_ ? tcp_size + options_.size() : udp_size) + payload_.size();
}

size_t PacketBuilder::size() const noexcept {
    return link_.size() + (is_v4() ? ipv4_size : ipv6_size) + l4_size();
}

size_t PacketBuilder::build(MutableBytes out) const noexcept {
    if (out.size() < size()) return 0;
    size_t at = link_.write(out.data(), is_v4() ? ether_type::ipv4 : ether_type::ipv6);
    at += write_ip(out.data() + at);
    write_l4(out.data() + at);
    return size();
}

rte_mbuf* PacketBuilder::make(rte_mempool* pool) const noexcept {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(pool);
    if (mbuf == nullptr) return nullptr;
    char* room = rte_pktmbuf_append(mbuf, static_cast<uint16_t>(size()));
    if (room == nullptr) {
        rte_pktmbuf_free(mbuf);
        return nullptr;
    }
    build({reinterpret_cast<std::byte*>(room), size()});
    return mbuf;
}

size_t PacketBuilder::write_ip(std::byte* at) const noexcept {
    const uint8_t protocol = is_tcp_ ? ip_protocol_tcp : ip_protocol_udp;
    if (!is_v4()) {
        store_be32(at, 6u << 28);
        store_be16(at + 4, static_cast<uint16_t>(l4_size()));
        at[6] = std::byte{protocol};
        at[7] = std::byte{hop_limit};
        std::memcpy(at + 8, source_.address.octets.data(), 16);
        std::memcpy(at + 24, destination_.address.octets.data(), 16);
        return ipv6_size;
    }
    std::memset(at, 0, ipv4_size);
    at[0] = std::byte{0x45};
    store_be16(at + 2, static_cast<uint16_t>(ipv4_size + l4_size()));
    store_be16(at + 6, 0x4000);  // Do not fragment; so the identification may be 0 (RFC 6864).
    at[8] = std::byte{hop_limit};
    at[9] = std::byte{protocol};
    store_be32(at + 12, source_.address.as_v4());
    store_be32(at + 16, destination_.address.as_v4());
    ChecksumSum sum;
    sum.add({at, ipv4_size});
    store_sum(at + 10, sum);
    return ipv4_size;
}

void PacketBuilder::write_l4(std::byte* at) const noexcept {
    const size_t header_size = l4_size() - payload_.size();
    std::memset(at, 0, header_size);
    store_be16(at, source_.port);
    store_be16(at + 2, destination_.port);
    if (is_tcp_) {
        store_be32(at + 4, seq_.value());
        store_be32(at + 8, ack_.value());
        at[12] = static_cast<std::byte>(header_size / 4 << 4);
        at[13] = std::byte{flags_};
        store_be16(at + 14, window_);
        if (!options_.empty()) std::memcpy(at + tcp_size, options_.data(), options_.size());
    } else {
        store_be16(at + 4, static_cast<uint16_t>(l4_size()));
    }
    if (!payload_.empty()) std::memcpy(at + header_size, payload_.data(), payload_.size());

    const uint8_t protocol = is_tcp_ ? ip_protocol_tcp : ip_protocol_udp;
    const ChecksumSum sum =
        l4_sum(source_.address, destination_.address, protocol, {at, l4_size()});
    store_sum(at + (is_tcp_ ? 16 : 6), sum);
    // A sum of 0 would say that there is none (RFC 768).
    if (!is_tcp_ && load_be16(at + 6) == 0) store_be16(at + 6, 0xffff);
}

}  // namespace portcullis
