// Goal: a client that lives as fast as time is never acted on, whatever its line
// and its machine do; one that lives faster is, before its gain is a second.
// Method: a running walker's ticks on clocks, with freezes, through lines.
#include "checks/timing/timer.h"

#include <gtest/gtest.h>

#include "checks/movement/vanilla_test_support.h"
#include "checks/timing/timing.h"

namespace portcullis::checks {
namespace {

using testing::Connection;
using testing::Walker;
using Acts = Connection<Timing>::Acts;
using Line = std::function<Nanos(Nanos)>;

constexpr int32_t versions[] = {47, 340, 754, 765, 769};
constexpr Nanos story_length = 120s;

struct Machine {
    double clock = 1;            ///< How fast it lives.
    Nanos freeze_every{0};       ///< It hangs from time to time,
    Nanos freeze{0};             ///< so long, then makes up for ten ticks.
    int ticks_at_once = 1;       ///< Low frame rate.
    int stands_every_ticks = 0;  ///< He stops moving for as many ticks, then goes on.
};

protocol::Move looking(double yaw) {
    protocol::Move move;
    move.has_rotation = true;
    move.rotation.yaw = static_cast<float>(yaw);
    return move;
}
protocol::Move looking_at(const protocol::Position& place, double yaw) {
    protocol::Move move = looking(yaw);
    move.has_position = true;
    move.position = place;
    return move;
}

Acts live(const Machine& machine, const Line& line, int32_t version, Nanos cheat_at = story_length,
          double cheat_clock = 1) {
    Connection<Timing> connection(version);
    connection.delay = line;
    Walker walker;
    walker.sprint = true;
    Nanos due = 1s;  // When the next tick should be, by the client's clock.
    int tick = 0;
    while (due < story_length) {
        Nanos now = due;
        if (machine.freeze > Nanos{0} && due % machine.freeze_every < machine.freeze) {
            now = due - due % machine.freeze_every + machine.freeze;
            due = std::max(due, now - 10 * game_tick);  // The rest is forgotten.
        }
        const int at_once = machine.ticks_at_once;
        now = std::max(
            now, due / (at_once * game_tick) * (at_once * game_tick) + (at_once - 1) * game_tick);
        walker.forward = machine.stands_every_ticks > 0 && tick / machine.stands_every_ticks % 2;
        if (machine.stands_every_ticks == 0) walker.forward = 1;
        walker.tick();
        connection.ticks(now, walker, walker.on_ground);
        ++tick;
        const double clock = due >= cheat_at ? cheat_clock : machine.clock;
        due += Nanos(static_cast<int64_t>(5e7 / clock));
    }
    connection.keeps_alive(story_length);
    return connection.play();
}

const std::pair<const char*, Line> lines[] = {
    {"clean", testing::jittered(20ms, 0ms, 1)},
    {"jitter of 100 ms", testing::jittered(60ms, 100ms, 2)},
    {"jitter of 400 ms", testing::jittered(100ms, 400ms, 3)},
    {"stalls of 1.2 s", testing::stalling(10s, 1200ms)},
    {"stalls of 5 s", testing::stalling(17s, 5s)},
    {"a buffer that fills for 20 s and drains in 1 s",
     [](Nanos when) {
         const Nanos phase = when % Nanos{21s};
         return phase < 20s ? 20ms + phase / 20 : 20ms + (21s - phase);
     }},
    {"a way that is long at first and short later",
     [](Nanos when) { return when < 60s ? Nanos{400ms} : Nanos{20ms}; }},
};
const std::pair<const char*, Machine> machines[] = {
    {"exact", {}},
    {"a clock half a per cent fast", {.clock = 1.005}},
    {"a clock half a per cent slow", {.clock = 0.995}},
    {"hangs for 3 s now and then", {.freeze_every = 13s, .freeze = 3s}},
    {"hangs for half a second often", {.freeze_every = 2s, .freeze = 500ms}},
    {"five frames a second", {.ticks_at_once = 4}},
    {"two frames a second, fast clock", {.clock = 1.005, .ticks_at_once = 10}},
    {"stands and goes", {.stands_every_ticks = 37}},
    {"stands long", {.clock = 1.005, .stands_every_ticks = 333}},
};

TEST(Timer, NeverActsOnTime) {
    for (const auto& [line_name, line] : lines) {
        for (const auto& [machine_name, machine] : machines) {
            for (const int32_t version : versions) {
                const Acts acts = live(machine, line, version);
                EXPECT_EQ(acts.count, 0u) << line_name << ", " << machine_name << ", protocol "
                                          << version << ", at " << to_seconds(acts.first) << " s";
            }
        }
    }
}

// A server of 1.8 behind a translator gives all its teleports one id.
TEST(Timer, NeverActsOnHimWhomStormsOfTeleportsOfOneIdMeetOnABadLine) {
    for (const int32_t version : versions) {
        for (const Nanos stall : {2s, 4s, 6s, 9s}) {
            Connection<Timing> connection(version);
            connection.delay = testing::stalling(13s, stall);
            Walker walker;
            walker.forward = 1;
            for (Nanos now = 1s; now < story_length; now += game_tick) {
                if (now % 2s == Nanos{}) {
                    protocol::Teleported to{};
                    to.has_id = version >= 107;
                    for (int i = 0; i < 8; ++i) {
                        to.position = walker.at = {walker.at.x + 3, 64, 0};
                        connection.is_told(now - 60ms, to);
                        connection.answers_teleport(now, 0, walker.at);
                    }
                }
                walker.tick();
                connection.ticks(now, walker, walker.on_ground);
            }
            connection.keeps_alive(story_length);
            const Acts acts = connection.play();
            EXPECT_EQ(acts.count, 0u)
                << "protocol " << version << ", stalls of " << to_seconds(stall)
                << " s: " << acts.check << " after " << to_seconds(acts.first) << " s";
        }
    }
}

TEST(Timer, ActsOnWhoLivesFaster) {
    struct Case {
        double clock;
        double within_s;
    };
    for (const Case& c : {Case{2.0, 1.5}, Case{1.2, 5}, Case{1.1, 9}, Case{1.05, 20}}) {
        for (const int32_t version : versions) {
            constexpr Nanos start = 30s;
            const Acts acts = live({}, testing::jittered(40ms, 40ms, 5), version, start, c.clock);
            ASSERT_GT(acts.count, 0u) << "x" << c.clock << ", protocol " << version;
            EXPECT_GE(acts.first, start);
            EXPECT_LT(to_seconds(acts.first - start), c.within_s)
                << "x" << c.clock << ", protocol " << version;
        }
    }
}

// Protocols 755 to 766 say place and look once more before each use of an item.
constexpr int32_t repeating_versions[] = {755, 757, 765, 766};

/// What `tick` says in each tick of a minute, on an even line.
using Tick = std::function<void(Connection<Timing>&, Nanos now, int tick)>;
Acts tell(int32_t version, bool rides, const Tick& tick) {
    Connection<Timing> connection(version);
    connection.says(900ms, looking_at({0.5, 64, 0.5}, 0));
    if (rides) connection.is_told(940ms, protocol::Mounted{55, Connection<Timing>::self});
    int n = 0;
    for (Nanos now = 1s; now < 61s; now += game_tick) tick(connection, now, n++);
    connection.keeps_alive(61s);
    return connection.play();
}
void uses_item(Connection<Timing>& connection, Nanos now, const protocol::Move& repeat) {
    connection.says(now, repeat);
    connection.says(now, protocol::UseItem{});
}

TEST(Timer, ForgivesARiderWhoUsesItems) {
    for (const int32_t version : repeating_versions) {
        const Acts acts = tell(version, true, [](auto& connection, Nanos now, int n) {
            const protocol::Move seat = looking_at({0.2 * n, 66.2, 0.5}, n);
            if (n % 4 == 0) uses_item(connection, now, seat);
            connection.says(now, looking(n));
        });
        EXPECT_EQ(acts.count, 0u) << "protocol " << version << ", at " << to_seconds(acts.first);
    }
}

TEST(Timer, ForgivesWhoStopsAndUsesItems) {
    for (const int32_t version : repeating_versions) {
        const double untold = version < 758 ? 0.02 : 1.5e-4;
        const Acts acts = tell(version, false, [&](auto& connection, Nanos now, int n) {
            const double x = 0.5 + n / 10 % 2;
            if (n % 10 == 0) return connection.says(now, looking_at({x, 64, 0.5}, n));
            // Still slides a little, and says so only with what he uses.
            if (n % 10 == 5) uses_item(connection, now, looking_at({x + untold, 64, 0.5}, n));
            connection.says(now, looking(n));
        });
        EXPECT_EQ(acts.count, 0u) << "protocol " << version << ", at " << to_seconds(acts.first);
    }
}

TEST(Timer, ForgivesWhoStandsAndLooksRoundNowAndThen) {
    for (const int32_t version : repeating_versions) {
        const Acts acts = tell(version, false, [](auto& connection, Nanos now, int n) {
            // The answer to a keep-alive comes between the two.
            if (n % 20 == 10) connection.says(now, looking_at({0.5, 64, 0.5}, n));
            if (n % 20 == 11) connection.says(now, looking(n));
        });
        EXPECT_EQ(acts.count, 0u) << "protocol " << version << ", at " << to_seconds(acts.first);
    }
}

// ViaVersion on a proxy: the client repeats, or the proxy does for him, whatever version
// the wire shows.
TEST(Timer, ForgivesUsesOfItemsThroughATranslator) {
    for (const int32_t version : {47, 340, 498, 754, 765, 767, 769}) {
        for (const int uses_each : {1, 4}) {
            Connection<Timing> connection(version);
            connection.is_translated();
            connection.says(900ms, looking_at({0.5, 64, 0.5}, 0));
            for (int n = 0; n < 1200; ++n) {
                const Nanos now = 1s + n * game_tick;
                if (n % uses_each == 0) {
                    uses_item(connection, now, looking_at({0.2 * n, 64, 0.5}, n));
                }
                connection.says(now, looking_at({0.2 * (n + 1), 64, 0.5}, n));
                if (version >= 768) connection.says(now, protocol::TickEnded{});
            }
            connection.keeps_alive(61s);
            const Acts acts = connection.play();
            EXPECT_EQ(acts.count, 0u)
                << "protocol " << version << ", at " << to_seconds(acts.first);
        }
    }
}

/// A client of 1.9 or newer through ViaVersion on a proxy to a server of 1.8: whenever nothing
/// came for a tick of the proxy's clock it says that he is there.  `arrives` says when
/// comes what the client said at a time.
Acts through_idle_proxy(const std::function<Nanos(Nanos)>& arrives, Nanos tick) {
    Connection<Timing> connection(47);
    connection.is_translated();
    connection.delay = [](Nanos) { return Nanos{}; };
    connection.says(1s, looking_at({0, 64, 0}, 0));
    Nanos idle_at = 1s + game_tick;
    for (int n = 1; n < 600; ++n) {
        const Nanos now = arrives(1s + n * tick);
        for (; idle_at < now; idle_at += game_tick) connection.says(idle_at, protocol::Move{});
        protocol::Move move;
        move.has_position = true;
        move.position = {0.2 * n, 64, 0};
        connection.says(now, move);
        idle_at = std::max(idle_at + game_tick, now - 1s);
    }
    for (int64_t id = 0; id < 6; ++id) {
        const Nanos asked = 500ms + id * Nanos{4s};
        connection.is_told(asked, protocol::KeepAliveSent{id});
        connection.says(arrives(asked + 30ms), protocol::KeepAliveAnswered{id});
    }
    return connection.play();
}

TEST(Timer, LetsTheProxysIdlePacketsBe) {
    for (const Nanos stall : {0ms, 300ms, 800ms, 1500ms, 3000ms, 5000ms}) {
        const Acts acts = through_idle_proxy(
            [&](Nanos said) {
                const bool stalled = said >= 10s && said < 10s + stall;
                return stalled ? 10s + stall : said;
            },
            game_tick);
        EXPECT_EQ(acts.count, 0u) << "a stall of " << to_seconds(stall) << " s, at "
                                  << to_seconds(acts.first);
    }
}

TEST(Timer, ActsOnWhoMovesFasterThroughATranslator) {
    const Acts acts = through_idle_proxy([](Nanos said) { return said; }, 40ms);
    EXPECT_GT(acts.count, 0u);
}

// A client of 1.21.2 or newer says when its tick ends, and moves once in each.
TEST(Timer, ActsOnWhoMovesSeveralTimesATick) {
    enum class Says { each_tick, once, never };
    for (const int32_t version : {768, 769, 774}) {
        for (const Says ends : {Says::each_tick, Says::once, Says::never}) {
            for (const int moves : {1, 2, 5, 20}) {
                const Acts acts = tell(version, false, [&](auto& connection, Nanos now, int n) {
                    for (int i = 0; i < moves; ++i) {
                        protocol::Move move;
                        move.has_position = true;
                        move.position = {0.2 * (n * moves + i), 64, 0.5};
                        connection.says(now, move);
                    }
                    if (ends == Says::each_tick || (ends == Says::once && n == 2)) {
                        connection.says(now, protocol::TickEnded{});
                    }
                });
                EXPECT_EQ(acts.count > 0, moves > 1)
                    << "protocol " << version << ", " << moves << " moves a tick";
                if (acts.count > 0) {
                    EXPECT_LT(to_seconds(acts.first), 5) << version << ' ' << moves;
                }
            }
        }
    }
}

TEST(Timer, LetsModsTurnTheHeadForAClick) {
    // There and back, and twice in a tick, for a block that shall look another way.
    const Acts acts = tell(769, false, [&](auto& connection, Nanos now, int n) {
        for (int i = 0; i < 4; ++i) connection.says(now, looking(90 * i));
        connection.says(now, looking_at({0.2 * n, 64, 0.5}, n));
        connection.says(now, protocol::TickEnded{});
    });
    EXPECT_EQ(acts.count, 0u) << "at " << to_seconds(acts.first) << " s";
}

TEST(Timer, ActsOnWhoTurnsWithoutEnd) {
    const Acts acts = tell(769, false, [&](auto& connection, Nanos now, int n) {
        for (int i = 0; i < 20; ++i) connection.says(now, looking(18 * i));
        connection.says(now, looking_at({0.2 * n, 64, 0.5}, n));
        connection.says(now, protocol::TickEnded{});
    });
    EXPECT_GT(acts.count, 0u);
}

// What is like a repeat is none if no item is used.
TEST(Timer, ActsOnWhoCallsHisTicksRepeats) {
    for (const int32_t version : repeating_versions) {
        for (const double blocks : {0.0, 0.2}) {
            const Acts acts = tell(version, true, [&](auto& connection, Nanos now, int n) {
                connection.says(now, looking_at({blocks * n, 66.2, 0.5}, n));
                connection.says(now, looking(n));
            });
            EXPECT_GT(acts.count, 0u) << "protocol " << version << ", " << blocks;
        }
    }
}

}  // namespace
}  // namespace portcullis::checks
