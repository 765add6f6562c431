#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace portcullis::actions {

/// How long to wait before the next try: twice as long each time, up to a
/// maximum, and never in step with others who failed at the same moment.
class Backoff {
public:
    using Milliseconds = std::chrono::milliseconds;

    Backoff(Milliseconds first, Milliseconds max)
        : first_(first), max_(max), next_(first), random_(std::random_device{}()) {}

    /// Between half and the whole of the step.
    Milliseconds next() {
        const Milliseconds step = next_;
        next_ = std::min(next_ * 2, max_);
        return jitter(step);
    }
    void reset() noexcept { next_ = first_; }

    Milliseconds jitter(Milliseconds step) {
        std::uniform_int_distribution<int64_t> some(step.count() / 2, step.count());
        return Milliseconds(some(random_));
    }

private:
    Milliseconds first_, max_, next_;
    std::minstd_rand random_;
};

}  // namespace portcullis::actions
