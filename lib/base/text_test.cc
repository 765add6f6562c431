// Goal: a text that is cut is still text, and what is shown to people is as wide as it says.
// Method: texts of every width of UTF-8, cut at every byte; bytes that are none.

#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "base/inline_text.h"
#include "base/utf8.h"

namespace portcullis {
namespace {

/// How many characters; nothing where it is no UTF-8.
std::optional<size_t> characters(std::string_view text) {
    size_t count = 0;
    while (!text.empty()) {
        const size_t length = utf8_length(text);
        if (length == 0) return std::nullopt;
        text.remove_prefix(length);
        ++count;
    }
    return count;
}

TEST(Text, IsCutBetweenCharacters) {
    for (const std::string_view one : {"a", "\xc3\xa4", "\xe5\xad\x97", "\xf0\x9f\x98\x80"}) {
        std::string text;
        for (size_t i = 0; i < 12; ++i) text += one;
        for (size_t bytes = 0; bytes <= text.size(); ++bytes) {
            const std::string_view cut = utf8_beginning(text, bytes);
            EXPECT_EQ(characters(cut), bytes / one.size()) << one << ' ' << bytes;
            EXPECT_TRUE(text.starts_with(cut));
        }
    }
    // Eleven characters of three bytes each do not go into 32 bytes.
    std::string name;
    for (size_t i = 0; i < 11; ++i) name += "\xe5\xad\x97";
    EXPECT_EQ(InlineText<32>(name).view(), name.substr(0, 30));
}

TEST(Text, ThatIsNoUtf8LosesNoMoreThanWhatMayHaveBegun) {
    for (const std::string_view text :
         {"\x80\x80\x80\x80\x80\x80", "\xff\xff\xff\xff\xff\xff", "\xf0\x9f\xf0\x9f\xf0\x9f"}) {
        for (size_t bytes = 0; bytes <= text.size(); ++bytes) {
            EXPECT_LE(utf8_beginning(text, bytes).size(), bytes);
            EXPECT_GE(utf8_beginning(text, bytes).size() + 3, bytes);
        }
    }
}

TEST(Text, IsAsWideOnATerminalAsItSays) {
    for (const std::string_view text :
         {"", "Alice", "\xc3\xa4\xe5\xad\x97", "\x1b[2J\xff\xc2\x9b"}) {
        std::string column = "|";
        append_plain_padded(column, text, '?', 10);
        EXPECT_EQ(characters(column), 11u) << column;
    }
    std::string full;
    append_plain_padded(full, "longer than its column", '?', 10);
    EXPECT_EQ(full, "longer than its column");
}

}  // namespace
}  // namespace portcullis
