// Goal: blows without swings are found, and either order of blow and swing, misses
// and lag never are.
// Method: sequences of A (attack), S (swing) and M (movement), all at one instant:
// the check counts order, so time must not matter.

#include "checks/combat/no_swing.h"

#include <gtest/gtest.h>

#include "checks/story.h"

namespace portcullis::checks {
namespace {

struct Case {
    std::string_view what;
    int32_t version;
    std::string_view sequence;
    int times;
    bool found;
};
constexpr Case cases[] = {
    {"1.8: swing, then blow", 47, "SA", 40, false},
    {"1.9 on: blow, then swing", 754, "AS", 40, false},
    {"misses between blows", 754, "SSASMS", 40, false},
    {"many misses, then blows in order", 47, "SSSSSSSSSA", 10, false},
    {"two clicks in one tick, swings held back", 47, "AASS", 40, false},
    {"a lag burst of blows in order", 769, "ASM", 200, false},
    {"one blow alone", 754, "A", 1, false},
    {"no swing at all", 754, "AM", 5, true},
    {"no swing at all, 1.8", 47, "AM", 5, true},
    {"one swing for two blows", 769, "AAS", 6, true},
    {"misses do not pay for later blows", 754, "SSSSSAAAA", 2, true},
};

TEST(NoSwing, CountsBlowsAgainstSwings) {
    for (const Case& c : cases) {
        Story<NoSwing> story(c.version);
        for (int i = 0; i < c.times; ++i) {
            for (const char event : c.sequence) {
                if (event == 'A') story.client(protocol::Attack{.target = 7});
                if (event == 'S') story.client(protocol::Swing{});
                if (event == 'M') story.client(stand());
            }
        }
        EXPECT_EQ(story.confidence() >= acts_at, c.found) << c.what;
        EXPECT_EQ(story.findings() > 0, c.found) << c.what;
    }
}

TEST(NoSwing, AsksNoSwingOfSpectators) {
    // They click at whom they want to watch; from 1.21.11 on no arm moves with it.
    for (const int32_t version : {754, 774}) {
        Story<NoSwing> story(version);
        story.server(protocol::Joined{.self = 1, .mode = protocol::GameMode::spectator});
        for (int i = 0; i < 10; ++i) story.client(protocol::Attack{.target = 7});
        EXPECT_EQ(story.findings(), 0u) << version;
        // What he did there is not owed here.
        story.server(protocol::PingSent{1}).client(protocol::PingAnswered{1});
        story.server(protocol::GameModeChanged{protocol::GameMode::survival});
        story.server(protocol::PingSent{2}).client(protocol::PingAnswered{2});
        story.client(protocol::Attack{.target = 7});
        EXPECT_EQ(story.findings(), 0u) << version;
        for (int i = 0; i < 5; ++i) story.client(protocol::Attack{.target = 7});
        EXPECT_GE(story.confidence(), acts_at) << version;
    }
}

TEST(NoSwing, OnlyWritesDownWhatAVersionWeDoNotKnowDoes) {
    Story<NoSwing> story(900);
    for (int i = 0; i < 10; ++i) story.client(protocol::Attack{.target = 7});
    EXPECT_GT(story.findings(), 0u);
    EXPECT_LT(story.confidence(), acts_at);
}

}  // namespace
}  // namespace portcullis::checks
