#include "pipeline/worker.h"

#include <algorithm>
#include <utility>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_pause.h>
#include <rte_prefetch.h>

#include "port/symmetric_hash.h"

namespace portcullis::pipeline {

namespace {

constexpr size_t sides = static_cast<size_t>(Side::count);
/// The Workers' own `Fragments` forget none of those that they gave away, and need less for it.
constexpr uint32_t fragments_remembered = 16;
/// A port that does not take a packet is asked again this often, a few
/// microseconds in all; then the packet is dropped and counted, for waiting
/// longer would lose those that come in.
constexpr unsigned send_retries_max = 64;

uint64_t bytes_of(std::span<rte_mbuf* const> packets) noexcept {
    uint64_t bytes = 0;
    for (const rte_mbuf* packet : packets) bytes += packet->pkt_len;
    return bytes;
}

}  // namespace

Worker::Worker(Setup setup)
    : index_(setup.index),
      wires_(setup.wires),
      context_(setup.context),
      rules_(setup.rules),
      hand_over_(setup.hand_over),
      fragment_owners_(hands_over() ? fragments_remembered * context_.config.limits.fragments *
                                          hand_over_->workers()
                                    : 0,
                       context_.secret),
      in_one_piece_(hands_over() ? size_t{UINT16_MAX} + 1 : 0),
      clock_(setup.clock),
      timestamp_offset_(setup.timestamp_offset),
      cut_flag_(setup.cut_flag),
      idle_policy_(setup.idle),
      pipeline_(std::move(setup.pipeline)),
      teller_(setup.context),
      nanos_(static_cast<double>(rte_get_tsc_hz())),
      orders_("orders", orders_max),
      keys_("keys", keys_max),
      leaving_(setup.wires.size()) {}

void Worker::run() noexcept {
    rules_.enter(index_);
    if (idle_policy_ == config::Idle::interrupt) arm_interrupts();
    while (!stopping_.load(std::memory_order_relaxed)) {
        if (turn()) {
            idle_turns_ = 0;
        } else {
            idle();
        }
    }
    drain();
    rules_.leave(index_);
}

bool Worker::turn() noexcept {
    turn_began_ = rte_rdtsc();
    if (clock_ != nullptr) {
        now_ = std::max(now_, clock_->at(turn_began_));
        context_.wall_step = clock_->step();
    }
    context_.rules = rules_.current();
    burst_.clear(now_);
    sent_ = 0;

    receive();
    const bool ordered = obey();
    busy_ = !burst_.empty() || ordered;
    if (busy_) process();
    if (hand_over_ != nullptr) count_handed();
    if (clock_ != nullptr && now_ - house_kept_ >= house_interval) keep_house();
    if (hand_over_ != nullptr && index_ == 0) send_handed_back();

    rules_.quiet(index_);
    counters().progress.add();
    if (busy_) {
        counters().bursts.add();
        count_time();
    } else {
        counters().idle_polls.add();
    }
    return busy_;
}

/// What the turn took, its packets have waited.
void Worker::count_time() noexcept {
    const uint64_t cycles = rte_rdtsc() - turn_began_;
    counters().busy_cycles.add(cycles);
    // Handed-over packets are counted one by one, where they leave.
    if (hand_over_ != nullptr || sent_ == 0) return;
    const uint64_t waited = nanos_(cycles);
    counters().latencies.add(waited, sent_);
    counters().latency_ns.add(waited * sent_);
}

/// Between receiving and sending them lie rings and other Workers' turns.
void Worker::count_handed_time(std::span<rte_mbuf* const> packets) noexcept {
    const uint64_t now = rte_rdtsc();
    for (const rte_mbuf* packet : packets) {
        const uint64_t received = hand_over_->received(*packet);
        if (received == 0) continue;
        const uint64_t waited = nanos_(now - received);
        counters().latencies.add(waited);
        counters().latency_ns.add(waited);
    }
}

void Worker::pass_time(Nanos until) noexcept {
    constexpr int steps_max = 1000;
    if (house_kept_ == Nanos{}) house_kept_ = until;
    const Nanos step = std::max(house_interval, (until - house_kept_) / steps_max);
    while (until - house_kept_ >= step) {
        now_ = house_kept_ + step;
        keep_house();
    }
}

// ---- In ----

void Worker::receive() noexcept {
    for (size_t wire = 0; wire < wires_.size(); ++wire) {
        for (size_t side = 0; side < sides; ++side) {
            const WireEnd& end = wires_[wire][side];
            if (end.rx_queue == WireEnd::none) continue;
            receive_end(static_cast<uint8_t>(wire), static_cast<Side>(side), end);
        }
    }
    if (hand_over_ != nullptr) receive_handed();
}

void Worker::receive_end(uint8_t wire, Side side, const WireEnd& end) noexcept {
    const auto room =
        static_cast<uint16_t>(std::min(receive_max, Burst::packets_max - burst_.size()));
    // A full burst (several wires) leaves the rest in the port for the next turn.
    const int id = end.id();
    if (room == 0 || id == WireEnd::none) return;
    Received packets;
    const uint16_t count = rte_eth_rx_burst(
        static_cast<uint16_t>(id), static_cast<uint16_t>(end.rx_queue), packets.data(), room);
    if (count == 0) return;

    const std::span received(packets.data(), count);
    auto& counts = counters().wire[wire].side[static_cast<size_t>(side)];
    counts.rx_packets.add(count);
    counts.rx_bytes.add(bytes_of(received));
    if (hand_over_ == nullptr) {
        add(received, wire, side);
    } else {
        for (rte_mbuf* packet : received) {
            packet->port = Place{wire, side}.number();
            hand_over_->set_received(*packet, turn_began_);
        }
        hand_out(wire, received);
    }
}

uint16_t Worker::owner_of(const rte_mbuf& packet) noexcept {
    Bytes frame = as_bytes(rte_pktmbuf_mtod(&packet, const void*), packet.data_len);
    port::SymmetricHash hash = port::symmetric_hash_of(frame);
    // Of what lies in several pieces the first may not hold all headers, and a fragment is
    // looked at whole.
    const bool more = packet.nb_segs > 1 && packet.pkt_len <= in_one_piece_.size();
    if (more && (hash.cut || hash.fragment)) {
        frame = as_bytes(rte_pktmbuf_read(&packet, 0, packet.pkt_len, in_one_piece_.data()),
                         packet.pkt_len);
        hash = port::symmetric_hash_of(frame);
    }
    if (!hash.fragment) return port::worker_of(hash.value, hand_over_->workers());
    const Side side = Place::of(packet.port).side;
    return port::worker_of(fragment_owners_.hash_of(frame, side, hash.value, now_),
                           hand_over_->workers());
}

void Worker::hand_out(uint8_t wire, std::span<rte_mbuf*> packets) noexcept {
    // Worker by worker, so that what goes to one of them goes in one piece and in
    // order.  Our own share takes the same way: then order is order.
    std::array<uint16_t, receive_max> owner;
    for (size_t i = 0; i < packets.size(); ++i) {
        owner[i] = owner_of(*packets[i]);
    }
    for (uint16_t worker = 0; worker < hand_over_->workers(); ++worker) {
        Received share;
        size_t size = 0;
        for (size_t i = 0; i < packets.size(); ++i) {
            if (owner[i] == worker) share[size++] = packets[i];
        }
        // Counted before it can be counted out on the other core.
        hand_over_->entered(index_, wire, size);
        const size_t given = hand_over_->give(worker, {share.data(), size});
        hand_over_->left(index_, wire, size - given);
        refuse(wire, DropReason::tx_full, {share.data() + given, size - given});
    }
}

void Worker::receive_handed() noexcept {
    std::array<rte_mbuf*, Burst::packets_max> packets;
    const size_t count =
        hand_over_->take(index_, {packets.data(), Burst::packets_max - burst_.size()});
    for (size_t i = 0; i < count; ++i) {
        const Place place = Place::of(packets[i]->port);
        ++handed_[place.wire];
        add({&packets[i], 1}, place.wire, place.side);
    }
}

void Worker::count_handed() noexcept {
    // Only now: until they are sent or handed back they are in flight.
    for (size_t wire = 0; wire < wires_.size(); ++wire) {
        hand_over_->left(index_, static_cast<uint8_t>(wire), std::exchange(handed_[wire], 0));
    }
}

void Worker::add(std::span<rte_mbuf* const> packets, uint8_t wire, Side side) noexcept {
    for (rte_mbuf* packet : packets) {
        rte_prefetch0(rte_pktmbuf_mtod(packet, const void*));
        if (clock_ == nullptr) {
            const auto time = *RTE_MBUF_DYNFIELD(packet, timestamp_offset_, rte_mbuf_timestamp_t*);
            now_ = std::max(now_, Nanos(static_cast<int64_t>(time)));
        }
        Packet& added = burst_.add(packet, side, wire, now_);
        if ((packet->ol_flags & cut_flag_) != 0) added.way = Way::pass;
    }
    burst_.now = now_;
}

// ---- Through ----

bool Worker::obey() noexcept {
    keys::Key key;
    while (keys_.pop(key)) context_.take_key(key, now_);
    verdicts::Order order;
    bool ordered = false;
    while (orders_.pop(order)) {
        for (const auto& stage : pipeline_) stage->obey(order, burst_);
        teller_.obey(order);
        ordered = true;
    }
    return ordered;
}

void Worker::process() noexcept {
    uint64_t before = rte_rdtsc();
    for (size_t i = 0; i < pipeline_.size(); ++i) {
        pipeline_[i]->process(burst_);
        const uint64_t after = rte_rdtsc();
        counters().stage_cycles[i].add(after - before);
        counters().stage_packets[i].add(burst_.size());
        counters().stage_times[i].add(nanos_(after - before));
        before = after;
    }
    send();
}

void Worker::keep_house() noexcept {
    house_kept_ = now_;
    burst_.clear(now_);
    for (const auto& stage : pipeline_) stage->keep_house(burst_);
    teller_.go_on(busy_);
    send();
}

// ---- Out ----

void Worker::send() noexcept {
    for (Packet& packet : burst_.all()) {
        if (!packet.alive()) {
            refuse(packet.wire, packet.drop, {&packet.mbuf, 1});
            continue;
        }
        Leaving& out = leaving_[packet.wire][static_cast<size_t>(opposite(packet.side))];
        out.packets[out.size++] = packet.mbuf;
        ++sent_;
    }
    for (const Burst::Injected& frame : burst_.injected()) {
        Leaving& out = leaving_[frame.wire][static_cast<size_t>(frame.out)];
        out.packets[out.size++] = frame.mbuf;
        if (hand_over_ != nullptr) hand_over_->set_received(*frame.mbuf, 0);
        counters().wire[frame.wire].injected.add();
    }
    for (size_t wire = 0; wire < wires_.size(); ++wire) {
        for (size_t side = 0; side < sides; ++side) {
            if (leaving_[wire][side].size == 0) continue;
            send_end(static_cast<uint8_t>(wire), static_cast<Side>(side));
        }
    }
}

void Worker::send_end(uint8_t wire, Side side) noexcept {
    Leaving& out = leaving_[wire][static_cast<size_t>(side)];
    const std::span packets(out.packets.data(), out.size);
    out.size = 0;
    const WireEnd& end = wires_[wire][static_cast<size_t>(side)];
    if (end.tx_queue != WireEnd::none) {
        transmit(wire, side, static_cast<uint16_t>(end.tx_queue), packets);
        return;
    }
    for (rte_mbuf* packet : packets) packet->port = Place{wire, side}.number();
    hand_over_->entered(index_, wire, packets.size());
    const size_t given = hand_over_->give_back(index_, packets);
    hand_over_->left(index_, wire, packets.size() - given);
    refuse(wire, DropReason::tx_full, packets.subspan(given));
}

void Worker::send_handed_back() noexcept {
    std::array<rte_mbuf*, Burst::packets_max> packets;
    for (uint16_t worker = 1; worker < hand_over_->workers(); ++worker) {
        const size_t count = hand_over_->take_back(worker, packets);
        for (size_t i = 0; i < count; ++i) {
            const Place place = Place::of(packets[i]->port);
            hand_over_->left(index_, place.wire, 1);
            Leaving& out = leaving_[place.wire][static_cast<size_t>(place.side)];
            out.packets[out.size++] = packets[i];
        }
        for (size_t wire = 0; count > 0 && wire < wires_.size(); ++wire) {
            for (size_t side = 0; side < sides; ++side) {
                if (leaving_[wire][side].size == 0) continue;
                send_end(static_cast<uint8_t>(wire), static_cast<Side>(side));
            }
        }
    }
    for (size_t wire = 0; wire < wires_.size(); ++wire) {
        counters().wire[wire].in_flight.set(hand_over_->in_flight(static_cast<uint8_t>(wire)));
    }
}

void Worker::transmit(uint8_t wire, Side side, uint16_t queue,
                      std::span<rte_mbuf*> packets) noexcept {
    const int id = wires_[wire][static_cast<size_t>(side)].id();
    if (id == WireEnd::none) return refuse(wire, DropReason::tx_full, packets);
    if (hand_over_ != nullptr) count_handed_time(packets);
    const auto port = static_cast<uint16_t>(id);
    const auto size = static_cast<uint16_t>(packets.size());
    uint64_t bytes = bytes_of(packets);
    uint16_t sent = rte_eth_tx_burst(port, queue, packets.data(), size);
    for (unsigned tries = 0; sent < size && tries < send_retries_max; ++tries) {
        rte_pause();
        sent = static_cast<uint16_t>(sent + rte_eth_tx_burst(port, queue, packets.data() + sent,
                                                             static_cast<uint16_t>(size - sent)));
    }
    const auto left = packets.subspan(sent);
    bytes -= bytes_of(left);
    auto& counts = counters().wire[wire].side[static_cast<size_t>(side)];
    counts.tx_packets.add(sent);
    counts.tx_bytes.add(bytes);
    refuse(wire, DropReason::tx_full, left);
}

void Worker::refuse(uint8_t wire, DropReason reason, std::span<rte_mbuf*> packets) noexcept {
    if (packets.empty()) return;
    counters().wire[wire].drops[static_cast<size_t>(reason)].add(packets.size());
    rte_pktmbuf_free_bulk(packets.data(), static_cast<unsigned>(packets.size()));
}

// ---- The end ----

bool Worker::reads() const noexcept {
    return std::ranges::any_of(wires_, [](const WireEnds& ends) {
        return std::ranges::any_of(
            ends, [](const WireEnd& end) { return end.rx_queue != WireEnd::none; });
    });
}

bool Worker::anything_handed_over() const noexcept {
    for (size_t wire = 0; wire < wires_.size(); ++wire) {
        if (hand_over_->in_flight(static_cast<uint8_t>(wire)) != 0) return true;
    }
    return false;
}

void Worker::drain() noexcept {
    // What the ports have received shall leave, but a busy wire never ends, so
    // time does.  Worker 0 stops first and waits for what it has handed over.
    const uint64_t until =
        rte_rdtsc() +
        static_cast<uint64_t>(to_seconds(drain_max) * static_cast<double>(rte_get_tsc_hz()));
    unsigned quiet = 0;
    while (quiet < 3 && rte_rdtsc() < until) {
        const bool waiting = hand_over_ != nullptr && index_ == 0 && anything_handed_over();
        quiet = turn() || waiting ? 0 : quiet + 1;
    }
    burst_.clear(now_);
    context_.flows.sweep(context_.flows.capacity(), [this](Flow& flow) {
        context_.forget(flow, verdicts::EndReason::shutdown, now_);
    });
    send();
}

}  // namespace portcullis::pipeline
