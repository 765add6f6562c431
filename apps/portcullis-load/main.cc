#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "base/setup_error.h"
#include "commands.h"

namespace {

using namespace portcullis;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

int run(const load::Command& command) {
    try {
        return command();
    } catch (const UsageError& error) {
        std::cerr << "portcullis-load: " << error.what() << '\n';
        return exit_usage;
    } catch (const std::exception& error) {
        std::cerr << "portcullis-load: " << error.what() << '\n';
        return exit_failed;
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App line{"Game traffic for benchmarks and soak, into a port or a capture file."};
    line.name("portcullis-load");
    line.require_subcommand(1);
    load::Command chosen;
    for (const auto add : {load::add_minecraft, load::add_shadowland}) add(line, chosen);
    try {
        line.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return line.exit(error) == 0 ? 0 : exit_usage;
    }
    return run(chosen);
}
