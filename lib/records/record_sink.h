#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "records/record.h"

namespace portcullis::config {
struct Config;
}

namespace portcullis::control {

/// How one thing outside stands: a log directory, an RCON server, a webhook.
struct Condition {
    std::string part;  ///< "verdict_log", "rcon/survival", "webhook/0".
    bool well = true;
    std::string says;  ///< One sentence for the operator; may be empty when well.
};

/// A running count of how something ended, for /metrics:
/// portcullis_outcomes_total{part="rcon",outcome="failed"}.
struct Outcome {
    std::string part;     ///< "rcon", "webhook", "verdict_log".
    std::string outcome;  ///< "done", "failed", "expired", "lost", …
    uint64_t count = 0;
};

struct SinkStatus {
    std::vector<Condition> conditions;
    std::vector<Outcome> outcomes;
    uint64_t waiting = 0;  ///< Records taken and not yet dealt with.
    double lag_s = 0;      ///< Age of the oldest of those.
};

/// Who wants to hear what Workers tell Control: the verdict log, the actions.
///
/// Everything here is called on Control's thread, so it must return at once:
/// queue and let a thread of your own wait, in a queue with a limit whose
/// overflow is counted in `status`.  Nothing here may throw.
class RecordSink {
public:
    virtual ~RecordSink() = default;
    /// Short and stable: "verdict_log", "rcon".
    virtual std::string_view name() const noexcept = 0;
    /// Records in the order in which they were taken, oldest first per Worker.
    virtual void take(std::span<const verdicts::VerdictRecord> records) noexcept = 0;
    /// An Order that an operator gave, as it goes to the Workers;
    /// for whoever must remember it longer than this process lives.
    virtual void ordered(const verdicts::Order&) noexcept {}
    /// Of the Orders that `ordered` heard, so many, from the first on, would outlive a crash now.
    virtual uint64_t orders_kept() noexcept { return UINT64_MAX; }
    /// Why an operator's Order could not be remembered, before it is given: one sentence,
    /// or empty.
    virtual std::string objection(const verdicts::Order&) const { return {}; }
    /// A reload put this configuration in force; of it, what can change live.  What did not
    /// go as its operator may think: a sentence each.
    virtual std::vector<std::string> reloaded(const config::Config&) noexcept { return {}; }
    /// The wall clock was set, so far ahead; told before anything else that comes after it.
    virtual void clock_set(Nanos /*step*/) noexcept {}
    /// About every 100 ms.
    virtual void keep_house() noexcept {}
    virtual SinkStatus status() const = 0;
    /// The last call: nothing comes after it.  Writes or sends what is queued,
    /// but returns within `limit`; what could not be dealt with is counted.
    virtual void finish(std::chrono::milliseconds limit) noexcept = 0;
};

/// Where sinks put Orders for the Workers.  Callable from any thread; Control
/// passes them on and tries again while a Worker's ring is full.
class Orders {
public:
    virtual ~Orders() = default;
    /// False when `orders_waiting_max` wait already: counted, and not given.
    virtual bool give(const verdicts::Order& order) noexcept = 0;
};

}  // namespace portcullis::control
