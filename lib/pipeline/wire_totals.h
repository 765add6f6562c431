#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/drop_reason.h"
#include "base/side.h"
#include "pipeline/wire_side.h"

/// What has come to a wire and what has left it, from one reading in the order that keeps
/// it whole (docs/METRICS.md, "Conservation").  Disturbs no Worker: each count is one
/// relaxed load.
namespace portcullis::pipeline {

/// One Worker's share of a wire, copied out.
struct WireShare {
    static constexpr size_t sides = static_cast<size_t>(Side::count);
    static constexpr size_t reasons = static_cast<size_t>(DropReason::count);

    struct PerSide {
        uint64_t rx_packets = 0, rx_bytes = 0, tx_packets = 0, tx_bytes = 0;
    };
    std::array<PerSide, sides> side;
    std::array<uint64_t, reasons> drops{};
    uint64_t injected = 0, queued = 0;
};

/// All Workers' shares of a wire.  A packet may be received by one Worker and
/// sent by another, so each of the three passes goes over all of them before
/// the next begins: whatever had left when we looked has come before we look.
std::vector<WireShare> read_shares(const WireSide& wire_side, size_t wire);

/// What a wire has done, all Workers together.
struct WireTotals {
    uint64_t received = 0, transmitted = 0, dropped = 0, injected = 0, queued = 0;

    int64_t in_flight() const noexcept {
        return static_cast<int64_t>(received + injected - transmitted - dropped);
    }
};
WireTotals total(std::span<const WireShare> shares);
WireTotals wire_totals(const WireSide& wire_side, size_t wire);

}  // namespace portcullis::pipeline
