#pragma once

#include <asio.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock_steps.h"
#include "control/admin_commands.h"
#include "control/admin_server.h"
#include "control/control.h"
#include "control/errand.h"
#include "control/key_feed.h"
#include "control/reload.h"
#include "control/state.h"
#include "metrics/http_server.h"

namespace portcullis::control {

/// What Control is behind its header: the state, the servers, and the event
/// loop that turns them.  All of it runs on `thread_`, but for compiling rules and
/// whatever asks drivers.
class Control::Loop {
public:
    Loop(config::Config config, pipeline::WireSide& wire, Settings settings);
    ~Loop();

    void add(std::unique_ptr<RecordSink> sink) { state_.sinks.push_back(std::move(sink)); }
    Orders& orders() noexcept { return state_.orders; }

    void start();
    void ready();
    void wait();
    void stop() noexcept;
    bool compiling() const;
    bool in_a_driver() const noexcept { return in_a_driver_; }

private:
    using Done = std::function<void(const Json& result)>;
    using Failed = std::function<void(const std::string& error)>;
    struct Asker {
        Done done;
        Failed failed;
    };
    /// What a reload came to on the compiling thread.
    struct Compiled {
        Reload plan;
        std::unique_ptr<const policy::RuleSet> rules;
        std::string error;
    };
    /// Where the compiling thread finds the loop, while there is one: nobody waits for it.
    struct Mailbox {
        std::mutex mutex;
        Loop* loop = nullptr;
        bool compiling = false;
    };

    void listen();
    void heed_signals();
    void drain_later();
    /// True when there may be more.
    bool drain();
    void hear_descriptions();
    void tell(const verdicts::VerdictRecord& record);
    void write_packets();
    void count_packets();
    void pass_orders();
    void keep_house_later();
    void keep_house();
    Nanos heed_clock();
    void look_at_ports();
    void mend_ports();
    void propagate_links();
    void look_for_hangs();
    std::string what_hangs(bool mending, bool linking) const;
    void leave_drivers(std::chrono::steady_clock::time_point until) noexcept;
    void feed_watchdog();
    metrics::HttpReply answer_http(std::string_view path) const;
    void reload(Done done, Failed failed);
    void start_compiling();
    void take_over(Compiled compiled);
    void put_in_force(Compiled compiled);
    void end_reloads();
    void ask_to_stop(const char* why);
    void finish();

    Settings settings_;
    State state_;
    asio::io_context loop_;
    Errand mending_{loop_}, linking_{loop_};  ///< A driver that hangs in one keeps the other.
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
    asio::steady_timer drain_timer_{loop_}, house_timer_{loop_};
    asio::signal_set signals_{loop_};
    AdminCommands commands_;
    std::optional<AdminServer> admin_;
    std::optional<KeyFeed> key_feed_;
    std::optional<metrics::HttpServer> http_;
    std::vector<verdicts::VerdictRecord> batch_;
    std::vector<pipeline::PortStatus> ports_;  ///< As last seen, to tell of changes.
    uint64_t turns_ = 0;
    ClockSteps clock_steps_;
    unsigned lines_left_ = 0;  ///< Log lines for records in this second.
    uint64_t lines_held_ = 0;
    bool hang_said_ = false;
    std::vector<verdicts::PacketRecord> packet_batch_;
    unsigned packets_left_ = 0;  ///< Reported packets that may be written in this second.
    uint64_t packets_held_ = 0;
    uint64_t packets_lost_ = 0;  ///< By the Workers, as far as was said.
    std::chrono::microseconds watchdog_{0};
    std::chrono::steady_clock::time_point fed_{};
    std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
    std::vector<Asker> askers_;       ///< Of the reload that is being compiled.
    std::vector<Asker> next_askers_;  ///< Of the one after it: the file may have changed since.
    bool reloading_ = false, again_ = false, signalled_ = false;

    std::mutex mutex_;
    std::condition_variable asked_;
    bool stop_asked_ = false;  ///< Under `mutex_`.
    bool in_a_driver_ = false;
    std::thread thread_;
};

}  // namespace portcullis::control
