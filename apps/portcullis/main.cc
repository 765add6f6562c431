#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <vector>

#include <syslog.h>

#include "base/setup_error.h"
#include "commands.h"
#include "config/problems.h"
#include "control/log.h"
#include "output.h"

namespace {

using namespace portcullis;

// One line a subcommand, in the order in which --help lists them.
constexpr auto subcommands = {
    app::add_run, app::add_inspect, app::add_check, app::add_verdicts, app::add_ctl,
};

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

void complain(const std::string& what) {
    std::cerr << control::journal_lines(LOG_ERR, what) << '\n';
}

/// CLI11 says that a subcommand is missing, and not which there are.  Empty: none is.
std::string missing_subcommand(const CLI::App& line) {
    const CLI::App* at = &line;
    std::string asked = at->get_name();
    while (!at->get_subcommands().empty()) {
        at = at->get_subcommands().front();
        asked += ' ' + at->get_name();
    }
    std::vector<std::string> names;
    for (const CLI::App* sub : at->get_subcommands({})) names.push_back(sub->get_name());
    if (names.empty()) return "";
    const std::vector<std::string> given = line.remaining(true);
    return asked +
           (given.empty() ? " wants a subcommand"
                          : ": " + config::in_quotes(given.front()) + " is none of its" +
                                " subcommands" + config::suggestion(given.front(), names)) +
           "; allowed: " + config::alternatives(names) + "\nRun with --help for more information.";
}

int run(const app::Command& command) {
    try {
        const int code = command();
        app::finish_output();
        return code;
    } catch (const UsageError& error) {
        complain(error.what());
        return exit_usage;
    } catch (const std::bad_alloc&) {
        complain("portcullis: no memory is left; give the machine more, or ask for less in limits");
    } catch (const std::exception& error) {
        complain(std::string("portcullis: ") + error.what());
    }
    return exit_failed;
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
    } catch (const CLI::RequiredError& error) {
        const std::string missing = missing_subcommand(line);
        if (missing.empty()) return line.exit(error) == 0 ? 0 : exit_usage;
        complain(missing);
        return exit_usage;
    } catch (const CLI::ParseError& error) {
        return line.exit(error) == 0 ? 0 : exit_usage;
    }
    return run(chosen);
}
