#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace portcullis::control {

/// What a reload comes to: the running configuration with everything new that
/// can change live (rows of config/schema.cc say what), and the keys that cannot and
/// keep their running value.
struct Reload {
    config::Config config;
    std::vector<std::string> kept;  ///< "workers", "services", …
};

/// Throws UsageError when a kept service would lose its policy.
Reload plan_reload(const config::Config& running, const config::Config& fresh);

}  // namespace portcullis::control
