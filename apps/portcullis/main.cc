#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include <syslog.h>

#include "base/setup_error.h"
#include "commands.h"
#include "control/log.h"

namespace {

using namespace portcullis;

// One line a subcommand, in the order in which --help lists them.
constexpr auto subcommands = {
    app::add_run, app::add_inspect, app::add_check, app::add_verdicts, app::add_ctl,
};

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

int run(const app::Command& command) {
    try {
        return command();
    } catch (const UsageError& error) {
        std::cerr << control::journal_priority(LOG_ERR) << error.what() << '\n';
        return exit_usage;
    } catch (const std::exception& error) {
        std::cerr << control::journal_priority(LOG_ERR) << "portcullis: " << error.what() << '\n';
        return exit_failed;
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App line{"Portcullis: a bump in the wire that protects game servers."};
    line.name("portcullis");
    line.set_version_flag("--version", "portcullis " PORTCULLIS_VERSION);
    line.require_subcommand(1);
    app::Command chosen;
    for (const auto add : subcommands) add(line, chosen);
    try {
        line.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return line.exit(error) == 0 ? 0 : exit_usage;
    }
    return run(chosen);
}
