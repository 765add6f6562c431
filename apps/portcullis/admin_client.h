#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace portcullis::app {

/// Asks a running appliance over its admin socket and gives back the `result`.
/// Throws SetupError: nobody answers for 15 s, or the answer is an error.  With a text
/// `meanwhile`, that is said then, and the answer waited for as long as the connection stands.
nlohmann::ordered_json ask_appliance(const std::string& socket,
                                     const nlohmann::ordered_json& request,
                                     const std::string& meanwhile = {});

}  // namespace portcullis::app
