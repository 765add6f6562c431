#include "pipeline/tsc_clock.h"

#include <algorithm>

#include <rte_cycles.h>

namespace portcullis::pipeline {

TscClock::TscClock(Wall wall)
    : wall_(wall),
      hz_(static_cast<double>(rte_get_tsc_hz())),
      first_cycle_(rte_rdtsc()),
      first_nanos_(wall_().count()),
      nanos_(hz_) {}

void TscClock::follow_wall_clock() noexcept {
    const int64_t behind = (wall_() - at(rte_rdtsc()) - step()).count();
    if (behind <= -drift_max.count() || behind >= drift_max.count()) {
        step_.fetch_add(behind, std::memory_order_relaxed);
        return;
    }
    slew_.fetch_add(std::clamp(behind, -slew_max, slew_max), std::memory_order_relaxed);
}

}  // namespace portcullis::pipeline
