#pragma once

#include <algorithm>
#include <string_view>

namespace portcullis::policy {

/// What a kicked player reads, whoever tells him: `text`, in which each `{check}` and
/// `{player}` stands for what is given here.  `append` takes it piece by piece.
template <class Append>
constexpr void fill_message(std::string_view text, std::string_view check, std::string_view player,
                            Append&& append) {
    constexpr std::string_view check_word = "{check}", player_word = "{player}";
    while (!text.empty()) {
        if (text.starts_with(check_word)) {
            append(check);
            text.remove_prefix(check_word.size());
        } else if (text.starts_with(player_word)) {
            append(player);
            text.remove_prefix(player_word.size());
        } else {
            const size_t plain = std::min(text.find('{', 1), text.size());
            append(text.substr(0, plain));
            text.remove_prefix(plain);
        }
    }
}

}  // namespace portcullis::policy
