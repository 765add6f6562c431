// Goal: a spreadsheet that opens `verdicts export --format csv` runs nothing that a player
// wrote, and takes figures for figures; every reader of UTF-8 can read it.
// Method: a table of fields.

#include "verdicts_print.h"

#include <gtest/gtest.h>

#include "base/concat.h"
#include "base/utf8.h"

namespace portcullis::app {
namespace {

std::string field(std::string_view text) {
    std::string out;
    append_csv(out, text);
    return out;
}

TEST(Csv, NoTextIsAFormula) {
    EXPECT_EQ(field("Alice"), "Alice");
    EXPECT_EQ(field(""), "");
    EXPECT_EQ(field("=1+1"), "'=1+1");
    EXPECT_EQ(field("+cmd"), "'+cmd");
    EXPECT_EQ(field("-cmd"), "'-cmd");
    EXPECT_EQ(field("@SUM(A1)"), "'@SUM(A1)");
    EXPECT_EQ(field("\t=1"), "\xef\xbf\xbd=1");
    EXPECT_EQ(field("=HYPERLINK(\"x\",\"y\")"), "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"");
    EXPECT_EQ(field("a=b"), "a=b");
}

TEST(Csv, IsUtf8OnOneLineWhateverAPlayerSends) {
    EXPECT_EQ(field("\xe5\xad\x97,\xc3\xa4"), "\"\xe5\xad\x97,\xc3\xa4\"");
    for (const std::string_view bad :
         {"\xff", "\x1b", "\n", "\r", "\x9b", "\xc2\x9b", "\xe5\xad"}) {
        std::string said = field(concat("A", bad, "B"));
        EXPECT_TRUE(said.starts_with("A\xef\xbf\xbd") && said.ends_with("B")) << said;
        for (std::string_view rest = said; !rest.empty();) {
            const size_t length = utf8_length(rest);
            ASSERT_NE(length, 0u) << said;
            EXPECT_FALSE(is_control(rest.substr(0, length))) << said;
            rest.remove_prefix(length);
        }
    }
}

TEST(Csv, FiguresMayHaveASign) {
    std::string out;
    append_csv(out, "-x");
    append_csv_number(out, number_text(-1.5));
    append_csv(out, "a,b");
    EXPECT_EQ(out, "'-x,-1.5,\"a,b\"");
}

}  // namespace
}  // namespace portcullis::app
