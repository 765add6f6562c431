// Goal: who walks as legs carry is never found, whatever his line and his server do to him; who
// does not is found by the right name.
// Method: a walker's syncs, 20 a second, told to all checks; corrections come and go between them.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include "checks/shadowland/scene_test_support.h"

namespace portcullis::checks {
namespace {

using shadowland::Place;
constexpr double ground = ShadowScene::ground;
constexpr Nanos tick = 50ms;
constexpr double walk = 600;

/// Walks at a share of the usual speed, away from the wall.
Place walks(ShadowScene& scene, Place at, double seconds, double speed = 1) {
    for (double t = 0; t < seconds; t += to_seconds(tick)) {
        scene.player.now += tick;
        at.x -= walk * speed * to_seconds(tick);
        scene.sync(at);
    }
    return at;
}

/// Long enough in the world for his arrival to be over.
Place arrived(ShadowScene& scene) {
    Place at{409'000, 409'000, ground};
    scene.sync(at);
    scene.delivered();
    scene.player.now += 1s;
    return walks(scene, at, 1);
}

TEST(ShadowMovement, IsFoundByHowFastItIs) {
    const struct {
        const char* story;
        double speed;
        uint8_t buffs;
        bool found;
    } cases[] = {
        {"walking", 1, 0, false},
        {"a clock four percent coarse", 1.04, 0, false},
        {"a tenth too fast", 1.12, 0, true},
        {"half as fast again", 1.5, 0, true},
        {"slowed and slow", 0.5, shadowland::buff::slowed, false},
        {"slowed, and walking on", 1, shadowland::buff::slowed, true},
        {"frozen, and walking on", 0.5, shadowland::buff::frozen, true},
        {"stunned, and standing", 0, shadowland::buff::stunned, false},
    };
    for (const auto& c : cases) {
        ShadowScene scene;
        const Place at = arrived(scene);
        scene.change(shadowland::state::alive, c.buffs);
        scene.player.now += 2s;  // He knows by now; and stands, so that no step takes so long.
        scene.sync(at);
        walks(scene, at, 4, c.speed);
        EXPECT_EQ(scene.found("movement.speed") >= 0.95f, c.found) << c.story;
        EXPECT_EQ(scene.found("movement.teleport"), 0) << c.story;
    }
}

TEST(ShadowMovement, ALineThatHoldsBackChangesNothing) {
    ShadowScene scene;
    Place at = arrived(scene);
    for (int stall = 0; stall < 10; ++stall) {
        // Two seconds of syncs in one instant, by the client's clock as they were made.
        scene.player.now += 2s;
        scene.clock_offset_ms -= 2'000;
        for (int i = 0; i < 40; ++i) {
            scene.clock_offset_ms += 50;
            at.x -= walk * 0.05;
            scene.sync(at);
        }
        at = walks(scene, at, 1);
    }
    EXPECT_TRUE(scene.said.empty());
}

/// Each correction is sent again for each sync that was on its way, and sets him back whenever
/// the line brings it.
TEST(ShadowMovement, WhoIsSetBackAgainAndAgainWalksNoFaster) {
    ShadowScene scene;
    Place at = arrived(scene);
    for (int blink = 0; blink < 5; ++blink) {
        const Place to{at.x - 900, at.y, ground};
        for (int copy = 0; copy < 12; ++copy) scene.correct(to);
        at = walks(scene, at, 0.2);  // He does not know yet.
        for (int copy = 0; copy < 12; ++copy) at = walks(scene, to, 0.15);
        scene.delivered();
        at = walks(scene, at, 5);
    }
    EXPECT_TRUE(scene.said.empty());
}

TEST(ShadowMovement, TwoCorrectionsAreNotTakenForEachOther) {
    ShadowScene scene;
    Place at = arrived(scene);
    for (int earlier = 0; earlier < 2; ++earlier) {
        scene.correct(at);
        scene.delivered();
        at = walks(scene, at, 2);
    }
    // Each but the last is sent twice, and the next is on its way before its second copy comes.
    Place to = at;
    scene.correct(to);
    scene.correct(to);
    walks(scene, to, 0.3);
    for (int turn = 0; turn < 3; ++turn) {
        walks(scene, to, 0.2);
        const Place next{to.x, to.y + 150, ground};
        scene.correct(next);
        if (turn < 2) scene.correct(next);
        walks(scene, to, 0.2);
        if (turn == 0) scene.delivered();
        to = next;
    }
    walks(scene, to, 1);
    EXPECT_TRUE(scene.said.empty());
}

TEST(ShadowMovement, OnceDeliveredACorrectionHidesNothing) {
    ShadowScene scene;
    Place at = arrived(scene);
    scene.correct(at);
    at = walks(scene, at, 0.2);
    scene.delivered();
    at = walks(scene, at, 1);
    walks(scene, at, 1.5, 1.5);
    EXPECT_GE(scene.found("movement.speed"), 0.95f);
}

TEST(ShadowMovement, ALeapIsATeleportUnlessTheServerSaysSo) {
    for (const bool corrected : {false, true}) {
        ShadowScene scene;
        Place at = arrived(scene);
        at.y += 5'000;
        if (corrected) scene.correct(at);
        at = walks(scene, at, 2);
        EXPECT_EQ(scene.found("movement.teleport") >= 0.95f, !corrected);
        EXPECT_EQ(scene.found("movement.speed"), 0);
    }
}

TEST(ShadowMovement, EveryStepIsOneChecksOrTheOthers) {
    for (const double step : {30.0, 45.0, 300.0, 1'000.0, 1'031.0, 1'032.0, 5'000.0}) {
        ShadowScene scene;
        Place at = arrived(scene);
        for (int i = 0; i < 60; ++i) {
            scene.player.now += tick;
            at.y += step;
            scene.sync(at);
        }
        const float most =
            std::max(scene.found("movement.speed"), scene.found("movement.teleport"));
        EXPECT_EQ(most >= 0.95f, step > 31) << step;
    }
}

/// Round trip of 400 ms: he walks until he hears of it.
TEST(ShadowMovement, AsManyChangesAsComeWhileHeCanNotKnowMayBeOnTheirWay) {
    using namespace shadowland;
    for (const bool stops : {true, false}) {
        ShadowScene scene;
        Place at = arrived(scene);
        for (int fight = 0; fight < 20; ++fight) {
            scene.change(state::alive, buff::frozen);
            // Poisoned, burning, invisible.
            for (const auto more : std::to_array<uint8_t>({0x02, 0x04, 0x20})) {
                at = walks(scene, at, 0.05);
                scene.change(state::alive, static_cast<uint8_t>(buff::frozen | more));
            }
            at = walks(scene, at, 0.25);
            scene.delivered();
            at = walks(scene, at, 2, stops ? 0 : 1);
            scene.change(state::alive, 0);
            scene.change(state::alive, buff::slowed);
            scene.change(state::alive, 0);
            at = walks(scene, at, 0.2, stops ? 0 : 1);
            at = walks(scene, at, 0.2);
            scene.delivered();
            at = walks(scene, at, 2);
        }
        EXPECT_EQ(scene.found("movement.speed") >= 0.95f, !stops);
        EXPECT_EQ(scene.found("movement.teleport"), 0);
    }
}

TEST(ShadowMovement, WhatTheLineHeldBackIsJudgedByWhenItWasMade) {
    ShadowScene scene;
    Place at = arrived(scene);
    for (const Nanos held : {300ms, 1'500ms, 4'000ms, 8'000ms}) {
        // Stunned 100 ms into the silence, he hears of it at once, and stops.
        const uint32_t silent_ms = scene.clock_ms();
        scene.player.now += 100ms;
        scene.change(shadowland::state::alive, shadowland::buff::stunned);
        scene.player.now += held - 100ms;
        for (uint32_t ms = 50; ms <= static_cast<uint32_t>(held / 1ms); ms += 50) {
            if (ms == 150) scene.delivered();
            if (ms <= 100) at.x -= walk * 0.05;
            scene.sync_made(silent_ms + ms, at);
        }
        scene.change(shadowland::state::alive, 0);
        scene.delivered();
        at = walks(scene, at, 3);
    }
    EXPECT_TRUE(scene.said.empty());
}

TEST(ShadowMovement, NewsThatAreLostAreNotKnown) {
    ShadowScene scene;
    Place at = arrived(scene);
    scene.change(shadowland::state::alive, shadowland::buff::stunned);
    at = walks(scene, at, 2.2);  // Eight times it is sent, and acknowledged then.
    scene.delivered();
    at = walks(scene, at, 2, 0);
    scene.change(shadowland::state::alive, 0);
    scene.delivered();
    at = walks(scene, at, 2);
    // On channel 0 nothing tells whether they have come.
    scene.channel = shadowland::Channel::unreliable;
    scene.change(shadowland::state::alive, shadowland::buff::slowed);
    at = walks(scene, at, 20);
    EXPECT_TRUE(scene.said.empty());
    // Nor are they lost again and again, for longer than a session lives.
    for (int again = 0; again < 8; ++again) {
        scene.change(shadowland::state::alive, shadowland::buff::slowed);
        at = walks(scene, at, 3);
    }
    walks(scene, at, 10);
    EXPECT_GE(scene.found("movement.speed"), 0.95f);
}

TEST(ShadowMovement, WhoAnswersLateGainsNothingByIt) {
    ShadowScene scene;
    Place at = arrived(scene);
    scene.player.on(shadowland::RoundTrip{4'800});
    scene.change(shadowland::state::alive, shadowland::buff::stunned);
    scene.delivered();
    walks(scene, at, 4);
    EXPECT_GE(scene.found("movement.speed"), 0.95f);
}

TEST(ShadowMovement, ASilentStepIsNoLongerThanWhatWasAllowedInIt) {
    ShadowScene scene;
    Place at = arrived(scene);
    scene.change(shadowland::state::alive, shadowland::buff::stunned);
    scene.delivered();
    scene.player.now += 4s;
    scene.change(shadowland::state::alive, 0);
    at.x -= walk * 4;
    scene.sync(at);
    walks(scene, at, 1);
    EXPECT_GE(scene.found("movement.teleport"), 0.95f);
}

TEST(ShadowMovement, BehindADeliveredCorrectionALineMayFallSilent) {
    for (const Nanos silent : {300ms, 700ms, 3'000ms, 12'000ms}) {
        ShadowScene scene;
        Place at = arrived(scene);
        at.y += 8'000;
        scene.correct(at);
        scene.delivered();
        scene.player.now += silent;
        at.x -= 300;
        walks(scene, at, 3);
        EXPECT_TRUE(scene.said.empty()) << silent / 1ms;
    }
}

TEST(ShadowMovement, WhoIgnoresACorrectionIsFound) {
    ShadowScene scene;
    Place at = arrived(scene);
    Place put = at;
    put.y += 8'000;
    scene.correct(put);
    scene.delivered();
    walks(scene, at, 2);
    EXPECT_GE(scene.found("movement.teleport"), 0.95f);
}

/// A Blink each 10.1 s, acknowledged as late as can be, and ten thousand units a second around it.
TEST(ShadowMovement, ACorrectionOnItsWayExplainsOneStep) {
    ShadowScene scene;
    Place at = arrived(scene);
    at.x -= 1'500;
    scene.correct(at);
    for (int i = 0; i < 48; ++i) {
        scene.player.now += tick;
        at.x += i % 2 == 0 ? 500 : -500;
        scene.sync(at);
    }
    EXPECT_GE(scene.found("movement.speed"), 0.95f);
}

TEST(ShadowMovement, OnAnotherMapHeIsOnceHeSaysSo) {
    for (const double rtt_s : {0.2, 0.6, 2.0}) {
        ShadowScene scene;
        Place at = arrived(scene);
        scene.enter({51'200, 51'200, 500}, 2);
        for (double t = 0; t < rtt_s; t += 0.05) {
            EXPECT_TRUE(scene.player.arriving(scene.clock_ms()));
            at = walks(scene, at, 0.05);
        }
        scene.delivered();
        at = walks(scene, {51'200, 51'200, 500}, 3);
        EXPECT_TRUE(scene.said.empty()) << rtt_s;
        walks(scene, at, 2, 1.5);
        EXPECT_GE(scene.found("movement.speed"), 0.95f);
    }
    ShadowScene scene;
    const Place at = arrived(scene);
    scene.enter({51'200, 51'200, 500}, 2);
    scene.delivered();
    walks(scene, at, 3);
    EXPECT_GE(scene.found("movement.teleport"), 0.95f) << "he stays where he was";
}

TEST(ShadowMovement, JumpingIsNoFlying) {
    const struct {
        const char* story;
        std::function<double(double)> height;  ///< Over the ground, by seconds.
        bool found;
    } cases[] = {
        {"jumping",
         [](double t) {
             const double s = std::fmod(t, 0.9);
             return std::max(0.0, 420 * s - 490 * s * s);
         },
         false},
        {"hanging low", [](double) { return 40.0; }, true},
        {"rising", [](double t) { return 300 * t; }, true},
        {"steps of a stone", [](double) { return 4.0; }, false},
    };
    for (const auto& c : cases) {
        ShadowScene scene;
        Place at = arrived(scene);
        for (double t = 0; t < 3; t += 0.05) {
            scene.player.now += tick;
            at.z = ground + c.height(t);
            scene.sync(at);
        }
        EXPECT_EQ(scene.found("movement.fly") >= 0.95f, c.found) << c.story;
    }
}

TEST(ShadowMovement, FallingFromWhereTheServerPutHimIsNoFlying) {
    ShadowScene scene;
    Place at = arrived(scene);
    at.z = ground + 2'000;
    scene.correct(at);
    for (double t = 0; at.z > ground; t += 0.05) {
        scene.player.now += tick;
        at.z = std::max(ground, ground + 2'000 - 490 * t * t);
        scene.sync(at);
    }
    EXPECT_TRUE(scene.said.empty());
}

TEST(ShadowMovement, WhoWasPutInTheAirClimbsNoHigher) {
    ShadowScene scene;
    Place at = arrived(scene);
    at.z = ground + 500;
    scene.correct(at);
    at = walks(scene, at, 0.1);
    scene.delivered();
    for (int i = 0; i < 100; ++i) {
        scene.player.now += tick;
        at.z += i % 4 < 2 ? 30 : -20;
        scene.sync(at);
    }
    EXPECT_GE(scene.found("movement.fly"), 0.95f);
}

TEST(ShadowMovement, RoundACornerLeadsAnyWayThatIsShortEnough) {
    // Along the wall's end, as near as a body of no width can come, and at any pace of syncs.
    for (const double off : {1.0, 2.0, 34.0}) {
        for (const Nanos every : {16ms, 50ms, 250ms, 1'000ms, 4'000ms}) {
            ShadowScene scene;
            arrived(scene);
            const Place way[] = {{411'950, 419'000, ground},
                                 {412'000 - off, 420'000 + off, ground},
                                 {412'200 + off, 420'000 + off, ground},
                                 {412'250, 419'000, ground}};
            scene.correct(way[0]);
            scene.sync(way[0]);
            scene.delivered();
            scene.player.now += 1s;
            scene.sync(way[0]);
            Nanos next{};
            for (size_t leg = 0; leg < 3; ++leg) {
                const Place part = way[leg + 1] - way[leg];
                const double length = part.length();
                for (double walked = 0; walked < length; walked += walk * 0.001) {
                    scene.player.now += 1ms;
                    if ((next += 1ms) < every) continue;
                    next = {};
                    scene.sync({std::round(way[leg].x + part.x * walked / length),
                                std::round(way[leg].y + part.y * walked / length), ground});
                }
            }
            EXPECT_TRUE(scene.said.empty()) << off << " " << every / 1ms;
        }
    }
}

TEST(ShadowMovement, ThroughTheMiddleOfAWallLeadsNone) {
    for (const Nanos every : {50ms, 260ms, 1'000ms, 10'000ms}) {
        ShadowScene scene;
        arrived(scene);
        Place at{411'900, 410'000, ground};
        scene.correct(at);
        scene.sync(at);
        scene.delivered();
        scene.player.now += 1s;
        scene.sync(at);
        while (at.x < 412'300) {
            scene.player.now += every;
            at.x += std::min(walk * to_seconds(every), 400.0);
            scene.sync(at);
        }
        EXPECT_GE(scene.found("movement.clip"), 0.95f) << every / 1ms;
    }
}

TEST(ShadowMovement, WallsStopWhoDoesNotStandInThem) {
    for (const bool inside : {false, true}) {
        ShadowScene scene;
        arrived(scene);
        Place at{inside ? 412'100.0 : 412'400.0, 409'000, ground};
        scene.correct(at);
        at = walks(scene, at, 0.1, inside ? 0 : 1);
        scene.delivered();
        scene.player.now += 600ms;
        scene.sync(at);
        walks(scene, at, 1);
        EXPECT_EQ(scene.found("movement.clip") >= 0.95f, !inside);
    }
}

TEST(ShadowMovement, ClocksMayDriftAndStallButNotRunAhead) {
    for (const double rate : {0.9, 1.0, 1.0008, 1.2}) {
        ShadowScene scene;
        scene.clock_rate = rate;
        const Place at = arrived(scene);
        walks(scene, at, 20, 0.5);
        EXPECT_EQ(scene.found("movement.timer") >= 0.95f, rate > 1.1) << rate;
    }
}

/// His syncs come late while he joins, and then as they are made.
TEST(ShadowMovement, ALineThatWasSlowOnlyAtFirstIsNoFastClock) {
    for (const uint32_t late_ms : {500u, 1'500u, 3'000u, 5'000u, 8'000u}) {
        ShadowScene scene;
        scene.clock_offset_ms = 100'000 - late_ms;
        Place at{409'000, 409'000, ground};
        scene.sync(at);
        scene.delivered();
        at = walks(scene, at, 2.5);
        for (uint32_t ms = 0; ms < late_ms; ms += 50) {  // All that is on its way at once.
            scene.clock_offset_ms += 50;
            at.x -= walk * 0.05;
            scene.sync(at);
        }
        walks(scene, at, 20);
        size_t found = 0;
        for (const Finding& finding : scene.said) found += finding.confidence >= 0.95f;
        EXPECT_LE(found, late_ms > 3'000 ? 2u + (late_ms - 3'000) / 2'000 : 0u) << late_ms;
    }
}

TEST(ShadowMovement, AnHourGainedAtFirstIsFoundAndBuysLittle) {
    for (const Nanos at_first : {500ms, 3'000ms}) {
        ShadowScene scene;
        Place at{409'000, 409'000, ground};
        scene.sync(at);
        scene.delivered();
        at = walks(scene, at, to_seconds(at_first));
        scene.clock_offset_ms += 3'600'000;
        at.x -= 500'000;
        scene.player.now += tick;
        scene.sync(at);
        EXPECT_GE(scene.found("movement.timer"), 0.95f);
        EXPECT_GE(scene.found("movement.teleport"), 0.95f);
    }
}

/// One sync from the end of time, which the server never took: it hides nothing that follows.
TEST(ShadowMovement, AClockThatWasAheadOnceHidesNothing) {
    for (const bool on_channel_0 : {true, false}) {
        ShadowScene scene;
        Place at = arrived(scene);
        shadowland::Synced poison;
        poison.client_time_ms = UINT32_MAX - 1;
        poison.sequence = on_channel_0 ? 500 : 0;
        poison.has_position = true;
        poison.position = at;
        scene.tell(poison);
        scene.player.on(poison);
        EXPECT_GE(scene.found("movement.timer"), 0.95f);
        scene.said.clear();
        for (int i = 0; i < 500; ++i) walks(scene, at, 0.01);  // Past its sequence.
        scene.said.clear();
        at.y += 3'000;
        at = walks(scene, at, 1);
        EXPECT_GE(scene.found("movement.teleport"), 0.95f) << on_channel_0;
        walks(scene, at, 2, 1.5);
        EXPECT_GE(scene.found("movement.speed"), 0.95f) << on_channel_0;
    }
}

TEST(ShadowMovement, WhatHeSaysBeforeHeIsInTheWorldIsNobodysClock) {
    ShadowScene scene;
    scene.player.in_world = false;
    scene.clock_offset_ms = 3'000'000'000;
    scene.sync({});
    scene.clock_offset_ms = 0;
    scene.enter({409'000, 409'000, ground});
    const Place at = arrived(scene);
    walks(scene, at, 2, 1.5);
    EXPECT_GE(scene.found("movement.speed"), 0.95f);
    EXPECT_EQ(scene.found("movement.timer"), 0);
}

TEST(ShadowMovement, AClockNeverGoesBackButPacketsOvertakeEachOther) {
    for (const bool overtaken : {true, false}) {
        ShadowScene scene;
        const Place at = arrived(scene);
        shadowland::Synced late;
        late.client_time_ms = scene.clock_ms() - 400;
        late.sequence = overtaken ? 3 : 10'000;
        late.has_position = true;
        late.position = at;
        scene.tell(late);
        EXPECT_EQ(scene.found("movement.timer") >= 0.95f, !overtaken);
    }
}

TEST(ShadowMovement, NobodyIsBelowTheGroundWhomTheServerDidNotPutThere) {
    for (const bool put : {false, true}) {
        ShadowScene scene;
        Place at = arrived(scene);
        at.z = ground - 300;
        if (put) scene.correct(at);
        at = walks(scene, at, 0.2);
        if (put) scene.delivered();
        at = walks(scene, at, 3);
        EXPECT_EQ(scene.found("movement.clip") >= 0.95f, !put);
        at.z = ground;
        at = walks(scene, at, 0.2);
        at.z = ground - 300;
        walks(scene, at, 0.2);
        EXPECT_GE(scene.found("movement.clip"), 0.95f) << "he came up, and went down again";
    }
}

TEST(ShadowMovement, OnlyTheServerSaysMoreThanThatHeMovesOrFalls) {
    for (unsigned state = 0; state < 128; ++state) {
        ShadowScene scene;
        const Place at = arrived(scene);
        scene.player.now += tick;
        scene.sync(at, static_cast<uint8_t>(state));
        EXPECT_EQ(scene.found("state.forged") >= 0.95f, (state & ~0x44u) != 0) << state;
    }
}

TEST(ShadowMovement, NothingIsJudgedOnceTheServersWordWasMissed) {
    ShadowScene scene;
    Place at = arrived(scene);
    scene.missed(true);
    at.x += 50'000;
    at.z += 500;
    walks(scene, at, 3, 3);
    EXPECT_TRUE(scene.said.empty());
    // Until it comes again.
    scene.enter({409'000, 409'000, ground});
    at = arrived(scene);
    walks(scene, at, 3, 1.5);
    EXPECT_GE(scene.found("movement.speed"), 0.95f);
}

TEST(ShadowMovement, AMissedUpdateMayHaveSetHimFree) {
    ShadowScene scene;
    const Place at = arrived(scene);
    scene.change(shadowland::state::alive, shadowland::buff::frozen);
    scene.player.now += 3s;
    scene.sync(at);
    scene.missed(false);
    walks(scene, at, 3);
    EXPECT_TRUE(scene.said.empty());
}

}  // namespace
}  // namespace portcullis::checks
