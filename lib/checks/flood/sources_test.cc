// Goal: what a source is accused of reaches the check of that name and no other, and
// what takes long but not too long is let be.
// Method: the events as the watch of sources tells them.

#include <gtest/gtest.h>

#include "checks/flood/slow.h"
#include "checks/flood/source_rate.h"
#include "checks/story.h"

namespace portcullis::checks {
namespace {

using protocol::LoginStage;
using protocol::SourceAct;
using protocol::SourceOverrun;

TEST(FloodOfSources, EachActHasItsCheck) {
    for (const SourceAct act : {SourceAct::syn, SourceAct::connection, SourceAct::status,
                                SourceAct::login, SourceAct::garbage}) {
        const SourceOverrun overrun{act, 1001, 1000, 120, true};
        Story<FloodSyns> syns(0);
        Story<FloodLogins> logins(0);
        syns.client(overrun);
        logins.client(overrun);
        EXPECT_EQ(syns.findings(), act == SourceAct::syn ? 1u : 0u);
        ASSERT_EQ(logins.findings(), act == SourceAct::login ? 1u : 0u);
        if (act == SourceAct::login) {
            EXPECT_EQ(logins.said[0].evidence.note, "all of its /24");
            EXPECT_GE(logins.confidence(), acts_at);
        }
    }
}

TEST(FloodOfSources, OnlyASynMayBeSomebodyElses) {
    EXPECT_TRUE(FloodSyns::spoofable);
    EXPECT_FALSE(FloodConnections::spoofable);
    EXPECT_FALSE(FloodGarbage::spoofable);
}

struct Case {
    std::string_view what;
    LoginStage stage;
    double seconds;
    bool found;
};
constexpr Case cases[] = {
    {"a handshake on a line that loses most packets", LoginStage::handshake, 31, false},
    {"a pinger that waits for its client's patience to end", LoginStage::status, 60, false},
    {"mods that exchange their lists", LoginStage::login, 120, false},
    {"in the game for a day", LoginStage::past, 86400, false},
    {"silent for a minute", LoginStage::handshake, 60, true},
    {"a status that trickles", LoginStage::status, 120, true},
    {"a login that never ends", LoginStage::login, 400, true},
};

TEST(FloodSlow, GivesEachStageItsTime) {
    for (const Case& c : cases) {
        Story<FloodSlow> story(0);
        story.client(protocol::StillThere{c.stage, c.seconds});
        EXPECT_EQ(story.confidence() >= acts_at, c.found) << c.what;
    }
}

}  // namespace
}  // namespace portcullis::checks
