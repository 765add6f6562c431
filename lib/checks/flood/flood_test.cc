// Goal: floods are found in a second; busy players, crafting bursts and what a
// stall held back are not.
// Method: packets at even rates, with and without stalls.

#include <gtest/gtest.h>

#include "checks/flood/packets.h"
#include "checks/story.h"

namespace portcullis::checks {
namespace {

void send(Story<FloodPackets>& story, int packets, Nanos over) {
    for (int i = 0; i < packets; ++i) story.wait(over / packets).client(stand());
}

struct Case {
    std::string_view what;
    int per_second, seconds;
    bool found;
};
constexpr Case cases[] = {
    {"walking", 20, 60, false},
    {"fighting and building at once", 90, 60, false},
    {"crafting with shift held on 1.8", 300, 10, false},
    {"a paste by commands, 24 a tick", 480, 60, false},
    {"a thousand a second", 1000, 8, true},
    {"ten thousand a second", 10000, 1, true},
};

TEST(FloodPackets, BoundsTheRate) {
    for (const Case& c : cases) {
        Story<FloodPackets> story(47);
        send(story, c.per_second * c.seconds, std::chrono::seconds(c.seconds));
        EXPECT_EQ(story.confidence() >= acts_at, c.found) << c.what;
    }
}

TEST(FloodPackets, LetsAKeyThatAsksForEveryBlockAroundBe) {
    // AntiGhost cancels 9*9*9 blocks at once to see what the server has there.
    Story<FloodPackets> story(769);
    for (int press = 0; press < 5; ++press) {
        send(story, 729, 1ms);
        send(story, 20, 700ms);
    }
    EXPECT_EQ(story.findings(), 0u);
}

TEST(FloodPackets, GrantsWhatAStallHeldBack) {
    Story<FloodPackets> story(754);
    for (int round = 0; round < 10; ++round) {
        send(story, 900, 10s);
        story.wait(10s);
        send(story, 900, 1ms);
    }
    EXPECT_EQ(story.findings(), 0u);
}

TEST(FloodPackets, TheServersPacketsAreNotThePlayers) {
    Story<FloodPackets> story(754);
    for (int i = 0; i < 5000; ++i) story.server(protocol::HealthSet{});
    EXPECT_EQ(story.findings(), 0u);
}

}  // namespace
}  // namespace portcullis::checks
