#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "records/opening.h"
#include "records/record_sink.h"

namespace portcullis::actions {

/// What another sink hears of the log.
struct LogHearer {
    /// Records, once they are in the log; on its thread.
    std::function<void(std::span<const verdicts::VerdictRecord>)> committed{};
    /// How old the oldest is that is still to be written; on Control's thread, at each
    /// `keep_house`.
    std::function<void(std::chrono::milliseconds)> lags{};
};

/// What follows from a verdict: it is written to the verdict log; a kick goes to
/// the service's RCON server; a block to every Worker and into the block list
/// that survives restarts; people hear of it through webhooks, but only after
/// it was written.  Each action ends as done, failed or expired, is counted, and
/// is kept in the log with its verdict.
///
/// One sink owns all of them, since the outcome of an action is itself a record
/// of the log.  Disk, RCON, webhooks and block list each have a thread and a limit
/// to what waits: one that hangs delays none of the others, nor Control.
class Actions final : public control::RecordSink {
public:
    /// Opens the log, reads the secrets, gives Orders for the blocks that still
    /// hold.  Throws SetupError.  A server that cannot be reached is no reason, nor is a
    /// disk that is full or damaged: `status` says so.  Nor is a disk that does not answer
    /// until `open_by`.  `orders` and `check_names` outlive this object.  `hearer` hears of
    /// the log until this object ends.
    Actions(const config::Config& config, std::span<const std::string_view> check_names,
            control::Orders& orders, LogHearer hearer = {},
            Opening::Clock::time_point open_by = Opening::deadline());
    ~Actions() override;

    std::string_view name() const noexcept override { return "actions"; }
    void take(std::span<const verdicts::VerdictRecord> records) noexcept override;
    /// An operator's block or unblock joins the list.
    void ordered(const verdicts::Order& order) noexcept override;
    /// Those that changed the block list, once it is saved.
    uint64_t orders_kept() noexcept override;
    /// That the list is full of operators' blocks.
    std::string objection(const verdicts::Order& order) const override;
    /// Messages and block times are the new policies'; servers and webhooks stay, but
    /// their addresses are read from their `url_file`s again.
    std::vector<std::string> reloaded(const config::Config& config) noexcept override;
    /// Blocks last as long as they were to.
    void clock_set(Nanos step) noexcept override;
    void keep_house() noexcept override;
    control::SinkStatus status() const override;
    void finish(std::chrono::milliseconds limit) noexcept override;

private:
    class Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace portcullis::actions
