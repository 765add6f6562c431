#pragma once

#include <optional>
#include <string>
#include <string_view>

/// What is said to a server's console, and what its answer means.  Names and
/// reasons come from strangers: nothing of theirs may become a command.
namespace portcullis::actions::rcon {

/// 1 to 16 of the letters that names have, those of proxied Bedrock players
/// among them: [A-Za-z0-9_.*+-].
bool valid_player_name(std::string_view name) noexcept;

/// One line of plain text: no control characters, no colour codes, cut between
/// characters to 100 bytes.
std::string clean_reason(std::string_view reason);

/// `text` with its {player} and {reason}, which the configuration has seen to be one line with
/// one {player}; nothing when the name is none.
std::optional<std::string> command_for(std::string_view text, std::string_view player,
                                       std::string_view reason);

/// An answer as one line without colour codes.
std::string clean_answer(std::string_view answer);
/// Whether the answer says that nothing was done.
bool says_failed(std::string_view answer);
/// Whether it failed because the server knows no such player.
bool says_absent(std::string_view answer);

}  // namespace portcullis::actions::rcon
