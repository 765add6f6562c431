// Goal: when a stage can not do its work, what happens is what `on_failure` says: `open` lets the
// connection go on uninspected, `closed` ends it, and either way it is counted.  (Causes that meet
// a packet before it has a flow: track_test.cc.) Method: each cause is forced on one connection
// through all the real stages.

#include <functional>

#include "stages/testing/game.h"

namespace portcullis::stages {
namespace {

using namespace testing;
using config::OnFailure;

struct Case {
    const char* cause;
    OnFailure config::Failures::* choice;
    DropReason reason;  ///< When closed.
    Notice notice;
    void (*force)(config::Config&);
    bool (*provoke)(Game&);  ///< True when the packet went on.
};

void nothing(config::Config&) {}

constexpr Case cases[] = {
    {"no session left", &config::Failures::memory, DropReason::no_memory, Notice::session_pool_full,
     [](config::Config& c) { c.limits.players = 0; },
     [](Game& game) { return game.client_says(handshake()); }},
    {"bytes that are no frames", &config::Failures::decoder, DropReason::decoder_error,
     Notice::decoder_error, nothing,
     [](Game& game) { return game.client_says("\xff\xff\xff\xff\xff\xff"); }},
    {"no room for an action", &config::Failures::stage, DropReason::stage_failed,
     Notice::stage_failed, nothing,
     [](Game& game) {
         game.log_in();
         static Flow other;
         PendingAction nothing;
         nothing.flow = &other;
         while (game.context().pending.add(nothing)) {
         }
         return game.client_says(look(120));
     }},
};

config::Config severing(const Case& c, OnFailure choice) {
    config::Config config = configuration();
    config.policies[0].ladder = {{0.1, policy::Action::sever}};
    // Broken frames are not to be judged here but to meet their cause.
    config.policies[0].act_at_confidence = 0.95;
    c.force(config);
    config.on_failure.*c.choice = choice;
    return config;
}

TEST(Failures, OpenLetsTheConnectionGoOn) {
    for (const Case& c : cases) {
        SCOPED_TRACE(c.cause);
        Game game(severing(c, OnFailure::open));
        EXPECT_TRUE(c.provoke(game));
        EXPECT_GE(game.noticed(c.notice), 1u);
        EXPECT_TRUE(game.client_says("whatever follows"));
        EXPECT_TRUE(game.injected.empty());
    }
}

TEST(Failures, ClosedEndsTheConnection) {
    for (const Case& c : cases) {
        SCOPED_TRACE(c.cause);
        Game game(severing(c, OnFailure::closed));
        EXPECT_FALSE(c.provoke(game));
        EXPECT_EQ(game.last_drop(), c.reason);
        EXPECT_GE(game.noticed(c.notice), 1u);
        EXPECT_FALSE(game.client_says("whatever follows"));
        EXPECT_EQ(game.last_drop(), DropReason::flow_dead);
        EXPECT_FALSE(game.injected.empty()) << "nobody was told";
    }
}

TEST(Failures, ObservingTouchesNothing) {
    for (const Case& c : cases) {
        SCOPED_TRACE(c.cause);
        config::Config config = severing(c, OnFailure::closed);
        config.mode = verdicts::Mode::observe;
        Game game(config);
        c.provoke(game);
        EXPECT_TRUE(game.client_says("whatever follows"));
        EXPECT_TRUE(game.injected.empty());
    }
}

}  // namespace
}  // namespace portcullis::stages
