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

/// Reads all Workers' counters and the ports into `out`.  Disturbs no Worker:
/// each count is one relaxed load.
void add_wire_side(const pipeline::WireSide& wire_side, const CounterNames& names, Exposition& out);

}  // namespace portcullis::metrics
