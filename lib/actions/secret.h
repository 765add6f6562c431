#pragma once

#include <string>

namespace portcullis::actions {

/// The first line of a file that holds a password or an address nobody else may
/// see.  Never logged, never part of an error.  Throws SetupError: missing, not
/// readable, empty, longer than 1 KiB.
std::string read_secret(const std::string& path);

}  // namespace portcullis::actions
