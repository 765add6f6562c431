// Goal: numbers that are none, heads turned too far and broken frames are found;
// what the server asked for, or did itself, is not the player's.
// Method: single packets, with and without the server's word before them.

#include <limits>

#include <gtest/gtest.h>

#include "checks/packets/impossible.h"
#include "checks/packets/malformed.h"
#include "checks/packets/not_finite.h"
#include "checks/packets/pitch.h"
#include "checks/story.h"

namespace portcullis::checks {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinite = std::numeric_limits<double>::infinity();

TEST(NotFinite, FindsEachNumberThatIsNone) {
    const double numbers[] = {nan, -nan, infinite, -infinite};
    for (const double number : numbers) {
        for (const int place : {0, 1, 2}) {
            Story<NotFinite> story(754);
            story.client(
                walk(place == 0 ? number : 1, place == 1 ? number : 2, place == 2 ? number : 3));
            EXPECT_EQ(story.confidence(), 1) << number << ' ' << place;
        }
        Story<NotFinite> yaw(754), pitch(754);
        yaw.client(look(static_cast<float>(number), 0));
        pitch.client(look(0, static_cast<float>(number)));
        EXPECT_EQ(yaw.confidence(), 1);
        EXPECT_EQ(pitch.confidence(), 1);
    }
}

TEST(NotFinite, LargeNumbersAndAbsentFieldsAreNumbers) {
    Story<NotFinite> story(754);
    story.client(walk(3e7, -64, 1e300)).client(look(-1e6f, 90)).client(stand());
    protocol::Move absent;
    absent.position.x = nan;  // Not sent: whatever stands there means nothing.
    story.client(absent);
    EXPECT_EQ(story.findings(), 0u);
}

/// Asked something since, he has read all that came before.
void answers(Story<Impossible>& story, int32_t id) {
    story.server(protocol::PingSent{id}).wait(50ms).client(protocol::PingAnswered{id});
}

TEST(Impossible, NobodyStrikesHimself) {
    for (const int32_t version : {47, 754, 774}) {
        Story<Impossible> story(version);
        story.server(protocol::Joined{.self = 7, .mode = protocol::GameMode::survival});
        answers(story, 1);
        story.client(protocol::Attack{.target = 8});
        EXPECT_EQ(story.findings(), 0u);
        story.client(protocol::Attack{.target = 7});
        EXPECT_GE(story.confidence(), acts_at) << version;
    }
}

TEST(Impossible, ABlowMayBeMeantForWhomHeSawBefore) {
    // A proxy moves him to another server, where his body has the number that somebody
    // had before: blows at that one are still on their way.
    Story<Impossible> story(754);
    story.server(protocol::Joined{.self = 7, .mode = protocol::GameMode::survival});
    answers(story, 1);
    story.server(protocol::Joined{.self = 8, .mode = protocol::GameMode::survival});
    story.client(protocol::Attack{.target = 8});
    EXPECT_EQ(story.findings(), 0u);
    answers(story, 2);
    story.client(protocol::Attack{.target = 8});
    EXPECT_GE(story.confidence(), acts_at);
}

TEST(Impossible, WhoLooksOutOfAnothersEyesMaySeeHimself) {
    Story<Impossible> story(754);
    story.server(protocol::Joined{.self = 7, .mode = protocol::GameMode::survival});
    answers(story, 1);
    story.server(protocol::CameraSet{.entity = 9}).client(protocol::Attack{.target = 7});
    answers(story, 2);
    story.client(protocol::Attack{.target = 7});
    story.server(protocol::CameraSet{.entity = 7}).client(protocol::Attack{.target = 7});
    EXPECT_EQ(story.findings(), 0u);
    answers(story, 3);
    story.client(protocol::Attack{.target = 7});
    EXPECT_GE(story.confidence(), acts_at);
}

TEST(Impossible, HandsHaveNineSlots) {
    struct {
        int32_t version;
        int16_t slot;
        bool acts, written;
    } constexpr cases[] = {
        {47, 0, false, false},  {774, 8, false, false}, {47, 9, false, true},
        {774, 35, false, true}, {774, 36, true, true},  {47, 200, true, true},
        {754, -3, true, true},  {754, -1, true, true},  {5, 150, false, true},
    };
    for (const auto& c : cases) {
        Story<Impossible> story(c.version), bedrock(c.version);
        story.client(protocol::SlotSelected{c.slot});
        EXPECT_EQ(story.confidence() >= acts_at, c.acts) << c.version << ' ' << c.slot;
        EXPECT_EQ(story.findings() > 0, c.written) << c.version << ' ' << c.slot;
        bedrock.player.is_bedrock();
        bedrock.client(protocol::SlotSelected{c.slot});
        EXPECT_EQ(bedrock.findings(), 0u);
    }
}

protocol::Teleported teleport(float pitch, bool relative = false) {
    protocol::Teleported to{};
    to.relative_pitch = relative;
    to.rotation.pitch = pitch;
    return to;
}

TEST(Pitch, EndsAtStraightUpAndDown) {
    for (const float pitch : {0.0f, 90.0f, -90.0f, 90.00001f}) {
        Story<Pitch> story(47);
        story.client(look(0, pitch));
        EXPECT_EQ(story.findings(), 0u) << pitch;
    }
    for (const float pitch : {90.5f, -100.0f, 120.0f, 1e6f}) {
        Story<Pitch> story(47);
        story.client(look(0, pitch));
        EXPECT_GE(story.confidence(), acts_at) << pitch;
    }
}

TEST(Pitch, WhatTheServerAskedForIsNotThePlayers) {
    Story<Pitch> story(754);
    story.server(teleport(135)).server(teleport(0)).wait(2s);
    story.client(look(0, 135)).client(look(3, 135)).client(look(0, 0));
    EXPECT_EQ(story.findings(), 0u);
    story.client(look(0, 136));
    EXPECT_GE(story.confidence(), acts_at);

    Story<Pitch> turned(769);
    turned.server(protocol::RotationSet{false, false, {0, 135}});
    turned.client(look(0, 135)).client(look(3, 135));
    EXPECT_EQ(turned.findings(), 0u);
    turned.client(look(0, 136));
    EXPECT_GE(turned.confidence(), acts_at);
}

TEST(Pitch, ARelativeTeleportExcusesOneAnswer) {
    Story<Pitch> story(754);
    story.server(teleport(20, true)).client(look(0, 95));
    EXPECT_EQ(story.findings(), 0u);
    story.client(look(0, 95));
    EXPECT_GE(story.confidence(), acts_at);
}

TEST(Pitch, ATeleportWithinTheRangeExcusesNothing) {
    Story<Pitch> story(754);
    story.server(teleport(10)).server(teleport(0, true)).client(look(0, 95));
    EXPECT_GE(story.confidence(), acts_at);
}

TEST(Pitch, LetsABedrockPlayerBe) {
    Story<Pitch> story(767);
    story.player.is_bedrock();
    story.client(look(0, 95));
    EXPECT_EQ(story.findings(), 0u);
}

TEST(Malformed, WritesDownEveryFaultAndNeverActs) {
    for (size_t i = 0; i < static_cast<size_t>(protocol::Fault::count); ++i) {
        Story<Malformed> story(754);
        story.client(protocol::Malformed{.fault = static_cast<protocol::Fault>(i)});
        ASSERT_EQ(story.findings(), 1u) << protocol::fault_names[i];
        EXPECT_LT(story.confidence(), acts_at) << protocol::fault_names[i];
        EXPECT_EQ(story.said[0].evidence.note, protocol::fault_names[i]);
    }
}

TEST(Malformed, TheServersFaultsAreNotThePlayers) {
    Story<Malformed> story(754);
    story.server(
        protocol::Malformed{.fault = protocol::Fault::trailing_bytes, .from_server = true});
    EXPECT_EQ(story.findings(), 0u);
}

}  // namespace
}  // namespace portcullis::checks
