#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <syslog.h>

#include "actions/actions.h"
#include "base/setup_error.h"
#include "commands.h"
#include "config/config.h"
#include "config/problems.h"
#include "control/control.h"
#include "control/log.h"
#include "evidence/store.h"
#include "output.h"
#include "pipeline/appliance.h"
#include "policy/policy.h"
#include "port/privileges.h"
#include "run_report.h"
#include "stream_report.h"
#include "this_machine.h"

namespace portcullis::app {

namespace {

struct RunOptions {
    std::string config;
    std::vector<std::string> eal_arguments;
    double duration_s = 0;
    bool report = false;
    unsigned mbufs_extra = 0;
    std::string streams;
};

std::vector<std::string> service_names(const config::Config& config) {
    std::vector<std::string> names;
    for (const config::Service& service : config.services) names.push_back(service.name);
    return names;
}

void say_what_was_set_up(const pipeline::Appliance& appliance) {
    for (const std::string& line : appliance.description()) {
        fprintf(stderr, "%sportcullis: %s\n", control::journal_priority(LOG_INFO), line.c_str());
    }
    fprintf(stderr, "%sportcullis: privileges kept: %s\n", control::journal_priority(LOG_INFO),
            port::capabilities_text(appliance.capabilities()).c_str());
}

/// DPDK's arguments stand behind "--" and begin with a dash; a word alone is a slip.
void expect_arguments_of_eal(const RunOptions& options) {
    if (options.eal_arguments.empty() || options.eal_arguments.front().starts_with('-')) return;
    throw UsageError("run takes no " + config::in_quotes(options.eal_arguments.front()) +
                     "; the configuration is named by --config, and arguments for DPDK's EAL "
                     "stand behind \"--\"");
}

void warn(const config::Config& config) {
    for (const auto& warnings : {warnings_about(config), fit_this_machine(config).warnings}) {
        for (const std::string& warning : warnings) spdlog::warn("{}", warning);
    }
}

/// The packet side alone, so that its figures are its own; records are taken,
/// for a ring that nobody empties would cost less than one that somebody does.
void measure(pipeline::Appliance& appliance, double duration_s) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double>(duration_s));
    const auto records = std::make_unique<std::array<verdicts::VerdictRecord, 1024>>();
    while (Clock::now() < end) {
        while (appliance.take_records(*records) > 0) {
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

/// All open at once, and whose disk does not answer is gone on without.
/// The log tells the evidence which verdicts it has written, so the evidence ends last.
void add_sinks(control::Control& control, const config::Config& config,
               pipeline::Appliance& appliance) {
    const auto open_by = Opening::deadline();
    std::unique_ptr<evidence::Store> evidence;
    if (config.verdict_log.evidence.players > 0) {
        evidence = std::make_unique<evidence::Store>(
            Opening::later, evidence::Store::settings(config), checks::check_names,
            service_names(config), appliance.evidence());
    }
    actions::LogHearer hearer;
    if (evidence) {
        hearer = {.committed = [store = evidence.get()](auto some) { store->committed(some); },
                  .lags = [store = evidence.get()](auto lag) { store->log_lags(lag); }};
    }
    control.add(std::make_unique<actions::Actions>(config, checks::check_names, control.orders(),
                                                   std::move(hearer), open_by));
    if (!evidence) return;
    evidence->await_open(open_by);
    control.add(std::move(evidence));
}

/// For when a thread was left behind that still uses what would be destroyed.
[[noreturn]] void end_at_once() {
    finish_output();
    spdlog::default_logger()->flush();
    std::_Exit(0);
}

/// True when a thread was left behind that still compiles rules.
bool be_in_the_wire(const RunOptions& options) {
    expect_arguments_of_eal(options);
    const config::Config config = config::load(options.config);
    control::start_log(config.logging);
    warn(config);
    umask(027);  // Whom the log tells about is nobody else's business.
    StreamReport streams;
    pipeline::Appliance appliance(config, {options.eal_arguments, options.mbufs_extra,
                                           options.streams.empty() ? nullptr : &streams});
    say_what_was_set_up(appliance);
    // What comes now meets the world with no more power than it needs, and what
    // it may not do shows at the start, not in the night.
    port::drop_capabilities(appliance.capabilities());

    bool left_behind = false, in_a_driver = false;
    if (options.duration_s > 0) {
        appliance.start();
        measure(appliance, options.duration_s);
        appliance.stop();
    } else {
        control::Control control(config, appliance);
        add_sinks(control, config, appliance);
        control.start();
        appliance.start();
        control.ready();
        control.wait();
        appliance.stop();
        control.stop();
        left_behind = control.compiling();
        in_a_driver = control.in_a_driver();
    }
    if (options.report) print_run_report(appliance, options.duration_s);
    if (!options.streams.empty()) streams.write(options.streams);
    if (in_a_driver) end_at_once();
    return left_behind;
}

int run(const RunOptions& options) {
    if (be_in_the_wire(options)) end_at_once();
    return 0;
}

}  // namespace

void add_run(CLI::App& app, Command& chosen) {
    CLI::App* sub = app.add_subcommand("run", "Be the bump in the wire, until SIGTERM.");
    const auto options = std::make_shared<RunOptions>();
    sub->add_option("--config", options->config, "The configuration file")->required();
    sub->add_option("--duration", options->duration_s,
                    "Measure: stop after so many seconds, without the slow side")
        ->check(CLI::PositiveNumber);
    sub->add_flag("--report", options->report,
                  "At the end print packets a second and nanoseconds by stage");
    sub->add_option("--mbufs", options->mbufs_extra,
                    "More packet buffers, for a net_pcap port that keeps its capture in memory");
    sub->add_option("--streams", options->streams,
                    "Test: decode nothing; at the end write each stream's size and SHA-256 there");
    sub->add_option("eal", options->eal_arguments, "After \"--\": arguments for DPDK's EAL");
    sub->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace portcullis::app
