// Goal: options are read as hosts read them, and no list harms the reader.
// Method: one list a case; then every list of three bytes out of a telling few.

#include "stream/segment.h"

#include <string_view>

#include <gtest/gtest.h>

namespace portcullis::stream {
namespace {

using namespace std::string_view_literals;

TEST(Options, ASynNamesThemAll) {
    const TcpOptions o = parse_options(as_bytes(
        "\x02\x04\x05\xb4\x04\x02\x08\x0a\x00\x00\x00\x07\x00\x00\x00\x09\x01\x03\x03\x07"sv));
    EXPECT_EQ(o.mss, 1460);
    EXPECT_TRUE(o.sack_permitted);
    EXPECT_TRUE(o.has_timestamps);
    EXPECT_EQ(o.timestamp, 7u);
    EXPECT_EQ(o.timestamp_echo, 9u);
    EXPECT_TRUE(o.has_window_scale);
    EXPECT_EQ(o.window_scale, 7);
    EXPECT_FALSE(o.malformed);
}

TEST(Options, TheUsualTimestampsAreReadAtOnce) {
    const TcpOptions o =
        parse_options(as_bytes("\x01\x01\x08\x0a\x01\x02\x03\x04\x05\x06\x07\x08"sv));
    EXPECT_TRUE(o.has_timestamps);
    EXPECT_EQ(o.timestamp, 0x01020304u);
    EXPECT_EQ(o.timestamp_echo, 0x05060708u);
}

TEST(Options, AScaleOverFourteenIsFourteen) {
    EXPECT_EQ(parse_options(as_bytes("\x03\x03\xff\x00"sv)).window_scale, 14);
}

TEST(Options, AWrongLengthIsNotBelieved) {
    const TcpOptions o = parse_options(as_bytes("\x03\x04\x07\x07\x08\x04\x01\x01"sv));
    EXPECT_FALSE(o.has_window_scale);
    EXPECT_FALSE(o.has_timestamps);
    EXPECT_FALSE(o.malformed);
}

TEST(Options, EndingInsideAnOptionIsMalformed) {
    for (std::string_view list : {"\x02"sv, "\x02\x04\x05"sv, "\x08\x00"sv, "\x08\x01"sv}) {
        EXPECT_TRUE(parse_options(as_bytes(list)).malformed);
    }
    EXPECT_FALSE(parse_options(as_bytes("\x00\x02\x04\x05"sv)).malformed) << "After the end.";
}

}  // namespace
}  // namespace portcullis::stream
