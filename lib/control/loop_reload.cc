// How the running configuration is exchanged: read, compared and compiled on a
// thread of its own, since compiling patterns takes time; published on the loop.  At the end
// nobody waits for that thread: it holds copies alone.

#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include "base/setup_error.h"
#include "control/log.h"
#include "control/loop.h"
#include "policy/rule_set.h"

namespace portcullis::control {

namespace {

constexpr size_t askers_max = 64;  ///< Of one reload; signals do not count.

}  // namespace

void Control::Loop::reload(Done done, Failed failed) {
    const auto refuse = [&](const char* why) {
        if (failed) failed(why);
    };
    if (state_.config.file.empty()) return refuse("there is no configuration file to read again");
    auto& askers = reloading_ ? next_askers_ : askers_;
    if (askers.size() == askers_max) return refuse("too many wait for a reload; try again");
    if (done) askers.push_back({std::move(done), std::move(failed)});
    if (reloading_) {
        again_ = true;
    } else {
        start_compiling();
    }
}

void Control::Loop::start_compiling() {
    reloading_ = true;
    const auto work = [mailbox = mailbox_, running = state_.config, compile = settings_.compile] {
        const auto compiled = std::make_shared<Compiled>();
        try {
            compiled->plan = plan_reload(running, config::load(running.file));
            compiled->rules = compile(compiled->plan.config);
        } catch (const std::exception& error) {
            compiled->error = error.what();
        }
        const std::lock_guard lock(mailbox->mutex);
        mailbox->compiling = false;
        Loop* const loop = mailbox->loop;
        if (loop == nullptr) return;
        asio::post(loop->loop_, [loop, compiled] { loop->take_over(std::move(*compiled)); });
    };
    const auto begun = [this](bool compiling) {
        const std::lock_guard lock(mailbox_->mutex);
        mailbox_->compiling = compiling;
    };
    try {
        begun(true);
        std::thread(work).detach();
    } catch (const std::system_error& error) {
        begun(false);
        Compiled nothing;
        nothing.error = error.what();
        take_over(std::move(nothing));
    }
}

bool Control::Loop::compiling() const {
    const std::lock_guard lock(mailbox_->mutex);
    return mailbox_->compiling;
}

void Control::Loop::take_over(Compiled compiled) {
    reloading_ = false;
    put_in_force(std::move(compiled));
    askers_ = std::exchange(next_askers_, {});
    if (std::exchange(again_, false)) return start_compiling();
    if (std::exchange(signalled_, false)) sd_notify(0, "READY=1");
}

/// The loop ends; the rules that are being compiled nobody wants any more.
void Control::Loop::end_reloads() {
    for (auto* askers : {&askers_, &next_askers_}) {
        for (const Asker& asker : std::exchange(*askers, {})) asker.failed("the appliance stops");
    }
}

void Control::Loop::put_in_force(Compiled compiled) {
    const std::vector<Asker> askers = std::exchange(askers_, {});
    if (!compiled.error.empty()) {
        ++state_.reloads_refused;
        spdlog::error("the configuration stays as it is: {}", compiled.error);
        for (const Asker& asker : askers) asker.failed(compiled.error);
        return;
    }
    state_.config = std::move(compiled.plan.config);
    // Before the Workers: what they find by the new rules comes to sinks that know them.
    std::vector<std::string> warnings;
    for (const auto& sink : state_.sinks) {
        for (std::string& line : sink->reloaded(state_.config)) {
            spdlog::warn("{}", line);
            warnings.push_back(std::move(line));
        }
    }
    state_.wire.publish(std::move(compiled.rules));
    set_log_level(state_.config.logging);
    ++state_.reloads_done;
    std::string kept;
    for (const std::string& key : compiled.plan.kept) kept += (kept.empty() ? "" : ", ") + key;
    if (kept.empty()) {
        spdlog::info("{} is in force", state_.config.file);
    } else {
        spdlog::warn("{} is in force, but for {}: restart for those", state_.config.file, kept);
    }
    for (const Asker& asker : askers) {
        asker.done({{"file", state_.config.file},
                    {"needs_restart", compiled.plan.kept},
                    {"warnings", warnings}});
    }
}

}  // namespace portcullis::control
