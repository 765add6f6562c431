#include "control/worker_watch.h"

#include <algorithm>

namespace portcullis::control {

void WorkerWatch::begin(const pipeline::WireSide& wire, Clock::time_point now) {
    workers_.clear();
    for (uint16_t w = 0; w < wire.workers(); ++w) {
        workers_.push_back({wire.counters(w).progress.get(), now, true});
    }
}

void WorkerWatch::look(const pipeline::WireSide& wire, Clock::time_point now) {
    for (size_t w = 0; w < workers_.size(); ++w) {
        Worker& worker = workers_[w];
        const uint64_t progress = wire.counters(static_cast<uint16_t>(w)).progress.get();
        if (progress != worker.progress) {
            worker.progress = progress;
            worker.moved = now;
        }
        worker.alive = now - worker.moved < stall_;
    }
}

bool WorkerWatch::all_alive() const noexcept {
    return begun() && std::ranges::all_of(workers_, &Worker::alive);
}

}  // namespace portcullis::control
