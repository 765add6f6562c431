#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/drop_reason.h"
#include "base/ip.h"
#include "base/seq.h"
#include "base/side.h"
#include "base/time.h"
#include "protocol/protocol.h"
#include "stream/segment.h"

struct rte_mbuf;

namespace portcullis {

struct Flow;

/// Whether later stages look into a packet.
enum class Way : uint8_t {
    inspect,  ///< It belongs to a Service, or nobody has said otherwise yet.
    pass,     ///< It crosses untouched: no IP, no Service, or a flow we do not inspect.
};

/// What one TCP header says.
struct TcpFields {
    Seq seq;
    Seq ack;
    uint16_t window = 0;  ///< As sent, not scaled.
    uint16_t urgent = 0;
    stream::TcpOptions options;
};

/// One frame and what is known about it.  `parse` fills the headers, `track`
/// the Flow and Direction; each stage after that only looks, or refuses it.
///
/// The first cache line is what every stage reads, the second what TCP reads.
struct alignas(64) Packet {
    rte_mbuf* mbuf = nullptr;
    /// The frame from its first byte, `frame_size` bytes in one piece.  For an
    /// mbuf of several segments this is a copy: change a frame only by `write`.
    std::byte* frame = nullptr;
    Flow* flow = nullptr;
    Nanos time{};
    uint32_t frame_size = 0;
    uint16_t l3_offset = 0;
    uint16_t l4_offset = 0;
    uint16_t payload_offset = 0;
    uint16_t payload_size = 0;  ///< By the IP length: Ethernet's padding is not in it.
    Side side = Side::outside;  ///< Where it came in.
    uint8_t wire = 0;
    DropReason drop = DropReason::none;
    Way way = Way::inspect;
    protocol::Direction direction = protocol::Direction::to_server;
    /// Why no host would take it.  `track` makes a drop of it if a Service is
    /// concerned; anybody else's broken packets are not ours to judge.
    DropReason fault = DropReason::none;
    uint8_t ip_version = 0;   ///< 4, 6; 0: not IP.
    uint8_t ip_protocol = 0;  ///< Of the innermost header; meaningless when ip_version is 0.
    uint8_t tcp_flags = 0;    ///< Bits of stream::tcp.
    uint8_t vlan_tags = 0;
    bool fragment : 1 = false;        ///< Part of an IP datagram; has ports if it is the first.
    bool has_ports : 1 = false;       ///< `source` and `destination` are complete.
    bool ip_options : 1 = false;      ///< IPv4 options or IPv6 extension headers.
    bool ip_sum_checked : 1 = false;  ///< By the NIC.
    bool l4_sum_checked : 1 = false;
    /// Its source names further places that it shall go by (RFC 791 3.1, RFC 8200 4.4).
    bool source_routed : 1 = false;
    bool copied : 1 = false;  ///< `frame` is not the mbuf's own memory.
    /// `frame` is a whole datagram, the mbuf only its latest fragment: what it says
    /// can be refused and not changed.
    bool put_together : 1 = false;

    alignas(64) Endpoint source;
    Endpoint destination;
    TcpFields tcp;

    bool alive() const noexcept { return drop == DropReason::none; }
    /// It does not go on.  The first reason stays.
    void refuse(DropReason reason) noexcept {
        if (drop == DropReason::none) drop = reason;
    }
    /// True while stages after `track` have something to do with it.
    bool inspected() const noexcept { return alive() && way == Way::inspect && flow != nullptr; }

    bool is_tcp() const noexcept { return ip_protocol == ip_protocol_tcp && ip_version != 0; }
    bool is_udp() const noexcept { return ip_protocol == ip_protocol_udp && ip_version != 0; }
    /// All of these bits of stream::tcp are set.
    bool has(uint8_t flags) const noexcept { return (tcp_flags & flags) == flags; }
    bool to_server() const noexcept { return direction == protocol::Direction::to_server; }

    Bytes payload() const noexcept { return {frame + payload_offset, payload_size}; }
    stream::Segment segment() const noexcept {
        return {tcp.seq, tcp.ack, tcp.window, tcp.urgent, tcp_flags, payload(), tcp.options};
    }
    /// Changes bytes of the frame that leaves, also where `frame` is a copy.
    /// Sums are the caller's.
    void write(size_t offset, Bytes bytes) noexcept;
};
static_assert(sizeof(Packet) == 128);

}  // namespace portcullis
