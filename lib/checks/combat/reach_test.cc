// Goal: an honest player on a slow or stalling line is never found; a long arm is,
// as far as the line lets it be told.
// Method: a target at some distance straight ahead, standing or running; blows from
// the origin; keep-alives make the latency.

#include "checks/combat/reach.h"

#include <gtest/gtest.h>

#include "checks/story.h"

namespace portcullis::checks {
namespace {

using namespace protocol;

constexpr EntityId self = 1, other = 2;

EntityMoved runs(double blocks) { return {.entity = other, .dx = blocks, .dy = 0, .dz = 0}; }

/// A player at the origin who answers keep-alives after `latency`, and another
/// player `away` blocks in front of his eyes' column (his body is 0.3 nearer).
Story<Reach> fight(int32_t version, Nanos latency, double away) {
    Story<Reach> story(version);
    story.server(Joined{.self = self, .mode = GameMode::survival});
    story.client(walk(0, 64, 0));
    for (int64_t id = 1; id <= 8; ++id) {
        story.server(KeepAliveSent{id}).wait(latency).client(KeepAliveAnswered{id}).wait(100ms);
        for (int i = 0; i < 20; ++i) story.wait(50ms).client(walk(0, 64, 0));
    }
    story.server(
        EntitySpawned{.entity = other, .is_player = true, .type = -1, .position = {away, 64, 0}});
    for (int i = 0; i < 40; ++i) story.wait(50ms).client(walk(0, 64, 0));
    return story;
}

struct Case {
    std::string_view what;
    double away;
    bool found;
};
constexpr Case cases[] = {
    {"touching", 0.5, false},
    {"an arm and his body away", 3.3, false},
    {"a hair further: eyes move untold", 3.4, false},
    {"an arm of 4", 4.3, true},
    {"an arm of 6", 6.3, true},
};

TEST(Reach, MeasuresFromEyesToBody) {
    for (const Case& c : cases) {
        for (const int32_t version : {47, 754, 769}) {
            auto story = fight(version, 40ms, c.away);
            story.client(Attack{other});
            EXPECT_EQ(story.confidence() >= acts_at, c.found) << c.what << ' ' << version;
        }
    }
}

TEST(Reach, GrantsWhereARunningTargetWasSeen) {
    // He runs away at a sprint's 5.6 blocks a second; the blow is 150 ms old.
    auto story = fight(754, 300ms, 2.5);
    for (int tick = 0; tick < 8; ++tick) {
        story.server(runs(0.28)).wait(50ms).client(walk(0, 64, 0));
    }
    story.client(Attack{other});
    EXPECT_EQ(story.findings(), 0u);
}

TEST(Reach, JudgesNothingWhileTheLineStalls) {
    auto story = fight(754, 40ms, 2.5);
    story.player.line = {.sent_bytes = 1000, .acked_bytes = 1000};
    story.server(runs(0));
    // From here on the client hears nothing, while the target runs off.
    for (int tick = 0; tick < 40; ++tick) {
        story.player.line.sent_bytes += 20;
        story.server(runs(0.28)).wait(50ms).client(walk(0, 64, 0));
    }
    story.client(Attack{other});
    EXPECT_EQ(story.findings(), 0u);
}

/// The line toward the client stops for `stall`, his own flows on, and the target
/// runs off: the blow goes to where his frozen picture shows it.
Story<Reach> strikes_in_a_stall(Nanos latency, Nanos stall) {
    auto story = fight(754, latency, 2.5);
    story.player.line = {.sent_bytes = 1000, .acked_bytes = 1000};
    story.server(runs(0));
    for (Nanos t{}; t < stall; t += game_tick) {
        // Some frames a tick, a few milliseconds apart.
        for (int frame = 0; frame < 3; ++frame) {
            story.player.line.sent_bytes += 20;
            story.server(runs(frame == 1 ? 0.28 : 0)).wait(2ms);
        }
        story.wait(game_tick - 6ms).client(walk(0, 64, 0));
    }
    story.client(Attack{other});
    return story;
}

TEST(Reach, JudgesNothingHoweverLongTheLineStalls) {
    for (const Nanos latency : {40ms, 300ms, 500ms, 900ms}) {
        for (Nanos stall{}; stall <= 12s; stall += 50ms) {
            const auto story = strikes_in_a_stall(latency, stall);
            ASSERT_EQ(story.findings(), 0u) << latency / 1ms << " ms, stalled " << stall / 1ms;
        }
    }
}

TEST(Reach, SeesALongArmOnALineThatAcknowledges) {
    // Each tick's bytes come back one tenth of a second later; he stands 6 away.
    auto story = fight(754, 100ms, 6.3);
    story.player.line = {.sent_bytes = 1000, .acked_bytes = 1000};
    for (int tick = 0; tick < 100; ++tick) {
        story.player.line.sent_bytes += 20;
        story.player.line.acked_bytes = story.player.line.sent_bytes - 40;
        // He comes from 9 away, but that was long ago.
        story.server(runs(tick == 0 ? 3 : tick == 50 ? -3 : 0));
        story.wait(game_tick).client(walk(0, 64, 0));
    }
    story.client(Attack{other});
    EXPECT_GE(story.confidence(), acts_at);
    EXPECT_LT(story.said.at(0).evidence.observed, 6.1);
}

/// Behind a proxy, whose TCP acknowledges at once.  The last keep-alive came back
/// `before` the blow, in a tenth of a second; since then the player's own line has
/// become slow, and the target runs `a_tick` for the last 0.8 s.
Story<Reach> strikes_behind_a_proxy(Nanos before, double away, double a_tick) {
    auto story = fight(754, 100ms, away);
    story.player.line = {.sent_bytes = 1000, .acked_bytes = 1000, .to_proxy = true};
    const auto ticks = [&](Nanos span, double dx) {
        for (Nanos t{}; t < span; t += game_tick) {
            story.player.line.sent_bytes += 20;
            story.player.line.acked_bytes += 20;
            if (dx != 0) story.server(runs(dx));
            story.server(EntityMoved{.entity = 5, .dx = 0, .dy = 0, .dz = 0});
            story.wait(game_tick).client(walk(0, 64, 0));
        }
    };
    ticks(5s, 0);
    story.server(KeepAliveSent{99}).wait(100ms).client(KeepAliveAnswered{99});
    ticks(before - 800ms, 0);
    ticks(800ms, a_tick);
    story.client(Attack{other});
    return story;
}

TEST(Reach, OnlyWritesDownWhatAProxysSlowerLineMayExplain) {
    const auto honest = strikes_behind_a_proxy(10s, 2.5, 0.28);
    EXPECT_GT(honest.findings(), 0u);
    EXPECT_LT(honest.confidence(), acts_at);
    const auto measured = strikes_behind_a_proxy(900ms, 2.5, 0.28);
    EXPECT_GE(measured.confidence(), acts_at) << "the line was measured a moment ago";
    const auto never_there = strikes_behind_a_proxy(10s, 6.3, 0);
    EXPECT_GE(never_there.confidence(), acts_at) << "no line ever showed him nearer";
}

TEST(Reach, JudgesNothingThatAStallHeldBack) {
    auto story = fight(754, 40ms, 2.5);
    for (int tick = 0; tick < 40; ++tick) {
        story.server(runs(0.28)).wait(50ms);
    }
    story.client(Attack{other});
    EXPECT_EQ(story.findings(), 0u);
}

TEST(Reach, KnowsNoArmInCreative) {
    auto creative = fight(754, 40ms, 6);
    creative.server(GameModeChanged{GameMode::creative});
    creative.client(Attack{other});
    EXPECT_EQ(creative.findings(), 0u);
}

TEST(Reach, KnowsNoPlaceOfRidersUntilTheyAreOffAndPutSomewhere) {
    const auto stands = [](Story<Reach>& story) {
        for (int i = 0; i < 60; ++i) story.wait(50ms).client(walk(0, 64, 0));
    };
    struct Dismount {
        std::string_view what;
        bool old;  ///< Each attached by itself; else lists of riders.
        bool vehicle_goes;
    };
    for (const Dismount& c :
         {Dismount{"off a list", false, false}, Dismount{"its vehicle is gone", false, true},
          Dismount{"1.8", true, false}}) {
        auto story = fight(c.old ? 47 : 754, 40ms, 6);
        story.server(Mounted{.vehicle = 9, .rider = other});
        // More riders than anybody remembers.
        for (int i = 0; i < 100; ++i) story.server(Mounted{.vehicle = 100 + i, .rider = 300 + i});
        stands(story);
        story.client(Attack{other});
        EXPECT_EQ(story.findings(), 0u) << c.what << ", riding";

        if (c.vehicle_goes) {
            story.server(EntityGone{.entity = 9});
        } else if (c.old) {
            story.server(Mounted{.vehicle = -1, .rider = other});
        } else {
            story.server(Mounted{.vehicle = 9, .rider = -1});
        }
        stands(story);
        story.client(Attack{other});
        EXPECT_EQ(story.findings(), 0u) << c.what << ", off, but not told where";

        story.server(EntityPlaced{.entity = other, .position = {6, 64, 0}});
        story.wait(50ms).client(walk(0, 64, 0)).client(Attack{other});
        EXPECT_EQ(story.findings(), 0u) << c.what << ", may still be seen riding";
        stands(story);
        story.client(Attack{other});
        EXPECT_GE(story.confidence(), acts_at)
            << c.what << ", who rode once is not let be for ever";
    }
}

TEST(Reach, KnowsWhoOfAVehicleStaysOn) {
    auto story = fight(754, 40ms, 6);
    story.server(Mounted{.vehicle = 9, .rider = 77}, Mounted{.vehicle = 9, .rider = other});
    story.server(Mounted{.vehicle = 9, .rider = other});  // The other one is off.
    story.server(EntityPlaced{.entity = other, .position = {6, 64, 0}});
    for (int i = 0; i < 60; ++i) story.wait(50ms).client(walk(0, 64, 0));
    story.client(Attack{other});
    EXPECT_EQ(story.findings(), 0u);
}

TEST(Reach, AddsWhatAServerSaysRelatively) {
    // Put three blocks nearer to where he is: since 1.21.2 a server may say only that.
    for (const bool near : {false, true}) {
        auto story = fight(769, 40ms, 6);
        EntityPlaced placed{.entity = other, .position = {0, 0, 0}};
        placed.relative_x = placed.relative_y = placed.relative_z = true;
        if (near) placed.position.x = -3;
        story.server(placed);
        for (int i = 0; i < 60; ++i) story.wait(50ms).client(walk(0, 64, 0));
        story.client(Attack{other});
        EXPECT_EQ(story.findings() == 0, near);
    }
}

TEST(Reach, OnlyWritesDownMobs) {
    auto story = fight(754, 40ms, 2);
    story.server(EntitySpawned{.entity = 5, .is_player = false, .type = 3, .position = {9, 64, 0}});
    story.wait(2s).client(walk(0, 64, 0)).wait(50ms).client(walk(0, 64, 0));
    for (int i = 0; i < 60; ++i) story.wait(50ms).client(walk(0, 64, 0));
    story.client(Attack{5});
    EXPECT_GT(story.findings(), 0u);
    EXPECT_LT(story.confidence(), acts_at);
}

TEST(Reach, GrowsWithTheLargestBodyTold) {
    auto story = fight(769, 40ms, 4.4);
    story.server(AttributeSet{
        .entity = other, .attribute = Attribute::scale, .value = 6, .sprinting = false});
    story.client(Attack{other});
    EXPECT_EQ(story.findings(), 0u);
}

}  // namespace
}  // namespace portcullis::checks
