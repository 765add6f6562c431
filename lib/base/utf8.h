#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace portcullis {

/// Length in bytes of the UTF-8 sequence that `text` starts with (RFC 3629 4); 0: it
/// starts with none.
constexpr size_t utf8_length(std::string_view text) noexcept {
    const auto byte = [&](size_t i) {
        return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
    };
    const auto tail = [&](size_t i) { return (byte(i) & 0xc0) == 0x80; };
    const uint8_t first = byte(0);
    if (text.empty()) return 0;
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const bool overlong = first == 0xe0 && byte(1) < 0xa0;
        const bool surrogate = first == 0xed && byte(1) > 0x9f;
        return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const bool overlong = first == 0xf0 && byte(1) < 0x90;
        const bool beyond = first == 0xf4 && byte(1) > 0x8f;
        return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
    }
    return 0;
}

/// Whether a sequence, as `utf8_length` cut it off, is a control character: of ASCII, or of
/// the second set (U+0080 to U+009F), whose U+009B begins a terminal's commands as ESC [ does.
constexpr bool is_control(std::string_view sequence) noexcept {
    const auto first = static_cast<uint8_t>(sequence[0]);
    if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
    return first == 0xc2 && static_cast<uint8_t>(sequence[1]) < 0xa0;
}

/// Length in bytes of the UTF-8 sequence that such a byte begins; 1 where it begins none.
constexpr size_t utf8_begun_length(char first) noexcept {
    const auto byte = static_cast<uint8_t>(first);
    if (byte < 0xc2 || byte > 0xf4) return 1;
    return byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/// The beginning of `text` that fits into so many bytes, without a sequence that was only
/// begun there.
constexpr std::string_view utf8_beginning(std::string_view text, size_t bytes_max) noexcept {
    if (text.size() <= bytes_max) return text;
    constexpr size_t begun_max = 3;  // Bytes of a sequence of four without its last.
    for (size_t begun = 1; begun <= std::min(begun_max, bytes_max); ++begun) {
        const size_t begin = bytes_max - begun;
        if (utf8_begun_length(text[begin]) > begun) return text.substr(0, begin);
    }
    return text.substr(0, bytes_max);
}

/// `text` as a terminal may show it: `instead` stands for each control character and for
/// each byte that is no UTF-8, which old terminals take for commands too.
inline void append_plain(std::string& out, std::string_view text, std::string_view instead) {
    while (!text.empty()) {
        const size_t length = utf8_length(text);
        if (length == 0 || is_control(text.substr(0, length))) {
            out += instead;
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
}
inline void append_plain(std::string& out, std::string_view text, char instead) {
    append_plain(out, text, std::string_view(&instead, 1));
}

/// The same for a column of a table: filled up with blanks to so many characters.
inline void append_plain_padded(std::string& out, std::string_view text, char instead,
                                size_t characters) {
    const size_t begin = out.size();
    append_plain(out, text, instead);
    const auto goes_on = [](char c) { return (static_cast<uint8_t>(c) & 0xc0) == 0x80; };
    const auto written = std::string_view(out).substr(begin);
    const size_t shown =
        written.size() - static_cast<size_t>(std::ranges::count_if(written, goes_on));
    if (shown < characters) out.append(characters - shown, ' ');
}

}  // namespace portcullis
