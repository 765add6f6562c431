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
         while (game.context.pending.add(nothing)) {
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

/// Takes what memory there is for streams, until it goes.
class Hog {
public:
    explicit Hog(stream::StreamPool& pool) : pool_(pool) {
        for (size_t size = pool.stream_bytes(); size >= stream::StreamPool::block_size_min;) {
            const auto block = pool.take(size, stream::StreamPool::Use::in_order);
            if (block == stream::StreamPool::none) {
                size /= 2;
            } else {
                blocks_.push_back(block);
            }
        }
    }
    ~Hog() {
        for (const auto block : blocks_) pool_.give_back(block);
    }

private:
    stream::StreamPool& pool_;
    std::vector<stream::StreamPool::Block> blocks_;
};

// Closed, what there is no room for waits with its sender: TCP sends it again.
TEST(Failures, MemoryForStreamsComesBackToWhoWaited) {
    config::Config config = configuration();
    config.on_failure.memory = OnFailure::closed;
    Game game(config);
    {
        const Hog hog(game.context.streams);
        EXPECT_FALSE(game.client_says(handshake()));
        EXPECT_EQ(game.last_drop(), DropReason::no_buffer);
        EXPECT_EQ(game.noticed(Notice::stream_memory_full), 1u);
        EXPECT_TRUE(game.injected.empty());
    }
    game.client_says_again(handshake());
    EXPECT_TRUE(game.flow()->connection.inspected(Direction::to_server));
    EXPECT_EQ(game.flow()->connection.delivered_bytes(Direction::to_server), handshake().size());
}

TEST(Failures, WithoutMemoryForStreamsOpenLetsThemGoOnUnread) {
    config::Config config = configuration();
    config.on_failure.memory = OnFailure::open;
    Game game(config);
    {
        const Hog hog(game.context.streams);
        EXPECT_TRUE(game.client_says(handshake()));
        EXPECT_EQ(game.noticed(Notice::stream_memory_full), 1u);
    }
    EXPECT_TRUE(game.client_says("whatever follows"));
    EXPECT_TRUE(game.server_says("whatever answers"));
    EXPECT_EQ(game.flow()->connection.next_seq(Direction::to_server),
              Seq(101) + static_cast<uint32_t>(handshake().size() + 16));
    EXPECT_FALSE(game.flow()->connection.inspected(Direction::to_server));
    EXPECT_TRUE(game.injected.empty());
}

// Who lets much run ahead of a hole takes memory that way, and shall win nothing by it.
TEST(Failures, WithoutMemoryWhatRunsAheadWaits) {
    Game game(configuration());
    const Hog hog(game.context.streams);
    EXPECT_FALSE(game.client_says_ahead("x", 100));
    EXPECT_EQ(game.last_drop(), DropReason::no_buffer);
    EXPECT_TRUE(game.flow()->connection.inspected(Direction::to_server));
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
