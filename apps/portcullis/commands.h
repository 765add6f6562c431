#pragma once

#include <functional>

namespace CLI {
class App;
}

/// The subcommands of the one binary.  Each adds itself to the command line in
/// a file of its own: it declares its options and, when it is the one that was
/// chosen, leaves in `chosen` what is to be done.  main runs that after the
/// whole line was understood, and turns exceptions into exit codes: 1 for a
/// SetupError, 2 for a UsageError.
namespace portcullis::app {

/// Does the work and returns the exit code.
using Command = std::function<int()>;

void add_run(CLI::App& app, Command& chosen);
void add_inspect(CLI::App& app, Command& chosen);
void add_check(CLI::App& app, Command& chosen);
void add_verdicts(CLI::App& app, Command& chosen);
void add_ctl(CLI::App& app, Command& chosen);

}  // namespace portcullis::app
