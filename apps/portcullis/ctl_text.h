#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace portcullis::app {

/// An answer of the admin socket for people: tables and short lines.
/// One reported game packet.
std::string traced_text(const nlohmann::ordered_json& packet);
std::string ctl_text(const std::string& command, const nlohmann::ordered_json& result);

}  // namespace portcullis::app
