#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "commands.h"
#include "config/config.h"

namespace portcullis::app {

namespace {

int check(const std::string& file) {
    const config::Config config = config::load(file);
    std::cout << file << ": good; " << config.wires.size() << " wire(s), " << config.services.size()
              << " service(s), " << config.policies.size() << " policy(ies)\n";
    return 0;
}

}  // namespace

void add_check(CLI::App& app, Command& chosen) {
    CLI::App* sub = app.add_subcommand("check", "Validate a configuration file.");
    const auto file = std::make_shared<std::string>();
    sub->add_option("file", *file, "The configuration to validate")->required();
    sub->callback([file, &chosen] { chosen = [file] { return check(*file); }; });
}

}  // namespace portcullis::app
