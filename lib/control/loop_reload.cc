// How the running configuration is exchanged: read, compared and compiled on a
// thread of its own, since compiling patterns takes time; published on the loop.

#include <nlohmann/json.hpp>

#include <spdlog/spdlog.h>

#include "base/setup_error.h"
#include "control/log.h"
#include "control/loop.h"
#include "policy/rule_set.h"

namespace portcullis::control {

void Control::Loop::reload(Done done, Failed failed) {
    if (state_.config.file.empty()) {
        return failed("there is no configuration file to read again");
    }
    if (reloading_) return failed("a reload is under way; wait for it");
    reloading_ = true;
    asio::post(compiler_, [this, running = state_.config, done, failed] {
        auto compiled = std::make_shared<Compiled>(compile(running));
        asio::post(loop_, [this, compiled, done, failed] {
            take_over(std::move(*compiled), done, failed);
        });
    });
}

Control::Loop::Compiled Control::Loop::compile(const config::Config& running) const {
    Compiled compiled;
    try {
        compiled.plan = plan_reload(running, config::load(running.file));
        compiled.rules = settings_.compile(compiled.plan.config);
    } catch (const std::exception& error) {
        compiled.error = error.what();
    }
    return compiled;
}

void Control::Loop::take_over(Compiled compiled, const Done& done, const Failed& failed) {
    reloading_ = false;
    if (!compiled.error.empty()) {
        ++state_.reloads_refused;
        spdlog::error("the configuration stays as it is: {}", compiled.error);
        return failed(compiled.error);
    }
    state_.config = std::move(compiled.plan.config);
    // Before the Workers: what they find by the new rules comes to sinks that know them.
    for (const auto& sink : state_.sinks) sink->reloaded(state_.config);
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
    done({{"file", state_.config.file}, {"needs_restart", compiled.plan.kept}});
}

}  // namespace portcullis::control
