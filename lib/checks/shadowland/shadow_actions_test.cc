// Goal: who acts as the rules have it is never found, be it that his requests are refused or his
// line is slow; who acts too soon, too far or while he can not is; and what a client is shown from
// too far away is counted.
// Method: requests by hand, told to all checks.
#include <gtest/gtest.h>

#include "checks/shadowland/scene_test_support.h"

namespace portcullis::checks {
namespace {

using shadowland::Place;
constexpr double ground = ShadowScene::ground;
constexpr Place home{409'000, 409'000, ground};
constexpr uint32_t slash = 1, fireball = 2, blink = 3, heal = 4;
constexpr uint32_t wolf = 7;

ShadowScene& arrived(ShadowScene& scene) {
    scene.create(wolf, 2, {409'200, 409'000, ground});
    scene.sync(home);
    scene.delivered();
    scene.player.now += 1s;
    scene.sync(home);
    return scene;
}

TEST(ShadowActions, CooldownsAreTheClientsOwnTime) {
    for (const auto& [action, cooldown] :
         {std::pair{slash, 600ms}, {fireball, 3'000ms}, {blink, 10'000ms}, {heal, 5'000ms}}) {
        for (const Nanos early : {Nanos{0}, Nanos{15ms}, Nanos{100ms}}) {
            ShadowScene scene;
            arrived(scene);
            scene.act(action, wolf);
            scene.player.now += cooldown - early;
            scene.act(action, wolf);
            EXPECT_EQ(scene.found("action.cooldown") >= 0.95f, early > 20ms) << action;
        }
    }
}

TEST(ShadowActions, WhichOfTwoCameFirstMakesNoDifferenceAndNoClockGoesBack) {
    const auto request = [](uint32_t time_ms, uint64_t sequence) {
        shadowland::Acted acted;
        acted.client_time_ms = time_ms;
        acted.sequence = sequence;
        acted.action = slash;
        return acted;
    };
    const struct {
        const char* story;
        std::vector<shadowland::Acted> requests;
        bool found;
    } cases[] = {
        {"in order", {request(1'000, 1), request(1'600, 2)}, false},
        {"overtaken", {request(1'600, 2), request(1'000, 1)}, false},
        {"overtaken, and too soon", {request(1'300, 2), request(1'000, 1)}, true},
        {"a clock that goes back", {request(2'000, 1), request(1'000, 2)}, true},
    };
    for (const auto& c : cases) {
        ShadowScene scene;
        arrived(scene);
        for (const auto& one : c.requests) scene.tell(one);
        EXPECT_EQ(scene.found("action.cooldown") >= 0.95f, c.found) << c.story;
    }
}

TEST(ShadowActions, WhatTheServerRefusedHasNoCooldown) {
    ShadowScene scene;
    arrived(scene);
    for (uint16_t request = 1; request < 10; ++request) {
        scene.act(slash, wolf, request);
        shadowland::ActionResult refused;
        refused.request_id = request;
        refused.source = 1;
        refused.action = slash;
        refused.result = 2;
        scene.from_server(refused);
        scene.player.now += 100ms;
    }
    EXPECT_EQ(scene.found("action.cooldown"), 0);
}

TEST(ShadowActions, WhatMayHaveBeenRefusedIsNotJudged) {
    ShadowScene scene;
    arrived(scene);
    scene.act(slash, wolf);
    scene.missed(false);
    scene.act(slash, wolf);
    EXPECT_EQ(scene.found("action.cooldown"), 0);
    scene.missed(true);
    for (int i = 0; i < 5; ++i) scene.act(slash, wolf);
    EXPECT_EQ(scene.found("action.cooldown"), 0) << "nobody knows who he is";
}

TEST(ShadowActions, RangeIsToWhereTheTargetWasSeenLast) {
    const struct {
        const char* story;
        uint32_t action;
        double distance;
        bool found;
    } cases[] = {
        {"an arm's length", slash, 280, false},
        {"a tenth more, and a step of each", slash, 350, false},
        {"far beyond", slash, 1'000, true},
        {"a fireball", fireball, 3'000, false},
        {"too far for a fireball", fireball, 6'000, true},
        {"healing", heal, 2'000, false},
    };
    for (const auto& c : cases) {
        ShadowScene scene;
        arrived(scene);
        scene.update(wolf, {home.x + c.distance, home.y, ground});
        scene.act(c.action, wolf);
        EXPECT_EQ(scene.found("action.range") >= 0.95f, c.found) << c.story;
    }
    ShadowScene scene;
    arrived(scene);
    scene.act_at(blink, {home.x + 1'500, home.y, ground});
    EXPECT_EQ(scene.found("action.range"), 0);
    scene.act_at(blink, {home.x + 9'000, home.y, ground});
    EXPECT_GE(scene.found("action.range"), 0.95f);
}

TEST(ShadowActions, RangeToWhatIsSomewhereElseByNowIsNotJudged) {
    ShadowScene scene;
    arrived(scene);
    scene.update(wolf, {home.x + 9'000, home.y, ground});
    scene.missed(false);
    scene.act(slash, wolf);
    EXPECT_EQ(scene.found("action.range"), 0);
    scene.update(wolf, {home.x + 9'000, home.y, ground});
    scene.act(slash, wolf);
    EXPECT_GE(scene.found("action.range"), 0.95f);
}

TEST(ShadowActions, NobodyActsWhoCanNot) {
    const struct {
        const char* story;
        uint8_t state, buffs;
        bool found;
    } cases[] = {
        {"alive", shadowland::state::alive, 0, false},
        {"dead", 0, 0, true},
        {"casting", shadowland::state::alive | shadowland::state::casting, 0, true},
        {"stunned", shadowland::state::alive | shadowland::state::stunned, 0, true},
        {"stunned by a spell", shadowland::state::alive, shadowland::buff::stunned, true},
        {"frozen", shadowland::state::alive, shadowland::buff::frozen, true},
        {"slowed", shadowland::state::alive, shadowland::buff::slowed, false},
    };
    for (const auto& c : cases) {
        ShadowScene scene;
        arrived(scene);
        scene.change(c.state, c.buffs);
        scene.act(slash, wolf);
        EXPECT_EQ(scene.found("action.state"), 0) << c.story << ": he does not know yet";
        scene.delivered();
        scene.player.now += 2s;
        scene.act(slash, wolf);
        EXPECT_EQ(scene.found("action.state") >= 0.95f, c.found) << c.story;
    }
}

/// Slash, and stunned after: its first copies are lost, and it comes when he knows better.
TEST(ShadowActions, WhatHeDidBeforeHeWasStunnedMayComeAfter) {
    ShadowScene scene;
    arrived(scene);
    shadowland::Acted acted;
    acted.client_time_ms = scene.clock_ms();
    acted.sequence = 1'001;
    acted.action = slash;
    scene.player.now += 50ms;
    scene.change(shadowland::state::alive, shadowland::buff::stunned);
    scene.player.now += 50ms;
    scene.delivered();
    scene.player.now += 2'000ms;
    scene.sync(home);
    scene.act(acted);
    EXPECT_TRUE(scene.said.empty());
}

TEST(ShadowActions, ARequestThatWasSentAgainIsJudgedByWhereHeWas) {
    ShadowScene scene;
    arrived(scene);
    shadowland::Acted acted;
    acted.client_time_ms = scene.clock_ms();
    acted.sequence = 1'001;
    acted.action = slash;
    acted.has_target = true;
    acted.target = wolf;
    Place at = home;
    for (int i = 0; i < 40; ++i) {
        scene.player.now += 50ms;
        at.x -= 30;
        scene.sync(at);
    }
    scene.act(acted);
    EXPECT_TRUE(scene.said.empty());
}

TEST(ShadowActions, TargetAndPointAreBothInRange) {
    for (const bool target : {true, false}) {
        ShadowScene scene;
        arrived(scene);
        scene.update(wolf, {home.x + (target ? 60'000 : 200), home.y, ground});
        shadowland::Acted acted;
        acted.client_time_ms = scene.clock_ms();
        acted.sequence = 1'001;
        acted.action = slash;
        acted.has_target = acted.has_point = true;
        acted.target = wolf;
        acted.point = {home.x + (target ? 0 : 60'000), home.y, ground};
        scene.act(acted);
        EXPECT_GE(scene.found("action.range"), 0.95f) << target;
    }
}

TEST(ShadowActions, WhoIsSilentForLongIsWrittenDown) {
    ShadowScene scene;
    arrived(scene);
    scene.update(wolf, {home.x + 2'800, home.y, ground});
    scene.player.now += 4'900ms;
    scene.act(slash, wolf);
    EXPECT_FLOAT_EQ(scene.found("action.range"), 0.9f);
}

TEST(ShadowActions, ACorrectionOnItsWayReachesNoFurtherThanWhereItLeads) {
    ShadowScene scene;
    arrived(scene);
    scene.correct({home.x + 1'400, home.y, ground});
    scene.update(wolf, {home.x + 1'600, home.y, ground});
    scene.act(slash, wolf);
    EXPECT_EQ(scene.found("action.range"), 0);
    scene.update(wolf, {home.x + 9'000, home.y, ground});
    scene.act(slash, wolf, 2);
    EXPECT_GE(scene.found("action.range"), 0.95f);
}

/// Slash ten times a second, by a clock that says otherwise.
TEST(ShadowActions, TheClockOfRequestsIsTheClientsOwn) {
    ShadowScene scene;
    arrived(scene);
    for (int i = 0; i < 40; ++i) {
        scene.player.now += 100ms;
        scene.clock_offset_ms += 500;
        scene.act(slash, wolf);
    }
    size_t found = 0;
    for (const Finding& finding : scene.said) found += finding.confidence >= 0.95f;
    EXPECT_GE(found, 10u);
}

TEST(ShadowActions, ARequestAheadOfTimeHidesNoneThatFollows) {
    ShadowScene scene;
    arrived(scene);
    shadowland::Acted poison;
    poison.client_time_ms = UINT32_MAX - 255;
    poison.sequence = 1'001;
    poison.action = slash;
    scene.act(poison);
    scene.said.clear();
    for (int i = 0; i < 20; ++i) {
        scene.player.now += 100ms;
        shadowland::Acted acted;
        acted.client_time_ms = scene.clock_ms();
        acted.action = slash;
        acted.has_target = true;
        acted.target = wolf;
        scene.act(acted);
    }
    EXPECT_GE(scene.found("action.cooldown"), 0.95f);
}

TEST(ShadowActions, WhatIsShownFromTooFarAwayIsALeak) {
    for (uint8_t type = 0; type < shadowland::interest_distance.size(); ++type) {
        ShadowScene scene;
        arrived(scene);
        const double far = shadowland::interest_distance[type];
        scene.create(20, type, {home.x + far, home.y, ground});
        scene.update(20, {home.x + far + 1'900, home.y, ground});
        EXPECT_EQ(scene.found("aoi.leak"), 0) << unsigned{type};
        scene.update(20, {home.x + far + 2'500, home.y, ground});
        EXPECT_GT(scene.found("aoi.leak"), 0) << unsigned{type};
    }
}

TEST(ShadowActions, WhereHeOnceWasPutIsForgottenForWhatHeIsShown) {
    ShadowScene scene;
    arrived(scene);
    Place at = home;
    for (int i = 0; i < 400; ++i) {
        scene.player.now += 50ms;
        at.y += 30;
        scene.sync(at);
    }
    scene.create(20, 7, {home.x, home.y - 1'000, ground});
    EXPECT_GT(scene.found("aoi.leak"), 0);
}

}  // namespace
}  // namespace portcullis::checks
