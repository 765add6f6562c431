#pragma once

#include <functional>
#include <memory>
#include <string>

#include "config/config.h"
#include "pipeline/wire_side.h"
#include "records/record_sink.h"

namespace portcullis::control {

/// The slow half of the appliance: one event loop on a thread of its own that
/// takes the Workers' records to the sinks, answers the admin socket, /metrics
/// and /health, reloads the configuration, heeds signals, and feeds systemd's
/// watchdog as long as every Worker makes progress.
///
/// It meets the packet side in WireSide alone.  Stopped or stuck, it costs
/// records (which the Workers count), never packets.
class Control {
public:
    /// Makes the rule set of a configuration, or throws UsageError.
    using Compile =
        std::function<std::unique_ptr<const policy::RuleSet>(const config::Config& config)>;

    struct Settings {
        Compile compile;                         ///< policy::RuleSet::compile when empty.
        bool heed_signals = true;                ///< SIGTERM, SIGINT, SIGHUP; tests say no.
        std::chrono::milliseconds drain{5};      ///< How often records are taken.
        std::chrono::milliseconds finish{5000};  ///< What all sinks together get at the end.
        std::chrono::milliseconds stall{2000};   ///< A Worker without progress this long is stuck.
        Settings();
    };

    /// `wire` outlives this object.
    Control(config::Config config, pipeline::WireSide& wire);
    Control(config::Config config, pipeline::WireSide& wire, Settings settings);
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;
    ~Control();

    /// Before `start`.
    void add(std::unique_ptr<RecordSink> sink);
    Orders& orders() noexcept;

    /// Binds the admin socket and the metrics address and starts the loop.
    /// Throws SetupError: occupied, no permission, no such directory.
    void start();
    /// Tells systemd that the wire is up; after the Workers have started.
    void ready();
    /// Returns when a signal asked for the end.
    void wait();
    /// After the Workers have stopped: takes their last records, lets the sinks
    /// finish, ends the loop.  Called by the destructor too.
    void stop() noexcept;
    /// Whether a reload still compiles, on a thread that nobody waited for: then the process is
    /// to end without destroying what is static under it.
    bool compiling() const;
    /// After `stop`: whether a thread was left behind in a driver that hangs.  Then the process
    /// is to end without closing ports, which that thread still uses.
    bool in_a_driver() const noexcept;

private:
    class Loop;
    std::unique_ptr<Loop> loop_;
};

}  // namespace portcullis::control
