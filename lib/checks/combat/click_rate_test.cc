// Goal: a clicker faster than hands is told of within three seconds; hands, digging,
// building and lag bursts are not; and it is never a reason to act.
// Method: clicks at even intervals, delivered at once or held back by stalls.

#include "checks/combat/click_rate.h"

#include <gtest/gtest.h>

#include "checks/story.h"

namespace portcullis::checks {
namespace {

using protocol::Dig;
using protocol::Swing;

void click(Story<ClickRate>& story, double per_second, double seconds) {
    const auto gap =
        std::chrono::duration_cast<Nanos>(std::chrono::duration<double>(1 / per_second));
    for (int i = 0; i < static_cast<int>(seconds * per_second); ++i) {
        story.wait(gap).client(Swing{});
    }
}

Dig dig(Dig::Status status) {
    return {.status = static_cast<uint8_t>(status), .block = {1, 2, 3}, .face = 0};
}

TEST(ClickRate, HandsAreNotToldOf) {
    for (const double rate : {1.0, 8.0, 14.0, 18.0}) {
        Story<ClickRate> story(754);
        click(story, rate, 120);
        EXPECT_EQ(story.findings(), 0u) << rate;
    }
}

TEST(ClickRate, AClickerIsToldOfInThreeSecondsAndNeverActedUpon) {
    for (const double rate : {24.0, 40.0, 200.0}) {
        Story<ClickRate> story(47);
        click(story, rate, 3);
        EXPECT_GT(story.findings(), 0u) << rate;
        click(story, rate, 30);
        EXPECT_LT(story.confidence(), acts_at) << rate;
    }
    EXPECT_TRUE(ClickRate::statistical);
}

TEST(ClickRate, DiggingSwingsEveryTick) {
    Story<ClickRate> story(754);
    for (int block = 0; block < 20; ++block) {
        story.wait(50ms).client(dig(Dig::Status::start)).client(Swing{}).client(Swing{});
        for (int tick = 0; tick < 15; ++tick) story.wait(50ms).client(Swing{});
        story.client(dig(Dig::Status::finish)).client(Swing{});
        for (int tick = 0; tick < 5; ++tick) story.wait(50ms).client(Swing{});
    }
    EXPECT_EQ(story.findings(), 0u);
}

TEST(ClickRate, BuildingAndDroppingSwingToo) {
    Story<ClickRate> story(754);
    for (int i = 0; i < 400; ++i) {
        story.wait(40ms).client(protocol::Place{}).client(Swing{});
        story.client(dig(Dig::Status::drop_item)).client(Swing{});
    }
    EXPECT_EQ(story.findings(), 0u);
}

TEST(ClickRate, AStallDeliversItsClicksAtOnce) {
    Story<ClickRate> story(754);
    for (int round = 0; round < 20; ++round) {
        click(story, 14, 5);
        story.wait(3s);
        for (int i = 0; i < 42; ++i) story.client(Swing{});
    }
    EXPECT_EQ(story.findings(), 0u);
}

}  // namespace
}  // namespace portcullis::checks
