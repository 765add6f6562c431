#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace portcullis::app {

/// How a configuration fits the machine that it stands on.
struct Fit {
    std::vector<std::string> problems;  ///< `run` would end with each of them.
    std::vector<std::string> warnings;  ///< It would run, and somebody may be sorry.
};

/// Asks for the cores and reads the files of secrets that `config` names; of systemd's
/// credentials only those that are there, since they come with the service.
Fit fit_this_machine(const config::Config& config);

/// What needs no machine to be seen.
std::vector<std::string> warnings_about(const config::Config& config);

}  // namespace portcullis::app
