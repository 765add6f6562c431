// Goal: on any line, and however often a server asks, the requests never say that the
// game has read more than it has, nor that the line is quicker than it is; and what
// came back long ago is not open for ever.
// Method: a server that asks a number of times a tick, a client that answers all in
// order after the round trip, for every pace, line and manner of numbering.
#include "player/round_trips.h"

#include <deque>
#include <functional>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace portcullis {
namespace {

using Kind = RoundTrips::Kind;

constexpr uint32_t seed = 20261129;

struct Numbering {
    const char* name;
    std::function<int64_t(uint32_t)> id;
};

std::vector<Numbering> numberings() {
    auto random = std::make_shared<std::mt19937>(seed);
    return {{"counted down", [](uint32_t n) { return -int64_t{n}; }},
            {"always the same", [](uint32_t) { return int64_t{0}; }},
            {"in turns of seven", [](uint32_t n) { return int64_t{n % 7}; }},
            {"in turns of fifty", [](uint32_t n) { return int64_t{n % 50}; }},
            {"by chance", [random](uint32_t) { return static_cast<int16_t>((*random)() % 500); }}};
}

/// A server that sends `a_tick` pings a tick and a keep-alive a second, over a line on
/// which all comes back after `there_and_back`.
class Line {
public:
    Line(Nanos there_and_back, int a_tick, Numbering numbering)
        : there_and_back_(there_and_back), a_tick_(a_tick), numbering_(std::move(numbering)) {}

    void tick() {
        now_ += game_tick;
        while (!under_way_.empty() && under_way_.front().sent + there_and_back_ <= now_) {
            const Request& request = under_way_.front();
            trips.answered(request.kind, request.id, now_, ++ticks_);
            // What the network thread answers, the game may not have read.
            if (request.kind == Kind::ping) read_ = request.number;
            under_way_.pop_front();
        }
        if (ticks_now_++ % 20 == 0) ask(Kind::keep_alive, ticks_now_);
        for (int i = 0; i < a_tick_; ++i) ask(Kind::ping, numbering_.id(trips.requests()));
    }
    RequestCount read() const { return read_; }
    Nanos now() const { return now_; }
    /// How many requests lie between what the game read and what is known of it.
    uint32_t behind() const { return read_ - trips.reached(); }

    RoundTrips trips;

private:
    struct Request {
        Kind kind;
        int64_t id;
        Nanos sent;
        RequestCount number;
    };
    void ask(Kind kind, int64_t id) {
        trips.sent(kind, id, now_);
        under_way_.push_back({kind, id, now_, trips.requests()});
    }

    Nanos there_and_back_;
    int a_tick_;
    Numbering numbering_;
    std::deque<Request> under_way_;
    Nanos now_ = 1000s;
    uint32_t ticks_now_ = 0, ticks_ = 0;
    RequestCount read_ = 0;
};

TEST(RoundTrips, FollowAnyPaceOnAnyLineAndNeverRunAhead) {
    for (const Numbering& numbering : numberings()) {
        for (const int a_tick : {1, 2, 5}) {
            for (const Nanos line :
                 {Nanos{40ms}, Nanos{300ms}, Nanos{600ms}, Nanos{1500ms}, Nanos{4s}}) {
                SCOPED_TRACE(std::string(numbering.name) + ", " + std::to_string(a_tick) +
                             " a tick, line of " + std::to_string(to_milliseconds(line)) +
                             " ms, seed " + std::to_string(seed));
                Line talk(line, a_tick, numbering);
                uint32_t most_behind = 0;
                for (int tick = 0; tick < 2000; ++tick) {
                    talk.tick();
                    ASSERT_LE(talk.trips.reached(), talk.read()) << "tick " << tick;
                    if (talk.now() < 1000s + 2 * line + 1s) continue;
                    most_behind = std::max(most_behind, talk.behind());
                    ASSERT_GE(talk.trips.high(talk.now()), line) << "tick " << tick;
                    ASSERT_GE(talk.trips.low(), line) << "tick " << tick;
                }
                const auto asked = static_cast<double>(a_tick) * to_milliseconds(line) / 50;
                EXPECT_LE(most_behind, 2 + asked / 5) << "of " << asked << " under way";
            }
        }
    }
}

TEST(RoundTrips, KeepTheRarerKindsAmongAFloodOfOne) {
    RoundTrips trips;
    trips.sent(Kind::keep_alive, 77, 1s);
    trips.sent(Kind::teleport, 5, 1s);
    for (int id = 0; id < 500; ++id) trips.sent(Kind::ping, id, 1s);
    EXPECT_TRUE(trips.sent_at(Kind::teleport, 5).known);
    EXPECT_TRUE(trips.answered(Kind::keep_alive, 77, 3s, 0).known);
    EXPECT_EQ(trips.high(3s), 2s);
    EXPECT_TRUE(trips.answered(Kind::ping, 0, 3s, 0).known) << "the oldest says how slow it is";
}

}  // namespace
}  // namespace portcullis
