#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/setup_error.h"
#include "commands.h"
#include "config/config.h"
#include "pipeline/pipeline.h"
#include "policy/rule_set.h"
#include "port/profile.h"
#include "this_machine.h"

namespace portcullis::app {

namespace {

/// Goes on after a problem, so that all of them are said at once.
class Complaints {
public:
    void hear(const std::function<void()>& judge) {
        try {
            judge();
        } catch (const UsageError& error) {
            add(error.what());
        }
    }
    void add(const std::string& what) {
        if (!text_.empty()) text_ += '\n';
        text_ += what;
    }
    void throw_if_any() const {
        if (!text_.empty()) throw UsageError(text_);
    }

private:
    std::string text_;
};

struct CheckOptions {
    std::string file;
    bool elsewhere = false;  ///< It is for another machine.
};

int check(const CheckOptions& options) {
    const std::string& file = options.file;
    const config::Config config = config::load(file);
    const port::DataFiles files(config.file);
    Complaints complaints;
    complaints.hear([&] { (void)policy::RuleSet::compile(config); });
    complaints.hear([&] { (void)pipeline::find_pipeline(config.pipeline, files); });
    for (const config::Wire& wire : config.wires) {
        for (const config::Port* port : {&wire.outside, &wire.inside}) {
            complaints.hear([&] { (void)port::find_profile(*port, files, config.file); });
        }
    }
    const Fit fit = options.elsewhere ? Fit{} : fit_this_machine(config);
    for (const std::string& problem : fit.problems) complaints.add(problem);
    complaints.throw_if_any();
    std::cout << file << " is good: " << config.wires.size() << " wire(s), "
              << config.services.size() << " service(s), " << config.policies.size()
              << " policies.\n";
    for (const auto& warnings : {warnings_about(config), fit.warnings}) {
        for (const std::string& warning : warnings) std::cout << "warning: " << warning << '\n';
    }
    if (config.wires.empty()) {
        std::cout << "Without wires it serves `inspect`; `run` will refuse it.\n";
    }
    return 0;
}

}  // namespace

void add_check(CLI::App& app, Command& chosen) {
    CLI::App* sub = app.add_subcommand("check", "Validate a configuration and what it names.");
    const auto options = std::make_shared<CheckOptions>();
    sub->add_option("file", options->file, "The configuration")->required();
    sub->add_flag("--elsewhere", options->elsewhere,
                  "It is for another machine: look for no cores and no files of secrets here");
    sub->callback([options, &chosen] { chosen = [options] { return check(*options); }; });
}

}  // namespace portcullis::app
