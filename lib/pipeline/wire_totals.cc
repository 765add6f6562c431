#include "pipeline/wire_totals.h"

#include <atomic>

namespace portcullis::pipeline {

std::vector<WireShare> read_shares(const WireSide& wire_side, size_t wire) {
    std::vector<WireShare> shares(wire_side.workers());
    const auto of = [&](size_t worker) -> const stages::Counters::PerWire& {
        return wire_side.counters(static_cast<uint16_t>(worker)).wire[wire];
    };
    for (size_t w = 0; w < shares.size(); ++w) {
        for (size_t s = 0; s < WireShare::sides; ++s) {
            shares[w].side[s].tx_packets = of(w).side[s].tx_packets.get();
            shares[w].side[s].tx_bytes = of(w).side[s].tx_bytes.get();
        }
        for (size_t r = 0; r < WireShare::reasons; ++r) shares[w].drops[r] = of(w).drops[r].get();
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    for (size_t w = 0; w < shares.size(); ++w) {
        shares[w].injected = of(w).injected.get();
        shares[w].queued = of(w).in_flight.get();
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    for (size_t w = 0; w < shares.size(); ++w) {
        for (size_t s = 0; s < WireShare::sides; ++s) {
            shares[w].side[s].rx_packets = of(w).side[s].rx_packets.get();
            shares[w].side[s].rx_bytes = of(w).side[s].rx_bytes.get();
        }
    }
    return shares;
}

WireTotals total(std::span<const WireShare> shares) {
    WireTotals sum;
    for (const WireShare& share : shares) {
        for (const WireShare::PerSide& side : share.side) {
            sum.received += side.rx_packets;
            sum.transmitted += side.tx_packets;
        }
        // `none` is no drop, whatever stands in its place.
        for (size_t r = 1; r < WireShare::reasons; ++r) sum.dropped += share.drops[r];
        sum.injected += share.injected;
        sum.queued += share.queued;
    }
    return sum;
}

WireTotals wire_totals(const WireSide& wire_side, size_t wire) {
    return total(read_shares(wire_side, wire));
}

}  // namespace portcullis::pipeline
