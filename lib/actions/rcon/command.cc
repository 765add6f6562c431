#include "actions/rcon/command.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/setup_error.h"
#include "base/utf8.h"

namespace portcullis::actions::rcon {

namespace {

constexpr size_t name_size_max = 16;
constexpr size_t reason_size_max = 100;
constexpr std::string_view player_mark = "{player}";
constexpr std::string_view reason_mark = "{reason}";

/// The section sign, which colours the character behind it.
constexpr std::string_view colour = "\xc2\xa7";

/// What servers answer when a command did nothing; in lower case.
constexpr std::string_view absences[] = {
    "no player was found", "no entity was found",         "player not found",
    "can't find player",   "that player cannot be found",
};
constexpr std::string_view failures[] = {
    "unknown command",
    "unknown or incomplete",
    "incorrect argument",
    "no permission",
};

bool says_one_of(std::string_view answer, std::span<const std::string_view> phrases) {
    std::string lower(answer);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    return std::ranges::any_of(phrases,
                               [&](std::string_view phrase) { return lower.contains(phrase); });
}

constexpr bool in_word(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Proxies put one of these signs before the names of players of other editions.
constexpr bool in_name(char c) noexcept {
    return in_word(c) || std::string_view(".*+-").contains(c);
}

constexpr bool control_character(char c) noexcept { return is_control({&c, 1}); }

std::string plain(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const size_t length = utf8_length(text);
        const std::string_view sequence = text.substr(0, length);
        if (text.starts_with(colour)) {
            text.remove_prefix(std::min(text.size(), colour.size() + 1));  // And the code behind.
            continue;
        }
        if (length > 0 && !is_control(sequence)) {
            out += sequence;
        } else if (!out.empty() && out.back() != ' ') {
            out += ' ';
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    while (out.ends_with(' ')) out.pop_back();
    return out;
}

void replace(std::string& text, std::string_view mark, std::string_view with) {
    const size_t at = text.find(mark);
    if (at != std::string::npos) text.replace(at, mark.size(), with);
}

}  // namespace

bool valid_player_name(std::string_view name) noexcept {
    // Of signs alone it might be a pattern, and with a dash before it an option of
    // some plugin's command.
    return name.size() <= name_size_max && !name.starts_with('-') &&
           std::ranges::all_of(name, in_name) && std::ranges::any_of(name, in_word);
}

std::string clean_reason(std::string_view reason) {
    std::string out = plain(reason);
    if (out.size() > reason_size_max) {
        size_t end = reason_size_max;
        while (end > 0 && (static_cast<uint8_t>(out[end]) & 0xc0) == 0x80) --end;
        out.resize(end);
    }
    return out;
}

std::optional<std::string> command_for(std::string_view text, std::string_view player,
                                       std::string_view reason) {
    if (!valid_player_name(player)) return std::nullopt;
    std::string command(text);
    // The reason last: a name can hold no mark, a reason might.
    replace(command, player_mark, player);
    replace(command, reason_mark, clean_reason(reason));
    return command;
}

std::string clean_answer(std::string_view answer) { return plain(answer); }

bool says_absent(std::string_view answer) { return says_one_of(answer, absences); }

bool says_failed(std::string_view answer) {
    return says_absent(answer) || says_one_of(answer, failures);
}

}  // namespace portcullis::actions::rcon
