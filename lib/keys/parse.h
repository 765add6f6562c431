#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keys/key.h"

/// The key feed: one JSON object a line, the same in a file and on the socket.
namespace portcullis::keys {

/// Bytes of a line, its end included; a longer one is refused unread.
inline constexpr size_t line_size_max = 1024;
/// Keys that a file may hold.
inline constexpr size_t keys_max = 1'000'000;

/// One line.  The error says what is wrong with which field, never its value.
std::expected<Key, std::string> parse(std::string_view line);

/// What the files that a service names hold; nothing when both names are empty.  Throws
/// SetupError that names the file and never shows what is in it.
std::optional<ShadowlandSecrets> load_secrets(const Endpoint& server,
                                              const std::string& cookie_secret_file,
                                              const std::string& integrity_secret_file);

/// All lines of a file; empty ones are skipped.  Throws UsageError that names the line.
std::vector<Key> load(const std::string& path);

}  // namespace portcullis::keys
