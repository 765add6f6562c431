// Goal: a spreadsheet that opens `verdicts export --format csv` runs nothing that a player
// wrote, and takes figures for figures.
// Method: a table of fields.

#include "verdicts_print.h"

#include <gtest/gtest.h>

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
    EXPECT_EQ(field("\t=1"), "'\t=1");
    EXPECT_EQ(field("=HYPERLINK(\"x\",\"y\")"), "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"");
    EXPECT_EQ(field("a=b"), "a=b");
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
