// Goal: blocks finished faster than any tool can are found; held buttons, quick
// hands, one blow blocks and lag bursts are not.
// Method: digs told tick by tick, with and without visible ticks, delivered at once
// or after a stall.

#include "checks/digging/fast.h"

#include <gtest/gtest.h>

#include "checks/story.h"

namespace portcullis::checks {
namespace {

using protocol::Dig;

struct Miner {
    explicit Miner(int32_t version) : story(version) {
        for (int i = 0; i < 100; ++i) tick();
    }
    void tick() {
        if (!stalled) story.wait(tick_arrives);
        if (mines) story.client(protocol::Swing{});
        if (story.player.version <= 47) story.client(stand());
        if (story.player.version >= 768) story.client(protocol::TickEnded{});
    }
    void dig(Dig::Status status) {
        story.client(Dig{.status = static_cast<uint8_t>(status), .block = {++x, 64, 0}, .face = 1});
        if (clicks && status == Dig::Status::start) story.client(protocol::Swing{});
    }
    /// Start, `damage` ticks later finish, `pause` ticks later the next.
    void blocks(int count, int damage, int pause) {
        mines = true;
        for (int i = 0; i < count; ++i) {
            dig(Dig::Status::start);
            for (int t = 0; t < damage; ++t) tick();
            --x;
            dig(Dig::Status::finish);
            for (int t = 0; t < pause; ++t) tick();
        }
        mines = false;
    }
    Story<DigFast> story;
    int32_t x = 0;
    bool stalled = false;
    Nanos tick_arrives = 50ms;  ///< After the one before.
    bool mines = false;         ///< Then the arm swings each tick.
    bool clicks = false;        ///< Each start is a click, which swings once more.
};

constexpr int32_t versions[] = {47, 754, 769};

struct Case {
    std::string_view what;
    int damage, pause;
    bool found;
};
constexpr Case cases[] = {
    {"dirt by hand", 14, 6, false},
    {"the fastest tool, button held", 1, 6, false},
    {"the fastest tool, four clicks a second", 1, 4, false},
    {"the fastest tool, clicked anew in three ticks", 1, 3, false},
    {"one tick each, two ticks between, without end", 1, 2, true},
    {"one tick each, one between", 1, 1, true},
};

TEST(DigFast, BoundsARunOfBlocks) {
    for (const int32_t version : versions) {
        for (const Case& c : cases) {
            Miner miner(version);
            miner.blocks(40, c.damage, c.pause);
            EXPECT_EQ(miner.story.confidence() >= acts_at, c.found) << c.what << ' ' << version;
        }
    }
}

TEST(DigFast, WritesDownStartAndFinishInOneTickWhereTicksAreSeen) {
    for (const int32_t version : versions) {
        Miner miner(version);
        miner.blocks(1, 0, 0);
        EXPECT_EQ(miner.story.findings(), version == 754 ? 0u : 1u) << version;
        EXPECT_LT(miner.story.confidence(), acts_at) << version;
    }
}

TEST(DigFast, ActsOnARunOfBlocksBrokenInNoTime) {
    for (const int32_t version : versions) {
        Miner miner(version);
        miner.blocks(40, 0, 3);
        EXPECT_GE(miner.story.confidence(), acts_at) << version;
    }
}

TEST(DigFast, LetsCreativeModeBe) {
    Miner miner(769);
    miner.story.server(protocol::Joined{.self = 1, .mode = protocol::GameMode::creative});
    miner.blocks(40, 0, 0);
    EXPECT_EQ(miner.story.findings(), 0u);
}

TEST(DigFast, GrantsWhatAStallHeldBack) {
    for (const int32_t version : versions) {
        Miner miner(version);
        for (int round = 0; round < 10; ++round) {
            miner.blocks(5, 1, 6);
            // Three seconds' work, delivered at one instant after them.
            miner.story.wait(3s);
            miner.stalled = true;
            miner.blocks(8, 1, 6);
            miner.stalled = false;
        }
        EXPECT_EQ(miner.story.findings(), 0u) << version;
    }
}

TEST(DigFast, GrantsWhatAQueueThatDrainsBringsTogether) {
    // Somebody's upload fills the line for 20 s, until all is four seconds late; then what
    // was sent in the last of it comes together, with no silence before it.
    for (const int32_t version : versions) {
        for (const bool clicks : {false, true}) {
            Miner miner(version);
            miner.clicks = clicks;
            for (int round = 0; round < 10; ++round) {
                miner.tick_arrives = 60ms;
                miner.blocks(57, 1, 6);
                miner.tick_arrives = 2ms;
                miner.blocks(14, 1, 6);
            }
            EXPECT_EQ(miner.story.findings(), 0u) << version;
        }
    }
}

TEST(DigFast, FindsClickedRunsToo) {
    for (const int32_t version : versions) {
        Miner miner(version);
        miner.clicks = true;
        miner.blocks(40, 1, 2);
        EXPECT_GE(miner.story.confidence(), acts_at) << version;
    }
}

/// Rounds of `run` blocks and one that is begun and given up.
void gives_up_now_and_then(Miner& miner, int run, int damage, int pause) {
    for (int i = 0; i < 10; ++i) {
        miner.blocks(run, damage, pause);
        miner.dig(Dig::Status::start);
        miner.tick();
        --miner.x;
        miner.dig(Dig::Status::cancel);
        miner.tick();
    }
}

TEST(DigFast, ACancelExcusesNoRun) {
    // Every client waits five ticks after each block that it finished, whatever it
    // cancelled or began since.
    for (const int32_t version : versions) {
        Miner machine(version), hand(version);
        gives_up_now_and_then(machine, 11, 0, 1);
        gives_up_now_and_then(hand, 6, 1, 6);
        EXPECT_GE(machine.story.confidence(), acts_at) << version;
        EXPECT_EQ(hand.story.findings(), 0u) << version;
    }
}

TEST(DigFast, OneBlowBlocksAreOnlyStarted) {
    Miner miner(769);
    for (int i = 0; i < 200; ++i) {
        miner.dig(Dig::Status::start);
        miner.tick();
    }
    EXPECT_EQ(miner.story.findings(), 0u);
}

}  // namespace
}  // namespace portcullis::checks
