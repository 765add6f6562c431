// Goal: what is written as hexadecimal digits is read back, in either case, and nothing else is.
// Method: every octet there and back, and each character that is no digit.

#include "base/hex.h"

#include <array>

#include <gtest/gtest.h>

namespace portcullis {
namespace {

TEST(Hex, GoesThereAndBack) {
    for (unsigned octet = 0; octet < 256; ++octet) {
        const std::array<std::byte, 1> bytes = {static_cast<std::byte>(octet)};
        std::string text;
        append_hex(text, bytes);
        std::array<std::byte, 1> back{};
        EXPECT_EQ(from_hex(text, back), 1u);
        EXPECT_EQ(back, bytes) << text;
    }
    std::array<std::byte, 2> upper{};
    EXPECT_EQ(from_hex("Ab0F", upper), 2u);
    EXPECT_EQ(upper, (std::array{std::byte{0xab}, std::byte{0x0f}}));
}

TEST(Hex, RefusesWhatIsNone) {
    for (int c = -128; c < 128; ++c) {
        const bool is_digit =
            std::string_view("0123456789abcdefABCDEF").contains(static_cast<char>(c));
        EXPECT_EQ(hex_value(static_cast<char>(c)) >= 0, is_digit) << c;
    }
    std::array<std::byte, 1> room{};
    for (const char* text : {"a", "0g", "g0", "0000", " 0"}) EXPECT_EQ(from_hex(text, room), 0u);
}

}  // namespace
}  // namespace portcullis
