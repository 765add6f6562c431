#include "pipeline/tsc_clock.h"

#include <algorithm>
#include <chrono>

#include <rte_cycles.h>

namespace portcullis::pipeline {

namespace {

int64_t wall_nanos() noexcept {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<Nanos>(now).count();
}

}  // namespace

TscClock::TscClock()
    : hz_(static_cast<double>(rte_get_tsc_hz())),
      first_cycle_(rte_rdtsc()),
      first_nanos_(wall_nanos()),
      nanos_per_cycle_q32_(static_cast<uint64_t>(1e9 / hz_ * 4294967296.0)) {}

void TscClock::slew_to_wall_clock() noexcept {
    const int64_t behind = wall_nanos() - at(rte_rdtsc()).count();
    slew_.fetch_add(std::clamp(behind, -slew_max, slew_max), std::memory_order_relaxed);
}

}  // namespace portcullis::pipeline
