#include "pipeline/replay.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_ring.h>

#include "base/concat.h"
#include "base/setup_error.h"
#include "pipeline/worker.h"

namespace portcullis::pipeline {

namespace {

constexpr unsigned small_count = 2048;
constexpr unsigned large_count = 96;
constexpr uint16_t large_room = UINT16_MAX - 64;  ///< Headroom and a 65,000-byte frame.
constexpr unsigned ring_size = 1024;              ///< More than a burst and all that it can inject.
constexpr unsigned memory_mib = 64;

template <class T>
T* made(T* thing, const char* what) {
    if (thing == nullptr) throw SetupError(concat(what, ": ", rte_strerror(rte_errno)));
    return thing;
}

rte_ring* make_ring(const char* name) {
    return made(rte_ring_create(name, ring_size, 0, RING_F_SP_ENQ | RING_F_SC_DEQ), name);
}

/// A port whose ends are rings; what a Worker takes from it, it calls receiving.
uint16_t make_port(const char* name, rte_ring* receive, rte_ring* send, rte_mempool* pool) {
    const int port = rte_eth_from_rings(name, &receive, 1, &send, 1, 0);
    if (port < 0) throw SetupError(concat(name, ": ", rte_strerror(rte_errno)));
    const auto id = static_cast<uint16_t>(port);
    const rte_eth_conf conf{};
    if (rte_eth_dev_configure(id, 1, 1, &conf) != 0 ||
        rte_eth_rx_queue_setup(id, 0, ring_size, 0, nullptr, pool) != 0 ||
        rte_eth_tx_queue_setup(id, 0, ring_size, 0, nullptr) != 0 || rte_eth_dev_start(id) != 0) {
        throw SetupError(concat(name, ": the port of rings can not be set up"));
    }
    return id;
}

/// More than there are keys, so that none gives way to another.
uint32_t room_for(std::span<const keys::Key> keys) {
    return keys.empty() ? 0 : static_cast<uint32_t>(8 * keys.size() + 1024);
}

}  // namespace

port::EalOptions offline_eal() {
    port::EalOptions options;
    options.memory_mib = memory_mib;
    options.placement = port::place("", 0);
    return options;
}

ReplayWire::ReplayWire() {
    rte_mbuf_dynfield size_field{"portcullis_original_size", sizeof(uint32_t), alignof(uint32_t),
                                 0};
    size_offset_ = rte_mbuf_dynfield_register(&size_field);
    const rte_mbuf_dynflag cut_flag{"portcullis_cut", 0};
    const int cut_bit = rte_mbuf_dynflag_register(&cut_flag);
    if (size_offset_ < 0 || cut_bit < 0 ||
        rte_mbuf_dyn_rx_timestamp_register(&timestamp_offset_, &captured_flag_) != 0) {
        throw SetupError(concat("packet buffers have no room: ", rte_strerror(rte_errno)));
    }
    cut_flag_ = uint64_t{1} << cut_bit;
    small_ = made(rte_pktmbuf_pool_create("small", small_count, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0),
                  "small packet buffers");
    large_ = made(rte_pktmbuf_pool_create("large", large_count, 0, 0, large_room, 0),
                  "large packet buffers");
    in_ = make_ring("in");
    nothing_ = make_ring("nothing");
    out_inside_ = make_ring("out_inside");
    out_outside_ = make_ring("out_outside");
    outside_ = make_port("outside", in_, out_outside_, small_);
    inside_ = make_port("inside", nothing_, out_inside_, small_);
}

ReplayWire::~ReplayWire() {
    for (uint16_t port : {outside_, inside_}) {
        rte_eth_dev_stop(port);
        rte_eth_dev_close(port);
    }
    for (rte_ring* ring : {in_, nothing_, out_inside_, out_outside_}) rte_ring_free(ring);
    rte_mempool_free(small_);
    rte_mempool_free(large_);
}

class Replay::Parts {
public:
    explicit Parts(const Setup& setup)
        : given(setup),
          rules(setup.rules, 1),
          context({setup.config, setup.rules.get(), counters, setup.wire.small_, 0, 0,
                   room_for(setup.keys)}) {
        for (const keys::Key& key : setup.keys) {
            const auto* minecraft = std::get_if<keys::MinecraftKey>(&key);
            if (minecraft != nullptr) {
                context.keys.add(*minecraft, keys::Keyring::forever);
            } else {
                context.take_key(key, {});
            }
        }
    }

