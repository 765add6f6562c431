// Goal: what vanilla does seldom, and what servers do to players, is never acted on.
// Method: each story moves a player by the game's own rules for that moment; his packets and the
// server's go through a line of 60 ms each way, for every generation of clients that has it.
#include <gtest/gtest.h>

#include "checks/movement/scene_test_support.h"

namespace portcullis::checks {
namespace {

using namespace testing;
using protocol::Effect;

void several_explosions_at_once(Scene& s) {
    for (int i = 0; i < 6; ++i) s.told(protocol::Exploded{0.5, 0.1, 0});
    s.walker.vx += 3, s.walker.vy += 0.6;
    s.walker.on_ground = false;
    s.ticks(100);
}
void pulled_by_a_fishing_rod(Scene& s) {
    for (int i = 0; i < 4; ++i) {
        s.told(protocol::Pulled{99});
        s.walker.vx += 2.5, s.walker.vy = 1.6;
        s.walker.on_ground = false;
        s.ticks(100);
    }
}
void dolphins_grace_with_depth_strider(Scene& s) {
    s.told(protocol::EffectGiven{self, Effect::dolphins_grace, 0});
    s.wire.says(s.now,
                protocol::EntityAction{self, protocol::EntityAction::Kind::start_sprinting, 0});
    s.told(protocol::PoseSet{self, false, true, false, false, false});
    double v = 0;
    for (int i = 0; i < 200; ++i) {
        v += 0.075 * 0.98;  // 0.02 + (0.13 - 0.02) / 2
        s.move(v, i % 2 == 0 ? 0.001 : -0.001);
        v *= 0.96;
    }
}
void carried_by_a_flying_machine(Scene& s) {
    for (int i = 0; i < 60; ++i) {
        s.move(0.51, 0, true);
        s.move(0.49, 0, true);
        s.ticks(8);
    }
}
void lifted_by_slime_pistons(Scene& s) {
    for (int i = 0; i < 20; ++i) {
        s.move(0, 0.5, true);
        s.move(0, 0.5, true);
        s.move(0, 0, true);
        s.move(0, 0, true);
    }
}
void swims_up_under_a_boat(Scene& s) {
    s.told(protocol::EntitySpawned{55, false, 3, {0.3, 66.137, 0}});
    for (int i = 0; i < 20; ++i) s.move(0, 0.0163);
    for (int i = 0; i < 200; ++i) s.move(i % 2 == 0 ? 0.04 : -0.04, 0);
}
void frozen_by_a_plugin(Scene& s) {
    // Each step of his is answered with a teleport back, on a line of a second.
    const protocol::Position cell = s.walker.at;
    constexpr int under_way = 22;
    s.wire.delay = [](Nanos) { return Nanos{500ms}; };
    for (int i = 0; i < 200; ++i) {
        s.wire.is_told(s.now - 500ms, Scene::teleport(i + 1, cell));
        if (i >= under_way) s.arrive(i + 1 - under_way, cell);
        s.walker.forward = 1;
        s.walker.sprint = true;
        s.tick();
    }
    for (int i = 200 - under_way; i < 200; ++i) s.arrive(i + 1, cell), s.tick();
}
void thrown_by_a_trident(Scene& s) {
    lets_go_of_an_item(s);
    s.move(0, 1.2);
    s.walker.vx = 2.2, s.walker.vy = 2.0;
    s.ticks(120);
}
void levitates(Scene& s) {
    s.told(protocol::EffectGiven{self, Effect::levitation, 2});
    double v = 0;
    for (int i = 0; i < 200; ++i) {
        s.move(0, v);
        v += (0.05 * 3 - v) * 0.2;
        v *= 0.98;
    }
    s.told(protocol::EffectTaken{self, Effect::levitation});
    s.walker.vy = v;
    s.ticks(100);
}
void falls_slowly(Scene& s) {
    s.told(protocol::EffectGiven{self, Effect::slow_falling, 0});
    s.walker.world.ground = [](double) { return 30.0; };
    s.walker.on_ground = false;
    s.walker.gravity = 0.01;
    s.walker.forward = 1;
    s.ticks(300);
}
void rides_a_bubble_column(Scene& s) {
    double v = 0;
    for (int i = 0; i < 80; ++i) v = std::min(0.7, v + 0.06), s.move(0.02, v);
    for (int i = 0; i < 3; ++i) v = std::min(1.8, v + 0.1), s.move(0.02, v);
    s.walker.vy = v;
    s.walker.world.ground = [](double) { return 64.0; };
    s.ticks(100);
}
void flies_with_rockets(Scene& s) {
    s.walker.at.y = 120;
    s.put(s.walker.at);
    s.ticks(10);
    using Kind = protocol::EntityAction::Kind;
    s.wire.says(s.now, protocol::EntityAction{self, Kind::start_gliding, 0});
    s.told(protocol::PoseSet{self, true, false, false, false, false});
    for (int i = 0; i < 200; ++i) s.move(1.65, i % 40 < 20 ? 0.3 : -0.3);
    s.walker.vx = 1.65, s.walker.vy = -0.3;
    s.told(protocol::PoseSet{self, false, false, false, false, false});
    s.ticks(150);  // Falls, lands, slides.
}
void rides_a_boat_on_blue_ice(Scene& s) {
    s.told(protocol::Mounted{55, self});
    for (int i = 0; i < 100; ++i) {
        protocol::Move look;
        look.has_rotation = true;
        s.wire.says(s.now, look);
        s.now += game_tick;
    }
    s.told(protocol::Mounted{55, -1});
    s.put({300, 64, 0});
    s.walker.forward = 1;
    s.ticks(100);
}
void goes_through_gateways(Scene& s) {
    for (int i = 0; i < 5; ++i) {
        s.walker.forward = 1;
        s.ticks(20);
        s.told(protocol::WorldChanged{protocol::GameMode::survival});
        s.put({1000.0 * i, 80, 500});
        s.ticks(30);
    }
}
void wears_a_jetpack(Scene& s) {
    for (int i = 0; i < 100; ++i) {
        s.told(protocol::Velocity{self, 0.4, 0.5, 0});
        s.walker.vx = 0.4, s.walker.vy = 0.5;
        s.walker.on_ground = false;
        s.tick();
    }
    s.ticks(100);
}
void runs_with_soul_speed(Scene& s) {
    s.told(protocol::AttributeSet{self, protocol::Attribute::movement_speed, 0.1 + 0.0615, false});
    s.walker.attribute = 0.1615;
    s.walker.forward = 1, s.walker.sprint = true, s.walker.jump = true;
    s.ticks(200);
}
void bounces_high_on_slime(Scene& s) {
    s.walker.at.y = 90;
    s.put(s.walker.at);
    double v = 0;
    for (int bounce = 0; bounce < 3; ++bounce) {
        bool landed = false;
        while (!landed) {
            v = (v - 0.08) * 0.98;
            landed = s.walker.at.y + v <= 64;
            s.move(0, landed ? 64 - s.walker.at.y : v, landed);
        }
        v = -v;
        for (; v > 0.08; v = (v - 0.08) * 0.98) s.move(0, v);
    }
}
void goes_to_bed_and_back(Scene& s) {
    for (int i = 0; i < 3; ++i) {
        s.move(2.4, 0.6875);
        for (int t = 0; t < 30; ++t) s.move(0, 0);
        using Kind = protocol::EntityAction::Kind;
        s.wire.says(s.now, protocol::EntityAction{self, Kind::leave_bed, 0});
        s.put({s.walker.at.x - 2.4, 64.1, 0});
        s.ticks(100);
    }
}
void plays_the_bedrock_edition(Scene& s) {
    protocol::LoggedIn login{
        "."
        "Steve",
        {}};
    login.uuid = {0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6};
    s.told(login);
    for (int i = 0; i < 200; ++i) s.move(0.5, i % 2 == 0 ? 0.01 : -0.01);
}

const Rare rare[] = {
    {"several explosions at once", since_1_8, several_explosions_at_once},
    {"pulled by a fishing rod", since_1_9, pulled_by_a_fishing_rod},
    {"dolphin's grace with depth strider", since_1_13, dolphins_grace_with_depth_strider},
    {"carried by a flying machine", since_1_8, carried_by_a_flying_machine},
    {"lifted by slime pistons", since_1_8, lifted_by_slime_pistons},
    {"swims up under a boat", since_1_9, swims_up_under_a_boat},
    {"frozen by a plugin", since_1_9, frozen_by_a_plugin},
    {"thrown by a trident", since_1_13, thrown_by_a_trident},
    {"levitates", since_1_9, levitates},
    {"falls slowly", since_1_13, falls_slowly},
    {"rides a bubble column", since_1_13, rides_a_bubble_column},
    {"flies with rockets", since_1_9, flies_with_rockets},
    {"rides a boat on blue ice", since_1_9, rides_a_boat_on_blue_ice},
    {"goes through gateways", since_1_9, goes_through_gateways},
    {"wears a jetpack", since_1_8, wears_a_jetpack},
    {"runs with soul speed", 735, runs_with_soul_speed},
    {"bounces high on slime", since_1_8, bounces_high_on_slime},
    {"goes to bed and back", since_1_9, goes_to_bed_and_back},
    {"plays the Bedrock edition", since_1_8, plays_the_bedrock_edition},
};

TEST(Rare, IsNeverActedOn) {
    play_all(rare, [](const std::string& act) { ADD_FAILURE() << act; });
}

// Who lets go of items all the time is not thrown by a trident each time.
TEST(Rare, ActsOnWhoOnlySaysThatHeLetsGo) {
    struct Case {
        const char* name;
        bool uses;
        double dx, dy;
        const char* check;
    };
    for (const Case& c : {Case{"runs", false, 3, 0, "movement.speed"},
                          Case{"runs, with uses", true, 3, 0, "movement.speed"},
                          Case{"jumps", false, 0, 1.2, "movement.jump"}}) {
        for (const int32_t version : versions) {
            if (version < since_1_13) continue;
            Scene scene(version);
            scene.ticks(30);
            for (int i = 0; i < 200; ++i) {
                if (c.uses) scene.wire.says(scene.now, protocol::UseItem{});
                scene.wire.says(scene.now, let_go);
                if (c.dx > 0) {
                    scene.move(c.dx, 0, true);
                    continue;
                }
                if (i % 50 == 0) {
                    scene.walker.vy = c.dy;
                    scene.walker.on_ground = false;
                }
                scene.tick();
            }
            const auto acts = scene.play();
            EXPECT_GT(acts.count, 0u) << c.name << ", protocol " << version;
            EXPECT_EQ(acts.check, c.check) << c.name << ", protocol " << version;
        }
    }
}

// Who got off his boat is judged again.
TEST(Rare, ActsOnWhoFliesAfterABoat) {
    for (const int32_t version : {340, 754, 769}) {
        Scene scene(version);
        scene.ticks(30);
        rides_a_boat_on_blue_ice(scene);
        scene.ticks(200);
        for (int i = 0; i < 200; ++i) scene.move(0.8, 0);
        EXPECT_GT(scene.play().count, 0u) << "protocol " << version;
    }
}

}  // namespace
}  // namespace portcullis::checks
