#include "stages/parse/parse.h"

#include <algorithm>

#include <rte_mbuf.h>

#include "packet/headers.h"

namespace portcullis::stages {
namespace {

/// How many frames ahead of the one being read are asked for.
constexpr size_t frames_ahead = 4;

/// What the NIC found.  A sum that it did not look at is verified by `track`.
void take_nic_word(Packet& packet) noexcept {
    const uint64_t flags = packet.mbuf->ol_flags;
    if (flags == 0) return;
    const uint64_t ip = flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
    const uint64_t l4 = flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
    // NONE says that the bytes are whole although the sum in them is not filled
    // in, as between virtual machines of one host.
    packet.ip_sum_checked = ip == RTE_MBUF_F_RX_IP_CKSUM_GOOD || ip == RTE_MBUF_F_RX_IP_CKSUM_NONE;
    packet.l4_sum_checked = l4 == RTE_MBUF_F_RX_L4_CKSUM_GOOD || l4 == RTE_MBUF_F_RX_L4_CKSUM_NONE;
    const bool bad = ip == RTE_MBUF_F_RX_IP_CKSUM_BAD || l4 == RTE_MBUF_F_RX_L4_CKSUM_BAD;
    if (bad && packet.fault == DropReason::none) packet.fault = DropReason::bad_checksum;
}

}  // namespace

Parse::Parse(WorkerContext& context)
    : context_(context),
      copies_(std::make_unique<std::byte[]>(copied_bytes_max + readable_past_end)) {}

void Parse::process(Burst& burst) noexcept {
    copied_ = 0;
    const std::span<Packet> packets = burst.all();
    for (size_t i = 0; i < std::min(frames_ahead, packets.size()); ++i) {
        __builtin_prefetch(rte_pktmbuf_mtod(packets[i].mbuf, void*));
    }
    uint64_t not_ip = 0, with_options = 0;
    for (size_t i = 0; i < packets.size(); ++i) {
        if (i + frames_ahead < packets.size()) {
            __builtin_prefetch(rte_pktmbuf_mtod(packets[i + frames_ahead].mbuf, void*));
        }
        Packet& packet = packets[i];
        if (!packet.alive()) continue;
        open_frame(packet);
        not_ip += packet.ip_version == 0 ? 1 : 0;
        with_options += packet.ip_options ? 1 : 0;
    }
    if (not_ip > 0) context_.notice(Notice::not_ip, not_ip);
    if (with_options > 0) context_.notice(Notice::ip_options, with_options);
}

void Parse::open_frame(Packet& packet) noexcept {
    rte_mbuf* mbuf = packet.mbuf;
    packet.frame = rte_pktmbuf_mtod(mbuf, std::byte*);
    packet.frame_size = mbuf->data_len;
    bool whole = true;
    if (mbuf->nb_segs > 1) {
        std::byte* const copy = copies_.get() + copied_;
        const bool room = mbuf->pkt_len <= copied_bytes_max - copied_;
        // Bytes that lie in one segment, the others being empty, it does not copy.
        const void* const bytes = room ? rte_pktmbuf_read(mbuf, 0, mbuf->pkt_len, copy) : nullptr;
        whole = bytes != nullptr;
        if (whole) {
            packet.frame = static_cast<std::byte*>(const_cast<void*>(bytes));
            packet.frame_size = mbuf->pkt_len;
            packet.copied = bytes == copy;
            copied_ += packet.copied ? mbuf->pkt_len : 0;
        }
    }
    read_headers(packet);
    if (!whole && packet.ip_version != 0) packet.fault = DropReason::no_buffer;
    take_nic_word(packet);
}

}  // namespace portcullis::stages
