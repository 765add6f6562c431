// Goal: who asks for more memory than there is reads which key asked, for how much, what is
// there and what to do, before anything was touched.
// Method: more than any machine has.

#include "base/memory.h"

#include <gtest/gtest.h>

#include "base/huge_array.h"

namespace portcullis {
namespace {

constexpr uint64_t far_too_much = uint64_t{1} << 50;

TEST(Memory, KnowsWhatIsThere) {
    EXPECT_GT(memory_available(), 1u << 20);
    EXPECT_LT(memory_available(), far_too_much);
}

TEST(Memory, TheKeyThatAsksForTooMuchIsNamed) {
    try {
        (void)as_asked_by("limits.flows", 7, [] { return HugeArray<char>(far_too_much); });
        FAIL() << "there it is";
    } catch (const SetupError& error) {
        const std::string said = error.what();
        EXPECT_TRUE(
            said.starts_with("limits.flows is 7: that asks for 1073741824 MiB at once, and "))
            << said;
        EXPECT_TRUE(
            said.ends_with(" MiB of memory are there; give less, or the machine more memory"))
            << said;
    }
}

TEST(Memory, ABareRefusalIsASentenceToo) {
    try {
        as_asked_by("limits.players", 3, []() -> int { throw std::bad_alloc(); });
        FAIL() << "there it is";
    } catch (const SetupError& error) {
        EXPECT_STREQ(error.what(),
                     "limits.players is 3: there is no memory for that; give less, or the machine "
                     "more memory");
    }
}

TEST(Memory, WhatThereIsIsMade) {
    EXPECT_EQ(as_asked_by("x", 1, [] { return 5; }), 5);
    EXPECT_EQ(as_asked_by("x", 1, [] { return HugeArray<char>(100); })[99], 0);
}

}  // namespace
}  // namespace portcullis
