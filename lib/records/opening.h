#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>

#include "base/setup_error.h"

namespace portcullis {

/// Where a start waits for what a thread of the slow side opens on a disk.  It waits so that a
/// fault of settings still ends it, and never longer than a moment that all share: the wire is
/// not to be down because a disk does not answer.
class Opening {
public:
    using Clock = std::chrono::steady_clock;
    /// What all disks together may take of a start.
    static constexpr std::chrono::milliseconds patience{3'000};
    static Clock::time_point deadline() { return Clock::now() + patience; }

    /// Asks a constructor to begin only: its caller waits with `await_open`, for several at once.
    struct Later {};
    static constexpr Later later{};

    /// By the thread: how its first try ended.  `fault` is what no later try would mend, or
    /// empty.  True when nobody waits any more.  Only the first call counts.
    bool ended(const std::string& fault) {
        const std::lock_guard lock(mutex_);
        if (ended_) return late_;
        ended_ = true;
        fault_ = fault;
        changed_.notify_all();
        return late_;
    }
    bool has_ended() const {
        const std::lock_guard lock(mutex_);
        return ended_;
    }
    /// False: it has not ended by then, and the start goes on without it.  Throws SetupError.
    bool await(Clock::time_point until) {
        std::unique_lock lock(mutex_);
        late_ = !changed_.wait_until(lock, until, [this] { return ended_; });
        if (!fault_.empty()) throw SetupError(fault_);
        return !late_;
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool ended_ = false, late_ = false;
    std::string fault_;
};

}  // namespace portcullis
