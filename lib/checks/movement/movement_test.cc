// Goal: who moves as a vanilla client lets him is never acted on, on any line;
// who moves as it does not is, soon.
// Method: a walker with vanilla physics in small worlds, his packets as each
// generation of clients sends them; cheats change his physics or his claims.
#include "checks/movement/movement.h"

#include <gtest/gtest.h>

#include "checks/movement/vanilla_test_support.h"

namespace portcullis::checks {
namespace {

using testing::Connection;
using testing::Walker;
using testing::World;

constexpr int32_t versions[] = {47, 340, 754, 765, 769};
constexpr int ticks_of_story = 600;

using Script = std::function<void(Walker&, int tick)>;

struct Story {
    const char* name;
    World world;
    Script script;
    const char* check = nullptr;  ///< What must act; null: nothing may.
    double within_s = 5;          ///< Of the start.
    bool claims_ground = false;   ///< In every packet.
};

double hills(double x) { return 64 + 0.5 * std::floor(std::fmod(std::abs(x), 20) / 4); }

void run(Walker& w, int) { w.forward = 1, w.sprint = true; }
void sprint_jump(Walker& w, int) { w.forward = 1, w.sprint = true, w.jump = true; }

World flat() { return {}; }
World of_slip(double slip) {
    World world;
    world.slip = [slip](double) { return slip; };
    return world;
}
World stripes() {
    World world;
    world.slip = [](double x) { return std::fmod(std::abs(x), 6) < 3 ? 0.98 : 0.6; };
    return world;
}
World stairs() {
    World world;
    world.ground = hills;
    return world;
}
World low_roof(double height, double slip) {
    World world = of_slip(slip);
    world.ceiling = 64 + height;
    return world;
}
World sea() {
    World world;
    world.ground = [](double) { return 50.0; };
    world.water_surface = 63.89;
    return world;
}
World cliffs() {
    World world;
    world.ground = [](double x) { return x < 10 ? 64.0 : 30.0; };
    return world;
}
World iced_cave() {  // Water under a ceiling.
    World world = sea();
    world.ceiling = 63.25;
    return world;
}

/// Spams the key, so that only the roof's height limits the jumps.
void spam_jump(Walker& w, int tick) {
    run(w, tick);
    w.jump = w.on_ground;
    w.jump_delay = 0;
}
void look_round(Walker& w, int tick) {
    w.turns = true;
    w.jump = tick % 50 == 5;
}
void stop_and_go(Walker& w, int tick) {
    w.forward = tick / 7 % 3 - 1;
    w.sprint = tick / 7 % 2 == 0;
    w.jump = tick % 31 == 0;
}
void tread_water(Walker& w, int tick) {
    w.forward = tick / 50 % 2;
    w.jump = true;
}
void tap_in_water(Walker& w, int tick) { w.jump = tick % 3 == 0; }
void fall_off(Walker& w, int) { w.forward = 1; }
void jump_on_spot(Walker& w, int tick) { w.jump = tick % 40 == 5; }

const Story honest[] = {
    {"runs", flat(), run},
    {"sprint-jumps", flat(), sprint_jump},
    {"stops, turns and goes", flat(), stop_and_go},
    {"looks round, and jumps now and then", flat(), look_round},
    {"runs on slime", of_slip(0.8), run},
    {"runs on ice", of_slip(0.98), run},
    {"sprint-jumps on ice", of_slip(0.98), sprint_jump},
    {"sprint-jumps over ice and stone in turn", stripes(), sprint_jump},
    {"sprint-jumps under a low roof", low_roof(2, 0.6), spam_jump},
    {"sprint-jumps on ice under a low roof", low_roof(2, 0.98), spam_jump},
    {"runs over slabs and stairs", stairs(), run},
    {"sprint-jumps over slabs and stairs", stairs(), sprint_jump},
    {"falls off a cliff", cliffs(), fall_off},
    {"jumps on the spot", flat(), jump_on_spot},
    {"treads water", sea(), tread_water},
    {"taps in water", sea(), tap_in_water},
    {"swims against a ceiling", iced_cave(), tread_water},
};

// ---- cheats -----------------------------------------------------------------

template <int Percent>
void fast(Walker& w, int tick) {
    run(w, tick);
    w.gain_factor = Percent / 100.0;
}
void fast_air(Walker& w, int tick) {
    sprint_jump(w, tick);
    if (!w.on_ground) w.vx = 0.5;
}
void hang(Walker& w, int tick) {
    w.jump = tick == 20;
    if (tick > 24) w.vy = 0, w.gravity = 0;
}
void hang_looking_round(Walker& w, int tick) {
    hang(w, tick);
    w.turns = true;
}
void bob(Walker& w, int tick) {
    hang(w, tick);
    if (tick > 24) w.vy = tick % 2 == 0 ? 0.01 : -0.01;
}
void fly_fast(Walker& w, int tick) {
    w.jump = tick == 20;
    if (tick > 24) w.vy = -0.03, w.gravity = 0, w.vx = 0.6, w.at.y = std::max(w.at.y, 66.0);
}
void fly_at_swimming_speed(Walker& w, int tick) {
    fly_fast(w, tick);
    if (tick > 24) w.vx = 0.38;
}
void rise(Walker& w, int tick) {
    w.jump = tick == 20;
    if (tick > 24) w.vy = 0.9, w.gravity = 0;
}
void jump_high(Walker& w, int) {
    w.jump = true;
    w.jump_strength = 0.7;
}
void step_high(Walker& w, int tick) {
    run(w, tick);
    w.step_height = 2;
}
World walls() {
    World world;
    world.ground = [](double x) { return 64 + 1.5 * std::floor(std::max(x, 0.0) / 6); };
    return world;
}

const Story cheats[] = {
    {"runs half as fast again", flat(), fast<150>, "movement.speed"},
    {"runs a third faster", flat(), fast<130>, "movement.speed"},
    {"runs thrice as fast", flat(), fast<300>, "movement.speed", 2},
    {"runs half as fast again on ice", of_slip(0.98), fast<150>, "movement.speed"},
    {"is fast in the air", flat(), fast_air, "movement.speed"},
    {"hangs in the air", flat(), hang, "movement.fly"},
    {"hangs, bobbing a little", flat(), bob, "movement.fly"},
    {"glides fast", flat(), fly_fast, "movement.fly"},
    {"rises for ever", flat(), rise, "movement.fly"},
    {"jumps high", flat(), jump_high, "movement.jump"},
    {"walks up walls", walls(), step_high, "movement.step"},
    {"claims ground while falling", cliffs(), fall_off, "movement.no_fall", 6, true},
};

template <class List>
typename Connection<List>::Acts play(const Story& story, int32_t version,
                                     std::function<Nanos(Nanos)> delay) {
    Connection<List> connection(version);
    connection.delay = std::move(delay);
    Walker walker;
    walker.world = story.world;
    Nanos now = 1s;
    for (int tick = 0; tick < ticks_of_story; ++tick, now += game_tick) {
        // A low frame rate: the client makes four ticks at once.
        const Nanos when = version == 754 ? now / 200ms * 200ms + 200ms : now;
        story.script(walker, tick);
        walker.tick();
        connection.ticks(when, walker, walker.on_ground || story.claims_ground);
    }
    connection.keeps_alive(now);
    return connection.play();
}

TEST(Movement, NeverActsOnWhatAVanillaClientDoes) {
    for (const Story& story : honest) {
        for (const int32_t version : versions) {
            for (const auto& line :
                 {testing::jittered(30ms, 0ms, 1), testing::jittered(60ms, 200ms, 2),
                  testing::stalling(5s, 1200ms)}) {
                const auto acts = play<Movement>(story, version, line);
                EXPECT_EQ(acts.count, 0u)
                    << story.name << ", protocol " << version << ": " << acts.check << " after "
                    << to_seconds(acts.first) << " s";
            }
        }
    }
}

// Any world of slabs, ice, roofs and seas; any keys; now and then a blow.
TEST(Movement, NeverActsOnRandomWalks) {
    for (uint32_t seed = 1; seed <= 400; ++seed) {
        std::mt19937 random(seed);
        const auto below = [&](uint32_t n) { return static_cast<int>(random() % n); };
        const int32_t version = versions[below(5)];
        Connection<Movement> connection(version);
        connection.delay = testing::jittered(Nanos{20ms} * (1 + below(5)), 200ms, seed);
        Walker walker;
        const double slips[] = {0.6, 0.8, 0.98, version >= 393 ? 0.989 : 0.98};
        const double slip = slips[below(4)], other = below(3) == 0 ? slips[below(4)] : slip;
        const int stripe = 4 + below(12), rise = below(3);
        walker.world.slip = [=](double x) {
            return static_cast<int>(std::floor(x)) / stripe % 2 == 0 ? slip : other;
        };
        walker.world.ground = [=](double x) {
            return 64 + 0.5 * rise * (static_cast<int>(std::floor(x)) / 5 % 3);
        };
        if (below(3) == 0 && rise == 0) walker.world.ceiling = 64 + 1.8125 + below(20) / 16.0;
        if (below(4) == 0) walker.world.water_surface = 64 + below(40) / 9.0;
        Nanos now = 1s;
        for (int tick = 0; tick < ticks_of_story; ++tick, now += game_tick) {
            if (tick % (3 + below(20)) == 0) {
                walker.forward = below(4) == 0 ? below(3) - 1 : 1;
                walker.sprint = walker.forward == 1 && below(4) != 0;
                walker.jump = below(2) == 0;
            }
            if (below(60) == 0) {
                const double vx = (below(200) - 100) / 100.0, vy = below(100) / 200.0;
                connection.is_told(now, protocol::Velocity{Connection<Movement>::self, vx, vy, 0});
                walker.vx = vx, walker.vy = vy;
            }
            walker.tick();
            connection.ticks(now, walker, walker.on_ground);
        }
        connection.keeps_alive(now);
        const auto acts = connection.play();
        ASSERT_EQ(acts.count, 0u) << "seed " << seed << ", protocol " << version << ": "
                                  << acts.check << " after " << to_seconds(acts.first) << " s";
    }
}

TEST(Movement, ActsOnWhatItCanNotDo) {
    for (const Story& story : cheats) {
        for (const int32_t version : versions) {
            const auto acts = play<Movement>(story, version, testing::jittered(30ms, 50ms, 3));
            EXPECT_GT(acts.count, 0u) << story.name << ", protocol " << version;
            if (acts.count == 0) continue;
            EXPECT_EQ(acts.check, story.check) << story.name << ", protocol " << version;
            EXPECT_LT(to_seconds(acts.first) - 1, story.within_s)
                << story.name << ", protocol " << version;
        }
    }
}

TEST(Movement, FlyTellsAFastGlideOfItself) {
    const Story stories[] = {
        {"glides fast", flat(), fly_fast},
        {"glides a little faster than water lets go", flat(), fly_at_swimming_speed},
    };
    for (const Story& story : stories) {
        for (const int32_t version : versions) {
            const auto acts =
                play<CheckList<Fly>>(story, version, testing::jittered(30ms, 50ms, 3));
            EXPECT_GT(acts.count, 0u) << story.name << ", protocol " << version;
            EXPECT_LT(to_seconds(acts.first), 4) << story.name << ", protocol " << version;
        }
    }
}

// Who looks round says his place as seldom as who does not, but says a look with it.
TEST(Movement, FlyTellsWhoHangsAndLooksRound) {
    const Story story = {"hangs, looking round", flat(), hang_looking_round};
    for (const int32_t version : versions) {
        if (version < 107) continue;
        const auto acts = play<CheckList<Fly>>(story, version, testing::jittered(30ms, 50ms, 3));
        EXPECT_GT(acts.count, 0u) << "protocol " << version;
        EXPECT_LT(to_seconds(acts.first), 6) << "protocol " << version;
    }
}

// A player runs, and the server does something to him after three seconds.
struct Deed {
    const char* name;
    std::function<void(Connection<Movement>&, Nanos)> server;
    Script script;
    bool answers_teleport = false;
};

TEST(Movement, AllowsWhatTheServerDoesToAPlayer) {
    using protocol::Effect;
    constexpr int at = 60;
    const protocol::EntityId self = Connection<Movement>::self;
    const Deed deeds[] = {
        {"knocks him back",
         [&](auto& c, Nanos t) { c.is_told(t, protocol::Velocity{self, 0.9, 0.4, 0}); },
         [](Walker& w, int tick) {
             run(w, tick);
             if (tick == at + 2) w.vx = 0.9, w.vy = 0.4, w.on_ground = false;
         }},
        {"makes him fast, and slow again in his own time",
         [&](auto& c, Nanos t) {
             c.is_told(t, protocol::EffectGiven{self, Effect::speed, 1});
             c.is_told(t + 5s, protocol::EffectTaken{self, Effect::speed});
         },
         [](Walker& w, int tick) {
             run(w, tick);
             w.attribute = tick > at + 1 && tick < at + 110 ? 0.14 : 0.1;
         }},
        {"lets him jump high",
         [&](auto& c, Nanos t) {
             c.is_told(t, protocol::EffectGiven{self, Effect::jump_boost, 2});
         },
         [](Walker& w, int tick) {
             run(w, tick);
             w.jump = tick > at + 2;
             w.jump_strength = tick > at + 2 ? 0.72 : 0.42;
         }},
        {"lets him fly",
         [&](auto& c, Nanos t) {
             c.is_told(t, protocol::AbilitiesSet{false, false, true, false, 0.05f, 0.1f});
         },
         [](Walker& w, int tick) {
             run(w, tick);
             w.jump = tick == at + 3;
             if (tick > at + 8) w.vy = 0, w.gravity = 0, w.vx = 1;
         }},
    };
    for (const Deed& deed : deeds) {
        for (const int32_t version : versions) {
            Connection<Movement> connection(version);
            connection.delay = testing::jittered(40ms, 100ms, 4);
            Walker walker;
            Nanos now = 1s;
            for (int tick = 0; tick < 300; ++tick, now += game_tick) {
                if (tick == at) deed.server(connection, now);
                deed.script(walker, tick);
                walker.tick();
                connection.ticks(now, walker, walker.on_ground);
            }
            connection.keeps_alive(now);
            const auto acts = connection.play();
            EXPECT_EQ(acts.count, 0u) << deed.name << ", protocol " << version << ": " << acts.check
                                      << " after " << to_seconds(acts.first) << " s";
        }
    }
}

}  // namespace
}  // namespace portcullis::checks
