#pragma once

#include <chrono>
#include <vector>

#include "pipeline/wire_side.h"

namespace portcullis::control {

/// Whether each Worker still turns: its `progress` must move within `stall`.
/// What the watchdog is fed by, so that a stuck Worker is restarted by systemd
/// and not kept alive by a Control that feels fine.
class WorkerWatch {
public:
    using Clock = std::chrono::steady_clock;

    explicit WorkerWatch(std::chrono::milliseconds stall) : stall_(stall) {}

    /// Workers count from here on.
    void begin(const pipeline::WireSide& wire, Clock::time_point now);
    void look(const pipeline::WireSide& wire, Clock::time_point now);

    bool begun() const noexcept { return !workers_.empty(); }
    bool alive(size_t worker) const noexcept {
        return worker < workers_.size() && workers_[worker].alive;
    }
    bool all_alive() const noexcept;

private:
    struct Worker {
        uint64_t progress = 0;
        Clock::time_point moved;
        bool alive = true;
    };
    std::chrono::milliseconds stall_;
    std::vector<Worker> workers_;
};

}  // namespace portcullis::control
