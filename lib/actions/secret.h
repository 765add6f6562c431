#pragma once

#include <string>
#include <string_view>

namespace portcullis::actions {

/// The one line of a file that holds a password or an address nobody else may see.
/// Never logged, never part of an error.  Throws SetupError: missing, not readable,
/// empty, more than a line, longer than 1 KiB.
std::string read_secret(const std::string& path);

/// Whether it is a copy that systemd made at the start, of which no reload sees another.
bool is_credential(std::string_view path);

}  // namespace portcullis::actions
