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

/// Clicks of a 1.8 client through ViaRewind, which keeps the swings and lets them follow
/// the blows: `blows` at once, each `every`, the swings `later`.
void strikes(Story<NoSwing>& story, int blows, Nanos every, Nanos later, bool swings = true) {
    for (int round = 0; round < 40; ++round) {
        for (int i = 0; i < blows; ++i) {
            story.client(protocol::Attack{.target = 7}).client(stand());
        }
        story.wait(later);
        for (int i = 0; swings && i < blows; ++i) story.client(protocol::Swing{});
        story.wait(every - later);
    }
}

TEST(NoSwing, LetsATranslatorHoldTheSwingsBack) {
    for (const int32_t version : {340, 765, 769}) {
        for (const int blows : {3, 5, 9}) {
            Story<NoSwing> bunched(version), hung(version), silent(version);
            for (Story<NoSwing>* story : {&bunched, &hung, &silent}) {
                story->player.line.translated = true;
            }
            strikes(bunched, blows, 350ms, 5ms);
            strikes(hung, blows, 3s, 50ms);
            strikes(silent, blows, 350ms, 5ms, false);
            EXPECT_EQ(bunched.findings(), 0u) << version << ' ' << blows;
            EXPECT_EQ(hung.findings(), 0u) << version << ' ' << blows;
            EXPECT_GE(silent.confidence(), acts_at) << version << ' ' << blows;
        }
    }
}

TEST(NoSwing, FindsASilentAuraThroughATranslatorWithinASecond) {
    Story<NoSwing> story(765);
    story.player.line.translated = true;
    for (int i = 0; i < 10; ++i) story.client(protocol::Attack{.target = 7}).wait(100ms);
    EXPECT_GE(story.confidence(), acts_at);
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

const protocol::PluginMessage vivecraft{.channel = "vivecraft:data", .data = {}};

TEST(NoSwing, OnlyWritesDownWhatVivecraftsHandsDoWhereItIsBelieved) {
    for (const bool believed : {false, true}) {
        Story<NoSwing> story(769);
        story.player.line.believes_vivecraft = believed;
        story.client(vivecraft);
        for (int i = 0; i < 10; ++i) story.wait(1s).client(protocol::Attack{.target = 7});
        EXPECT_GT(story.findings(), 0u);
        EXPECT_EQ(story.confidence() >= acts_at, !believed);
    }
    Story<NoSwing> silent(769);  // Who says nothing is as everybody.
    silent.player.line.believes_vivecraft = true;
    for (int i = 0; i < 10; ++i) silent.client(protocol::Attack{.target = 7});
    EXPECT_GE(silent.confidence(), acts_at);
}

TEST(NoSwing, OnlyWritesDownWhatAVersionWeDoNotKnowDoes) {
    Story<NoSwing> story(900);
    for (int i = 0; i < 10; ++i) story.client(protocol::Attack{.target = 7});
    EXPECT_GT(story.findings(), 0u);
    EXPECT_LT(story.confidence(), acts_at);
}

}  // namespace
}  // namespace portcullis::checks
