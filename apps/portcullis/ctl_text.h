#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace portcullis::app {

/// One reported game packet, for people.
std::string traced_text(const nlohmann::ordered_json& packet);
/// An answer of the admin socket for people: tables and short lines.
std::string ctl_text(const std::string& command, const nlohmann::ordered_json& result);

}  // namespace portcullis::app
