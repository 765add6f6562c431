// Goal: two targets within one tick are found where ticks are seen, and repeated
// groups of them where they are not; lag bursts of honest fights are not.
// Method: fights told tick by tick, sent at once or as a stalled line delivers.

#include "checks/combat/multi_target.h"

#include <gtest/gtest.h>

#include "checks/story.h"

namespace portcullis::checks {
namespace {

using protocol::Attack;

/// People, where mobs would be jostling.
template <class S>
void among_players(S& story, int count) {
    for (int id = 0; id < count; ++id) {
        story.server(protocol::EntitySpawned{
            .entity = id, .is_player = true, .type = -1, .position = {0, 64, 2}});
    }
}

/// Ticks the client long enough for its ticks to be believed.
template <class S>
void warm_up(S& story, bool tick_ends) {
    for (int i = 0; i < 60; ++i) {
        story.wait(50ms).client(stand());
        if (tick_ends) story.client(protocol::TickEnded{});
    }
}

TEST(MultiTarget, TwoInOneTickWhereTicksAreSeen) {
    for (const int32_t version : {47, 769}) {
        Story<MultiTarget> story(version);
        warm_up(story, version == 769);
        story.client(Attack{1}).client(Attack{2});
        EXPECT_GE(story.confidence(), acts_at) << version;
    }
}

TEST(MultiTarget, ATranslatorsTicksAreNotTheClients) {
    // ViaVersion on a proxy to a server of 1.8 says that he is there by its own clock, and
    // a line that delivers each 300 ms brings the blows of some of his ticks in between.
    Story<MultiTarget> story(47);
    story.player.line.translated = true;
    warm_up(story, false);
    for (int round = 0; round < 200; ++round) {
        story.client(Attack{round % 3 == 0 ? 1 : 2}).client(Attack{1});
        for (int i = 0; i < 6; ++i) story.wait(50ms).client(stand());
    }
    EXPECT_LT(story.confidence(), acts_at);
}

TEST(MultiTarget, OnlyWritesDownWhatVivecraftsHandsDoWhereItIsBelieved) {
    for (const int32_t version : {754, 769}) {
        for (const bool believed : {false, true}) {
            Story<MultiTarget> story(version);
            story.player.line.believes_vivecraft = believed;
            story.client(protocol::PluginMessage{.channel = "vivecraft:data", .data = {}});
            among_players(story, 3);
            warm_up(story, version == 769);
            for (int i = 0; i < 10; ++i) {
                story.wait(1s).client(Attack{1}).client(Attack{2});
            }
            EXPECT_GT(story.findings(), 0u) << version;
            EXPECT_EQ(story.confidence() >= acts_at, !believed) << version;
        }
    }
}

TEST(MultiTarget, EveryClickOfATickOnOneTargetIsHonest) {
    for (const int32_t version : {47, 754, 769}) {
        Story<MultiTarget> story(version);
        warm_up(story, version == 769);
        for (int i = 0; i < 40; ++i) story.wait(5ms).client(Attack{1});
        EXPECT_EQ(story.findings(), 0u) << version;
    }
}

TEST(MultiTarget, ANewTargetEachTickInALagBurstIsHonest) {
    for (const int32_t version : {47, 769}) {
        Story<MultiTarget> story(version);
        warm_up(story, version == 769);
        story.wait(3s);  // Then sixty ticks at one instant.
        for (int i = 0; i < 60; ++i) {
            story.client(Attack{i}).client(look(static_cast<float>(i), 0));
            if (version == 769) story.client(protocol::TickEnded{});
        }
        EXPECT_EQ(story.findings(), 0u) << version;
    }
}

TEST(MultiTarget, TurningBetweenBlowsInALagBurstIsHonestWithoutTicks) {
    Story<MultiTarget> story(754);
    for (int burst = 0; burst < 10; ++burst) {
        story.wait(2s);
        for (int i = 0; i < 10; ++i) {
            story.client(Attack{i}).client(look(static_cast<float>(i), 0));
        }
    }
    EXPECT_EQ(story.findings(), 0u);
}

TEST(MultiTarget, JostlingTargetsOnAStallingLineAreOnlyWrittenDown) {
    // A player at a mob farm neither moves nor turns and clicks eight times a
    // second at whatever is in front; every ten seconds the line stalls for one.
    Story<MultiTarget> story(754);
    int target = 0;
    for (int round = 0; round < 30; ++round) {
        for (int i = 0; i < 72; ++i) story.wait(125ms).client(Attack{++target % 5});
        story.wait(1s);
        for (int i = 0; i < 8; ++i) story.client(Attack{++target % 5});
    }
    EXPECT_GT(story.findings(), 0u);
    EXPECT_LT(story.confidence(), acts_at);
}

/// A player who stands still and strikes `blows` at several mobs each `period`.
struct Stands {
    Story<MultiTarget> story{754};
    int target = 0;
    void strikes(int rounds, Nanos period, int blows) {
        for (int round = 0; round < rounds; ++round) {
            story.wait(period);
            for (int i = 0; i < blows; ++i) {
                story.client(Attack{++target % 12}).client(protocol::Swing{});
            }
        }
    }
};

TEST(MultiTarget, AMobFarmOnALineThatDeliversInBunchesIsOnlyWrittenDown) {
    for (const Nanos bunch : {150ms, 200ms, 250ms, 500ms, 1000ms}) {
        for (const int clicks_a_second : {8, 10, 13}) {
            Stands farmer;
            const auto blows = static_cast<int>((bunch * clicks_a_second + 999ms) / 1s);
            farmer.strikes(60, bunch, blows);
            EXPECT_GT(farmer.story.findings(), 0u) << bunch / 1ms;
            EXPECT_LT(farmer.story.confidence(), acts_at)
                << bunch / 1ms << " ms, " << clicks_a_second;
        }
    }
}

TEST(MultiTarget, ABunchInSeveralPiecesIsOnlyWrittenDown) {
    Stands farmer;
    for (int round = 0; round < 30; ++round) {
        farmer.strikes(1, 1s, 4);
        farmer.strikes(2, 30ms, 2);
    }
    EXPECT_LT(farmer.story.confidence(), acts_at);
}

TEST(MultiTarget, NoLineHoldsBackMoreMobsThanTicks) {
    Stands aura;
    aura.strikes(10, 200ms, 5);
    EXPECT_GE(aura.story.confidence(), acts_at);
}

TEST(MultiTarget, AnAuraAmongMobsIsFoundWhereTheLineFlows) {
    // He walks, or the server asks something each tick: no silence holds the blows back.
    for (const bool walks : {true, false}) {
        Stands aura;
        double x = 0;
        for (int round = 0; round < 10; ++round) {
            for (int tick = 0; tick < 8; ++tick) {
                aura.story.wait(50ms);
                if (walks) aura.story.client(walk(x += 0.2, 64, 0));
                if (!walks) aura.story.client(protocol::PingAnswered{tick});
            }
            aura.strikes(1, 1ms, 2);
        }
        EXPECT_GE(aura.story.confidence(), acts_at) << walks;
    }
}

TEST(MultiTarget, AnAuraAmongPlayersIsFoundWithoutTicksInTwoSeconds) {
    Story<MultiTarget> story(754);
    among_players(story, 4);
    const Nanos begin = story.player.now;
    while (story.confidence() < acts_at && story.player.now - begin < 10s) {
        story.wait(400ms);
        for (int target = 0; target < 4; ++target) {
            story.client(Attack{target}).client(protocol::Swing{});
        }
    }
    EXPECT_LE(story.player.now - begin, 2s);
}

TEST(MultiTarget, AClientThatStopsTickingIsNotBlamedForBlowsApart) {
    Story<MultiTarget> story(47);
    warm_up(story, false);
    for (int i = 0; i < 20; ++i) story.wait(150ms).client(Attack{i});
    EXPECT_EQ(story.findings(), 0u);
}

}  // namespace
}  // namespace portcullis::checks
