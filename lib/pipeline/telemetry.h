#pragma once

#include <string>
#include <vector>

#include "pipeline/wire_side.h"

namespace portcullis::pipeline {

/// Answers under DPDK's own telemetry (dpdk-telemetry.py, `/portcullis/…`) with what the
/// Workers count, for those who watch all their DPDK programs that way.  Called on DPDK's
/// thread: reads counters where they lie and nothing else.
///
/// DPDK knows no way to take a command back, so the commands stay and answer nothing
/// once this object is gone.
class Telemetry {
public:
    /// `wire_names` in the order of the counters.
    Telemetry(const pipeline::WireSide& wire_side, std::vector<std::string> wire_names);
    Telemetry(const Telemetry&) = delete;
    Telemetry& operator=(const Telemetry&) = delete;
    ~Telemetry();
};

}  // namespace portcullis::pipeline
