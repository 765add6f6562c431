// Goal: who walks as legs carry is never found, whatever his line and his server do to him; who
// does not is found by the right name.
// Method: a walker's syncs, 20 a second, told to all checks; corrections come and go between them.
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
