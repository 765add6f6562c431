#pragma once

#include <span>
#include <string>

#include "keys/key.h"

namespace portcullis::load {

/// Writes keys as lines of the key feed.  Throws SetupError when the file can not be written.
void write_keys(const std::string& path, std::span<const keys::Key> keys);
/// Hands keys to a running appliance's key socket.  Throws SetupError when it refuses one.
void feed_keys(const std::string& socket, std::span<const keys::Key> keys);

}  // namespace portcullis::load
