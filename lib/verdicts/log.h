#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/wall_clock.h"
#include "records/opening.h"
#include "records/record.h"
#include "verdicts/entry.h"
#include "verdicts/json.h"

namespace portcullis::verdicts {

/// The verdict log: everything that Workers told Control, on disk, by time and
/// findable by player, check and address.
///
/// Records are queued and written by a thread of its own in groups, each group
/// synced to the disk within `flush`.  Only what is written is told to others
/// (`committed`, Reader): what anybody was shown survives kill -9, and a power loss
/// too.  A disk that fails, fills up or loses the directory stops
/// nothing: the group is tried again, the queue holds what comes meanwhile, and
/// what does not fit is counted to the unit, logins before verdicts.
class Log {
public:
    struct Settings {
        std::string path;
        std::chrono::hours retention{30 * 24};
        std::chrono::milliseconds flush{50};
        uint64_t size_bytes_max = 4096ull << 20;
        size_t queue_max = 65'536;  ///< Records waiting; above half of it verdicts only.
        size_t group_max = 16'384;  ///< Records written at once.
        std::chrono::milliseconds retry_first{100};
        std::chrono::milliseconds retry_max{5'000};
        std::chrono::seconds trim_every{600};  ///< How often age and size are looked at.
        /// By then every action has ended; what has not, a killed process left.
        std::chrono::minutes unended{15};
        size_t unended_max = 65'536;  ///< Records looked at for that.
        /// So much faster than it runs the log may forget: a clock that is far ahead costs a
        /// day of records an hour, not all of them at once.
        uint32_t forgets_faster = 24;
        Nanos (*wall_clock)() = portcullis::wall_clock;
    };

    struct Counts {
        uint64_t taken = 0;  ///< Records appended, lost ones among them.
        uint64_t stored = 0;
        uint64_t lost_verdicts = 0;
        uint64_t lost_others = 0;  ///< Logins, disconnects, opaque connections.
        uint64_t outcomes_stored = 0;
        uint64_t outcomes_lost = 0;
        uint64_t groups = 0;
        uint64_t failures = 0;  ///< Groups that did not go through at once.
        uint64_t waiting = 0;
        std::chrono::milliseconds lag{0};  ///< Age of the oldest waiting record.
    };

    /// Called on the log's own thread with each group after it was written.
    using Committed = std::function<void(std::span<const VerdictRecord>)>;

    /// Called on the log's own thread before anything is written, with each verdict of the
    /// last `unended` that stands in the log and the outcomes that it has; gives those that
    /// it lacks, to be stored.
    using Unended =
        std::function<std::vector<Outcome>(const Entry& entry, std::span<const Outcome> outcomes)>;

    /// Opens or creates the log.  Throws SetupError: its directory is not for this user, or
    /// in use by another appliance.  A disk that is full or failing is `trouble`, and tried
    /// again; so is one that does not answer within Opening::patience, or a log that needs
    /// longer to recover.  A damaged log is put aside.
    Log(Settings settings, const Names& names, Committed committed = {}, Unended unended = {});
    /// The same, but begins only.
    Log(Opening::Later, Settings settings, const Names& names, Committed committed = {},
        Unended unended = {});
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;
    /// Writes what waits, for as long as `finish` would with one second.
    ~Log();

    /// Waits until it is open, no longer than until then.  Throws as the constructor does.
    void await_open(Opening::Clock::time_point until);

    /// Any thread; returns at once.  A record without an id is given one.
    void append(std::span<const VerdictRecord> records) noexcept;
    void append(const Outcome& outcome) noexcept;

    /// Writes what waits and closes.  What could not be written within `limit`
    /// is counted as lost.  Nothing may be appended afterwards.
    void finish(std::chrono::milliseconds limit) noexcept;

    Counts counts() const;
    /// Empty while the last group went through and no damaged log lies aside; else a sentence.
    std::string trouble() const;

private:
    class Writer;
    std::unique_ptr<Writer> writer_;
};

}  // namespace portcullis::verdicts
