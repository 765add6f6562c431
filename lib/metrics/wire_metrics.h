#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "metrics/exposition.h"
#include "pipeline/wire_side.h"

namespace portcullis::metrics {

/// What the indices in Counters mean.
struct CounterNames {
    std::span<const config::Wire> wires;
    std::span<const config::Service> services;
    std::span<const std::string_view> checks;
};

/// What a wire has done, all Workers together, from one reading in the order
/// that keeps it whole (docs/METRICS.md, "Conservation").
struct WireTotals {
    uint64_t received = 0, transmitted = 0, dropped = 0, injected = 0, queued = 0;

    int64_t in_flight() const noexcept {
        return static_cast<int64_t>(received + injected - transmitted - dropped);
    }
};

/// Reads all Workers' counters and the ports into `out`.  Disturbs no Worker:
/// each count is one relaxed load.
void add_wire_side(const pipeline::WireSide& wire_side, const CounterNames& names, Exposition& out);

/// The totals of one wire alone, for `ctl` and /health.
WireTotals wire_totals(const pipeline::WireSide& wire_side, size_t wire);

}  // namespace portcullis::metrics
