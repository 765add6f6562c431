#pragma once

#include <functional>

namespace CLI {
class App;
}

/// The subcommands of the load generator, one a game; each a file of its own that
/// declares its options and, when it is the one that was chosen, leaves in `chosen`
/// what is to be done.
namespace portcullis::load {

/// Does the work and returns the exit code.
using Command = std::function<int()>;

void add_minecraft(CLI::App& app, Command& chosen);
void add_shadowland(CLI::App& app, Command& chosen);

}  // namespace portcullis::load
