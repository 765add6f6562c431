#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace portcullis::app {

/// Asks a running appliance over its admin socket and gives back the `result`.
/// Throws SetupError: nobody answers, or the answer is an error.
nlohmann::ordered_json ask_appliance(const std::string& socket,
                                     const nlohmann::ordered_json& request);

}  // namespace portcullis::app