    const Setup given;
    RuleBoard rules;
    stages::Counters counters;
    stages::WorkerContext context;
    std::unique_ptr<Worker> worker;
    std::array<verdicts::VerdictRecord, 256> records;
    std::vector<std::byte> flat;  ///< A frame of several segments, in one piece.
    size_t waiting = 0;           ///< Frames in the ring for the next burst.
    Nanos burst_began{}, last_time{};
};

Replay::Replay(const Setup& setup) : parts_(std::make_unique<Parts>(setup)) {
    Parts& parts = *parts_;
    parts.context.observer = setup.observer;
    parts.context.streams_to = setup.streams_to;
    WireEnds ends;
    ends[static_cast<size_t>(Side::outside)] = {setup.wire.outside_, 0, 0, false};
    ends[static_cast<size_t>(Side::inside)] = {setup.wire.inside_, 0, 0, false};
    parts.worker = std::make_unique<Worker>(
        Worker::Setup{.index = 0,
                      .wires = {ends},
                      .pipeline = make_pipeline(setup.pipeline, parts.context),
                      .context = parts.context,
                      .rules = parts.rules,
                      .timestamp_offset = setup.wire.timestamp_offset_,
                      .cut_flag = setup.wire.cut_flag_});
}

Replay::~Replay() = default;

const stages::Counters& Replay::counters() const noexcept { return parts_->counters; }

bool Replay::resume(const stages::CapturePart& part) {
    parts_->last_time = part.snapshot.time;
    parts_->worker->pass_time(part.snapshot.time);
    return parts_->context.resume(part) != nullptr;
}

void Replay::give_key(const keys::Key& key) {
    if (parts_->waiting > 0) run_burst();
    parts_->context.take_key(key, parts_->last_time);
}

void Replay::feed(const CapturedFrame& frame) {
    Parts& parts = *parts_;
    if (parts.waiting == Worker::receive_max ||
        (parts.waiting > 0 && frame.time - parts.burst_began > burst_span_max)) {
        run_burst();
    }
    if (parts.waiting == 0) {
        // Captures are not always in order; time is.
        parts.burst_began = std::max(frame.time, parts.last_time);
        parts.worker->pass_time(parts.burst_began);
        take_left();
    }
    parts.last_time = std::max(frame.time, parts.last_time);
    rte_ring_enqueue(parts.given.wire.in_, make(frame));
    ++parts.waiting;
}

void Replay::finish() {
    if (parts_->waiting > 0) run_burst();
    parts_->worker->pass_time(parts_->last_time);
    parts_->context.evidence.finish();
    take_left();
}

rte_mbuf* Replay::make(const CapturedFrame& frame) const {
    const ReplayWire& wire = parts_->given.wire;
    const bool fits = frame.bytes.size() <= RTE_MBUF_DEFAULT_DATAROOM;
    rte_mempool* const pool = fits ? wire.small_ : wire.large_;
    rte_mbuf* const head = made(rte_pktmbuf_alloc(pool), "a packet buffer");
    *RTE_MBUF_DYNFIELD(head, wire.timestamp_offset_, rte_mbuf_timestamp_t*) =
        static_cast<uint64_t>(frame.time.count());
    *RTE_MBUF_DYNFIELD(head, wire.size_offset_, uint32_t*) = frame.original_size;
    head->ol_flags |= wire.captured_flag_;
    if (frame.original_size > frame.bytes.size()) head->ol_flags |= wire.cut_flag_;

    Bytes rest = frame.bytes;
    for (rte_mbuf* segment = head;;) {
        const size_t size = std::min<size_t>(rest.size(), rte_pktmbuf_tailroom(segment));
        if (size > 0) std::memcpy(rte_pktmbuf_mtod(segment, void*), rest.data(), size);
        segment->data_len = static_cast<uint16_t>(size);
        rest = rest.subspan(size);
        if (rest.empty()) break;
        segment->next = made(rte_pktmbuf_alloc(pool), "a packet buffer");
        segment = segment->next;
        ++head->nb_segs;
    }
    head->pkt_len = static_cast<uint32_t>(frame.bytes.size());
    return head;
}

void Replay::run_burst() {
    parts_->worker->turn();
    parts_->waiting = 0;
    take_left();
}

void Replay::take_left() {
    Parts& parts = *parts_;
    const ReplayWire& wire = parts.given.wire;
    // First what crossed the wire and our frames to the server, then ours to the client.
    for (rte_ring* ring : {wire.out_inside_, wire.out_outside_}) {
        void* taken = nullptr;
        while (rte_ring_dequeue(ring, &taken) == 0) {
            rte_mbuf* const packet = static_cast<rte_mbuf*>(taken);
            if (parts.given.on_left) {
                const bool captured = (packet->ol_flags & wire.captured_flag_) != 0;
                parts.flat.resize(packet->pkt_len);
                const void* bytes = rte_pktmbuf_read(packet, 0, packet->pkt_len, parts.flat.data());
                const auto time =
                    *RTE_MBUF_DYNFIELD(packet, wire.timestamp_offset_, rte_mbuf_timestamp_t*);
                parts.given.on_left({captured ? Nanos(static_cast<int64_t>(time)) : parts.last_time,
                                     captured
                                         ? *RTE_MBUF_DYNFIELD(packet, wire.size_offset_, uint32_t*)
                                         : packet->pkt_len,
                                     as_bytes(bytes, packet->pkt_len)});
            }
            rte_pktmbuf_free(packet);
        }
    }
    for (size_t count; (count = parts.context.records.pop(parts.records)) > 0;) {
        for (size_t i = 0; i < count; ++i) parts.given.on_record(parts.records[i]);
    }
    while (stages::Capture* capture = parts.context.evidence.take()) {
        if (parts.given.on_evidence) parts.given.on_evidence(*capture);
        parts.context.evidence.give_back(capture);
    }
}

}  // namespace portcullis::pipeline
