#pragma once

#include <atomic>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "records/record.h"
#include "verdicts/entry.h"
#include "verdicts/json.h"
#include "verdicts/problem.h"

namespace portcullis::verdicts {

/// The log's database as its one writer sees it.  A Store that failed is thrown
/// away and opened anew: that mends whatever can be mended, and leaves no state
/// of a half-written group behind.
class Store {
public:
    using Problem = verdicts::Problem;

    /// Opens or creates.
    static std::expected<std::unique_ptr<Store>, Problem> open(const std::string& path);
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;
    ~Store();

    /// Writes all or nothing, and returns once it is on the disk and the disk's
    /// directory is still where it was: files of a removed directory take writes
    /// without complaint, and nobody would ever read them.
    std::expected<void, Problem> write(std::span<const VerdictRecord> records,
                                       std::span<const Outcome> outcomes, const Names& names);

    /// Calls `found` with the alerts and graver verdicts, and their outcomes, that lie no
    /// more than `before` before the newest record; looks at `records_max` records at most.
    void each_late(Nanos before, size_t records_max,
                   const std::function<void(const Entry&, std::span<const Outcome>)>& found) const;

    struct Limits {
        Nanos now{};  ///< By a wall clock that may be wrong.
        Nanos retention{};
        /// Of the log's time that may be forgotten in one call: what a clock far ahead can
        /// do until somebody sets it.
        Nanos forgotten_max{};
        uint64_t size_bytes_max = 0;
    };
    /// Forgets what is older than `retention`, counted from now or from the newest record,
    /// whichever is earlier; then the oldest until no more than about `size_bytes_max`
    /// are left.  Slow; may run beside `write`.
    std::expected<void, Problem> trim(const Limits& limits);
    /// Makes the index anew from the records.
    std::expected<void, Problem> index_all();
    /// Makes a running `trim` return soon.
    void stop_trimming() noexcept;

    uint64_t size_bytes() const;

private:
    class Database;
    explicit Store(std::unique_ptr<Database> database) noexcept;
    std::unique_ptr<Database> database_;
};

}  // namespace portcullis::verdicts
