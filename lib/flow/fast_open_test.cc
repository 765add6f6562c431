// Goal: what a SYN carried is kept until the server says whether it took it, with
// one value only, and no flood makes room at another's cost.
// Method: stories on a table with a timeout of 30 s.

#include "flow/fast_open.h"

#include <string>

#include <gtest/gtest.h>

namespace portcullis {
namespace {

constexpr uint64_t alice = 7;
constexpr Seq isn{1000};

class FastOpenTest : public testing::Test {
protected:
    DropReason keeps(uint64_t hash, std::string_view data, Seq number = isn) {
        return kept_.offer(hash, number, as_bytes(data), now_);
    }
    FastOpen kept_{30s};
    Nanos now_ = 100s;
};

TEST_F(FastOpenTest, GivesWhatTheServerTook) {
    EXPECT_EQ(keeps(alice, "GET /"), DropReason::none);
    const auto taken = kept_.taken(alice, isn + 6, now_);
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->isn, isn);
    EXPECT_EQ(as_text(kept_.release(alice, *taken)), "GET /");
    EXPECT_FALSE(kept_.taken(alice, isn + 6, now_));
}

TEST_F(FastOpenTest, GivesNoMoreThanTheServerTook) {
    keeps(alice, "GET /");
    const auto taken = kept_.taken(alice, isn + 4, now_);
    ASSERT_TRUE(taken);
    EXPECT_EQ(as_text(kept_.release(alice, *taken)), "GET");
}

TEST_F(FastOpenTest, TakesAnAnswerToTheSynAloneForWhatItIs) {
    keeps(alice, "GET /");
    EXPECT_FALSE(kept_.taken(alice, isn + 7, now_));
    EXPECT_FALSE(kept_.taken(alice + 1, isn + 6, now_));
    EXPECT_FALSE(kept_.taken(alice, isn + 1, now_));
    EXPECT_FALSE(kept_.taken(alice, isn + 6, now_)) << "the server left it";
}

TEST_F(FastOpenTest, OneNumberHasOneStory) {
    keeps(alice, "GOOD");
    EXPECT_EQ(keeps(alice, "GOOD"), DropReason::none);
    EXPECT_EQ(keeps(alice, "EVIL"), DropReason::conflicting_overlap);
    EXPECT_EQ(keeps(alice, "GOO"), DropReason::conflicting_overlap);
}

// What the server took is told by a sum: the decoy's number and size may give the same
// as another SYN's number alone.
TEST_F(FastOpenTest, WhileDataIsKeptNoOtherNumberGoesOn) {
    keeps(alice, "DECOY");
    EXPECT_EQ(keeps(alice, "", isn), DropReason::none) << "sent again without its data";
    EXPECT_EQ(keeps(alice, "", isn + 5), DropReason::conflicting_overlap);
    EXPECT_EQ(keeps(alice, "EVIL", isn + 5), DropReason::conflicting_overlap);
    EXPECT_EQ(keeps(alice + 1, "", isn + 5), DropReason::none);
    kept_.give_up(alice);
    EXPECT_FALSE(kept_.taken(alice, isn + 6, now_));
    EXPECT_EQ(keeps(alice, "", isn + 5), DropReason::none);
    keeps(alice, "DECOY");
    now_ += 31s;
    EXPECT_EQ(keeps(alice, "", isn + 5), DropReason::none) << "nobody waits for it any more";
}

TEST_F(FastOpenTest, AFloodTakesNothingFromWhoWasThere) {
    keeps(alice, "GOOD");
    size_t refused = 0;
    for (uint64_t source = 1; source <= 100'000; ++source) {
        const DropReason reason = keeps(source << 32 | source, "flood");
        EXPECT_TRUE(reason == DropReason::none || reason == DropReason::no_buffer);
        refused += reason == DropReason::no_buffer ? 1 : 0;
    }
    EXPECT_GE(refused, 100'000 - FastOpen::syns_max);
    EXPECT_TRUE(kept_.taken(alice, isn + 5, now_));
    now_ += 31s;  // But not for ever.
    EXPECT_FALSE(kept_.taken(alice, isn + 5, now_));
    EXPECT_EQ(keeps(alice, "EVIL"), DropReason::none);
}

TEST_F(FastOpenTest, RefusesWhatNoEthernetFrameHolds) {
    EXPECT_EQ(keeps(alice, std::string(FastOpen::data_max, 'x')), DropReason::none);
    EXPECT_EQ(keeps(alice + 1, std::string(FastOpen::data_max + 1, 'x')), DropReason::no_buffer);
}

}  // namespace
}  // namespace portcullis
