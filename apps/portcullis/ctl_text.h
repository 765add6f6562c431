#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace portcullis::app {

/// One reported game packet, for people.
std::string traced_text(const nlohmann::ordered_json& packet);
/// How the admin socket's answer to a command is written for people: tables and short lines.
using CtlText = std::string (*)(const nlohmann::ordered_json& result);
/// Throws for a command that has none, so that no subcommand can be added without.
CtlText ctl_text(std::string_view command);

}  // namespace portcullis::app
