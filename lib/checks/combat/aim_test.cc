// Goal: who strikes players behind his back, and looks away, is found; whose crosshair was
// on them at his tick's beginning is not, however he turns and whatever his line does.
// Method: people around a player who strikes them and says where he looks at the tick's end.

#include "checks/combat/aim.h"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "checks/story.h"

namespace portcullis::checks {
namespace {

using namespace protocol;

constexpr EntityId self = 1, other = 2;
constexpr int32_t versions[] = {47, 754, 769, 774};

/// A player at the origin who looks along z, and another `z` blocks along it.
struct Fight {
    explicit Fight(int32_t version, double z, bool is_player = true) : story(version) {
        story.server(Joined{.self = self, .mode = GameMode::survival});
        story.client(walk(0, 64, 0));
        for (int64_t id = 1; id <= 8; ++id) {
            story.server(KeepAliveSent{id}).wait(40ms).client(KeepAliveAnswered{id});
            for (int i = 0; i < 20; ++i) tick(0);
        }
        story.server(EntitySpawned{
            .entity = other, .is_player = is_player, .type = -1, .position = {0, 64, z}});
        for (int i = 0; i < 40; ++i) tick(0);
    }
    /// The end of a tick in which he looked so.
    void tick(float yaw) {
        story.wait(50ms);
        Move move = look(yaw, 0);
        move.on_ground = true;
        if (story.player.version <= 47 || yaw != story.player.rotation().yaw) story.client(move);
        if (story.player.version >= 768) story.client(TickEnded{});
    }
    void strikes(int blows, float yaw) {
        for (int i = 0; i < blows; ++i) {
            story.client(Attack{other}).client(Swing{});
            tick(yaw);
            for (int t = 0; t < 19; ++t) tick(yaw);
            story.client(walk(0, 64, 0));
        }
    }
    bool found() const { return story.confidence() >= acts_at; }
    Story<Aim> story;
};

TEST(Aim, MeasuresBlowsAtWhatIsBehind) {
    for (const int32_t version : versions) {
        for (const double z : {-3.0, -1.5, -0.9, 0.0, 1.5, 3.0}) {
            Fight fight(version, z);
            fight.strikes(8, 0);
            EXPECT_EQ(fight.found(), z <= -1.5) << version << ' ' << z;
            if (z > -0.5) {
                EXPECT_EQ(fight.story.findings(), 0u) << version << ' ' << z;
            }
        }
    }
}

TEST(Aim, BelievesTheLooksBeforeAndAtTheEndOfTheTick) {
    for (const int32_t version : versions) {
        Fight flick(version, -2);
        for (int i = 0; i < 40; ++i) {
            // He whirls round, strikes, and whirls back, a tick each.
            flick.tick(0);
            flick.story.client(Attack{other});
            flick.tick(180);
            flick.tick(0);
            flick.story.client(Attack{other});
            flick.tick(0);
        }
        EXPECT_EQ(flick.story.findings(), 0u) << version;
    }
}

TEST(Aim, CountsAnglesHoweverOftenHeTurned) {
    for (const float yaw : {0.0f, 360.0f, -3600.0f, 36000.0f}) {
        Fight fight(754, -2);
        fight.strikes(8, yaw);
        EXPECT_TRUE(fight.found()) << yaw;
        Fight turned(754, -2);
        turned.tick(yaw + 180);
        turned.strikes(8, yaw + 180);
        EXPECT_EQ(turned.story.findings(), 0u) << yaw;
    }
}

TEST(Aim, AFewFlukesAmongHonestBlowsAreOnlyWrittenDown) {
    Fight fight(754, -2);
    for (int round = 0; round < 20; ++round) {
        fight.strikes(1, 0);
        for (const float yaw : {180.0f, 180.1f}) fight.tick(yaw);
        fight.strikes(6, 180);
        for (const float yaw : {0.0f, 0.1f}) fight.tick(yaw);
    }
    EXPECT_GT(fight.story.findings(), 0u);
    EXPECT_FALSE(fight.found());
}

TEST(Aim, GrantsWhereARunningTargetWasSeen) {
    // It ran past him; what he struck was still ahead on his screen.
    for (const int32_t version : versions) {
        for (int round = 0; round < 10; ++round) {
            Fight fight(version, 2);
            for (int step = 0; step < 10; ++step) {
                fight.story.server(EntityMoved{.entity = other, .dx = 0, .dy = 0, .dz = -0.4});
                fight.tick(0);
                fight.story.client(Attack{other});
            }
            EXPECT_EQ(fight.story.findings(), 0u) << version;
        }
    }
}

TEST(Aim, JudgesNothingWhileTheLineStalls) {
    for (const bool to_proxy : {false, true}) {
        Fight fight(754, 2);
        fight.story.player.line = {.sent_bytes = 1000, .acked_bytes = 1000, .to_proxy = to_proxy};
        fight.story.server(EntityMoved{.entity = other, .dx = 0, .dy = 0, .dz = 0});
        // From here on he hears nothing, while the target runs round him.
        for (int step = 0; step < 60; ++step) {
            fight.story.player.line.sent_bytes += 20;
            if (to_proxy) fight.story.player.line.acked_bytes += 20;
            const double dz = step < 20 ? -0.25 : 0;
            fight.story.server(EntityMoved{.entity = other, .dx = 0, .dy = 0, .dz = dz});
            fight.story.client(Attack{other});
            fight.tick(step % 2 == 0 ? 0 : 0.1f);
        }
        EXPECT_EQ(fight.story.findings(), 0u) << to_proxy;
    }
}

TEST(Aim, LetsMobsRidersCreativeModeAndBedrockBe) {
    Fight mob(754, -2, false), rider(754, -2), creative(754, -2), bedrock(754, -2);
    rider.story.server(Mounted{.vehicle = 9, .rider = self});
    creative.story.server(GameModeChanged{GameMode::creative});
    bedrock.story.player.is_bedrock();
    for (Fight* fight : {&mob, &rider, &creative, &bedrock}) {
        fight->strikes(8, 0);
        EXPECT_EQ(fight->story.findings(), 0u);
    }
}

TEST(Aim, OnlyWritesDownWhatVivecraftsHandsDoWhereItIsBelieved) {
    for (const bool believed : {false, true}) {
        Fight fight(754, -2);
        fight.story.player.line.believes_vivecraft = believed;
        fight.story.client(PluginMessage{.channel = "vivecraft:data", .data = {}});
        fight.strikes(8, 0);
        EXPECT_GT(fight.story.findings(), 0u);
        EXPECT_EQ(fight.found(), !believed);
    }
}

}  // namespace
}  // namespace portcullis::checks
