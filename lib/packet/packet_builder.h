#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/ip.h"
#include "base/seq.h"
#include "packet/link_header.h"

struct rte_mbuf;
struct rte_mempool;

namespace portcullis {

/// Makes one TCP or UDP frame with right lengths and sums: what `enforce`
/// injects, and what tests send.
///
///     PacketBuilder{}.link(l).from(client).to(server).tcp(seq, ack, syn).make(pool)
class PacketBuilder {
public:
    static constexpr uint8_t hop_limit = 64;

    PacketBuilder& link(const LinkHeader& link) noexcept;
    /// Adds a tag behind those that are there.
    PacketBuilder& vlan(uint16_t id, uint16_t type = vlan_types[0]) noexcept;
    PacketBuilder& from(const Endpoint& source) noexcept;
    PacketBuilder& to(const Endpoint& destination) noexcept;
    PacketBuilder& tcp(Seq seq, Seq ack, uint8_t flags, uint16_t window = 65535) noexcept;
    PacketBuilder& udp() noexcept;
    /// TCP options, a multiple of four bytes up to 40; a view until it is built.
    PacketBuilder& options(Bytes options) noexcept;
    PacketBuilder& payload(Bytes payload) noexcept;

    /// What `build` will write.
    size_t size() const noexcept;
    /// Returns `size()`, or 0 when `out` is shorter.
    size_t build(MutableBytes out) const noexcept;
    /// Null when the pool is empty or its mbufs are too small.
    rte_mbuf* make(rte_mempool* pool) const noexcept;

private:
    bool is_v4() const noexcept { return source_.address.is_v4(); }
    size_t l4_size() const noexcept;
    size_t write_ip(std::byte* at) const noexcept;
    void write_l4(std::byte* at) const noexcept;

    LinkHeader link_;
    Endpoint source_, destination_;
    Seq seq_, ack_;
    uint16_t window_ = 0;
    uint8_t flags_ = 0;
    bool is_tcp_ = true;
    Bytes options_, payload_;
};

}  // namespace portcullis
