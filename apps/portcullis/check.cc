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

namespace portcullis::app {

namespace {

/// Goes on after a problem, so that all of them are said at once.
class Complaints {
public:
    void hear(const std::function<void()>& judge) {
        try {
            judge();
        } catch (const UsageError& error) {
            if (!text_.empty()) text_ += '\n';
            text_ += error.what();
        }
    }
    void throw_if_any() const {
        if (!text_.empty()) throw UsageError(text_);
    }

private:
    std::string text_;
};

int check(const std::string& file) {
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
    complaints.throw_if_any();
    std::cout << file << " is good: " << config.wires.size() << " wire(s), "
              << config.services.size() << " service(s), " << config.policies.size()
              << " policies.\n";
    if (config.wires.empty()) {
        std::cout << "Without wires it serves `inspect`; `run` will refuse it.\n";
    }
    return 0;
}

}  // namespace

void add_check(CLI::App& app, Command& chosen) {
    CLI::App* sub = app.add_subcommand("check", "Validate a configuration and what it names.");
    const auto file = std::make_shared<std::string>();
    sub->add_option("file", *file, "The configuration")->required();
    sub->callback([file, &chosen] { chosen = [file] { return check(*file); }; });
}

}  // namespace portcullis::app
