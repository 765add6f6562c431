// Goal: what newer things in the game do to those who use them is never acted on: snow, scaffolds,
// honey, charges of wind, maces, spears, wings, tridents, beasts to ride, shulkers.
// Method: as in rare_test.cc; each story moves a player by the game's own rules for that moment.
#include <gtest/gtest.h>

#include "checks/movement/scene_test_support.h"

namespace portcullis::checks {
namespace {

using namespace testing;
using protocol::Attribute;
using protocol::Effect;
using protocol::EntityAction;

constexpr double one_tick_of_gravity = 0.08 * 0.98;

void says(Scene& s, EntityAction::Kind kind) { s.wire.says(s.now, EntityAction{self, kind, 0}); }
void spreads_wings(Scene& s) {
    says(s, EntityAction::Kind::start_gliding);
    s.told(protocol::PoseSet{self, true, false, false, false, false});
}
void folds_wings(Scene& s) { s.told(protocol::PoseSet{self, false, false, false, false, false}); }
/// Falls by gravity from where he is with what speed he has, until 64.
void falls_to_ground(Scene& s, double vy = 0, double vx = 0) {
    while (true) {
        const bool lands = s.walker.at.y + vy <= 64;
        s.move(vx, lands ? 64 - s.walker.at.y : vy, lands);
        if (lands) return;
        vy = (vy - 0.08) * 0.98;
        vx *= 0.91;
    }
}

void sinks_in_powder_snow_and_climbs_out(Scene& s) {
    // Slowed to 0.9 sideways and hastened to 1.5 downward; in boots of leather one climbs.
    for (int i = 0; i < 40; ++i) s.move(0.02, -one_tick_of_gravity * 1.5);
    for (int i = 0; i < 60; ++i) s.move(0.01, (0.2 - 0.08) * 0.98 * 1.5);
    for (int i = 0; i < 20; ++i) s.move(0.02, -one_tick_of_gravity * 1.5);
}
void goes_down_and_up_a_scaffold(Scene& s) {
    for (int i = 0; i < 100; ++i) s.move(0, -0.15);
    for (int i = 0; i < 100; ++i) s.move(0, (0.2 - 0.08) * 0.98);
}
void hangs_in_a_web_with_little_gravity(Scene& s) {
    s.told(protocol::AttributeSet{self, Attribute::gravity, 0.03, false});
    for (int i = 0; i < 30; ++i) s.move(0, -0.001);
    for (int i = 0; i < 120; ++i) s.move(0, -0.03 * 0.98 * 0.05);
}
void creeps_through_berries(Scene& s) {
    for (int i = 0; i < 80; ++i) s.move(0.05, -one_tick_of_gravity * 0.75);
}
void slides_down_honey(Scene& s) {
    s.walker.at.y = 120;
    s.put(s.walker.at);
    s.ticks(3);
    for (int i = 0; i < 200; ++i) s.move(i % 2 == 0 ? 0.02 : -0.02, (-0.05 - 0.08) * 0.98);
}
void leaps_with_charges_of_wind(Scene& s) {
    for (int i = 0; i < 12; ++i) {
        s.told(protocol::Exploded{0.2, 1.1, -0.3});
        s.walker.vx += 0.5, s.walker.vy = std::max(s.walker.vy, 0.0) + 1.1;
        s.walker.on_ground = false;
        s.ticks(i % 3 == 0 ? 6 : 40);
    }
}
void smashes_with_a_mace_again_and_again(Scene& s) {
    s.walker.at.y = 100;
    s.put(s.walker.at);
    for (int i = 0; i < 10; ++i) {
        s.ticks(12);
        // The blow stops his fall; the burst of wind throws him up anew.
        s.told(protocol::Velocity{self, 0, 0.01, 0});
        s.walker.vy = 0.01;
        s.tick();
        s.told(protocol::Exploded{0, 1.2, 0});
        s.walker.vy += 1.2;
        s.walker.on_ground = false;
        s.ticks(20);
    }
}
void lunges_with_a_spear(Scene& s) {
    s.walker.forward = 1, s.walker.sprint = true;
    for (int i = 0; i < 10; ++i) {
        s.told(protocol::Velocity{self, 1.4, 0.1, 0.3});
        s.walker.vx = std::hypot(1.4, 0.3), s.walker.vy = 0.1;
        s.walker.on_ground = false;
        s.ticks(30);
    }
}
void bounces_along_on_wings(Scene& s) {
    // Lands gliding and spreads the wings again in the next tick, keeping his speed.
    double v = 1.2;
    for (int hop = 0; hop < 8; ++hop) {
        s.move(v, 0.42);
        spreads_wings(s);
        for (int i = 0; i < 10; ++i) s.move(v, 0.42 - 0.08 * (i + 1));
        s.move(v, 64 - s.walker.at.y, true);
        v *= 0.98;
    }
    folds_wings(s);
    s.walker.vx = v;
    s.ticks(100);
}
void uses_what_both_hands_hold_while_he_jumps(Scene& s) {
    if (s.version > since_1_20_5) return;  // Later ones say no place before it.
    s.walker.jump = true;
    for (int i = 0; i < 200; ++i) {
        protocol::Move again;
        again.has_position = again.has_rotation = true;
        again.position = s.walker.at;
        again.on_ground = s.walker.on_ground;
        for (int hand = 0; hand < 2; ++hand) {
            s.wire.says(s.now, again);
            s.wire.says(s.now, protocol::UseItem{});
        }
        s.tick();
    }
}
void throws_himself_through_the_rain(Scene& s) {
    for (int i = 0; i < 8; ++i) {
        lets_go_of_an_item(s);
        s.told(protocol::PoseSet{self, false, false, true, false, false});
        s.walker.vx = 2.4, s.walker.vy = 1.6;
        s.walker.on_ground = false;
        s.ticks(20);
        s.told(protocol::PoseSet{self, false, false, false, false, false});
        s.ticks(25);
    }
}
void throws_himself_with_a_trident_of_level_five(Scene& s) {
    s.walker.forward = 1;
    for (int i = 0; i < 3; ++i) {
        s.ticks(20);
        lets_go_of_an_item(s);
        s.walker.at.y += 1.2;
        s.walker.vx += 4.5, s.walker.vy = 0.3;
        s.walker.on_ground = false;
        s.ticks(60);
    }
}
/// As servers answer to who sprints under water.
void is_told_that_he_swims(Scene& s) {
    s.told(protocol::PoseSet{self, false, true, false, false, false});
}
/// Swims on at `vx` and `vy`: water takes a tenth of the one and a fifth of the other.
void swims_on(Scene& s, double vx, double vy, int ticks) {
    for (int i = 0; i < ticks; ++i, vx *= 0.9, vy *= 0.8) {
        vx += 0.0196;
        s.move(vx, vy);
    }
}
void throws_himself_along_under_water(Scene& s) {
    says(s, EntityAction::Kind::start_sprinting);
    is_told_that_he_swims(s);
    swims_on(s, 0, -0.03, 30);
    for (int i = 0; i < 8; ++i) {
        lets_go_of_an_item(s);
        swims_on(s, 3, 0, 12);
    }
    swims_on(s, 0.8, 0, 60);
}
void is_pushed_along_under_water(Scene& s) {
    says(s, EntityAction::Kind::start_sprinting);
    is_told_that_he_swims(s);
    swims_on(s, 0, -0.03, 30);
    for (int i = 0; i < 4; ++i) {
        s.told(protocol::Velocity{self, 1.4, 0.3, 0});
        swims_on(s, 1.4, 0.3, 60);
    }
}
void swims_downstream_along_the_bottom(Scene& s) {
    says(s, EntityAction::Kind::start_sprinting);
    is_told_that_he_swims(s);
    double v = 0;
    for (int i = 0; i < 400; ++i, v *= 0.9) {
        v += 0.0196 + 0.014;
        s.move(v, 0, true);
    }
}
void flies_by_trident_and_wings(Scene& s) {
    s.walker.at.y = 150;
    s.put(s.walker.at);
    s.ticks(5);
    spreads_wings(s);
    for (int i = 0; i < 5; ++i) {
        lets_go_of_an_item(s);
        for (double v = 3.4; v > 1.2; v *= 0.985) s.move(v, 0.1);
    }
    folds_wings(s);
    falls_to_ground(s, -0.5, 1.2);
    s.walker.vx = 0.4;
}
void rides_a_ghast_and_gets_off_in_the_air(Scene& s) {
    s.told(protocol::Mounted{55, self});
    for (int i = 0; i < 120; ++i) {
        protocol::Move look;
        look.has_rotation = true;
        look.rotation.yaw = static_cast<float>(i);
        s.wire.says(s.now, look);
        s.now += game_tick;
    }
    s.told(protocol::Mounted{55, -1});
    s.put({80, 110, 0});
    falls_to_ground(s);
}
void stands_on_a_ghast_that_stops(Scene& s) {
    // Its back holds him at whatever height it floats.
    s.told(protocol::EntitySpawned{56, false, 3, {0, 63.7137, 0}});
    for (int i = 0; i < 100; ++i) s.move(i % 2 == 0 ? 0.08 : -0.08, 0, true);
}
void loses_his_boat(Scene& s) {
    for (int n = 0; n < 5; ++n) {
        s.told(protocol::Mounted{60 + n, self});
        for (int i = 0; i < 20; ++i) {
            protocol::Move look;
            look.has_rotation = true;
            s.wire.says(s.now, look);
            s.now += game_tick;
        }
        s.told(protocol::Mounted{60 + n, -1});
        s.put({20.0 * n, 64.5625, 0});
        falls_to_ground(s);
        s.walker.forward = 1;
        s.ticks(20);
    }
}
void stands_on_an_opening_shulker(Scene& s) {
    for (int n = 0; n < 10; ++n) {
        for (int i = 0; i < 10; ++i) s.move(0, 0.05, true);
        for (int i = 0; i < 10; ++i) s.move(0, 0, true);
        falls_to_ground(s, -one_tick_of_gravity);
        s.ticks(5);
    }
}
void is_pushed_aside_by_a_piston(Scene& s) {
    for (int n = 0; n < 15; ++n) {
        s.move(0.51, 0, true);
        s.move(0.49, 0, true);
        s.ticks(20);
    }
}
void climbs_stairs_with_potions(Scene& s) {
    s.told(protocol::EffectGiven{self, Effect::speed, 2});
    s.told(protocol::AttributeSet{self, Attribute::movement_speed, 0.16, false});
    s.told(protocol::EffectGiven{self, Effect::jump_boost, 1});
    s.ticks(8);
    s.walker.attribute = 0.16;
    s.walker.jump_strength = 0.62;
    s.walker.world.ground = [](double x) {
        return 64 + std::floor(std::max(0.0, x) * 2) / 2 * 0.5;
    };
    s.walker.forward = 1, s.walker.sprint = true;
    for (int i = 0; i < 200; ++i) {
        s.walker.jump = i % 11 < 3;
        s.tick();
    }
    s.walker.world.ground = [y = s.walker.at.y](double) { return y; };
    s.ticks(20);
}
void jumps_with_the_highest_boost(Scene& s) {
    s.told(protocol::EffectGiven{self, Effect::jump_boost, 255});
    s.walker.forward = 1;
    s.ticks(30);
    s.walker.jump_strength = 0.42 + 0.1 * 256;
    s.walker.jump = true;
    s.ticks(200);
}
void is_resized(Scene& s) {
    for (const double scale : {0.5, 3.0, 1.0}) {
        s.told(protocol::AttributeSet{self, Attribute::scale, scale, false});
        s.told(protocol::AttributeSet{self, Attribute::step_height, 0.6 * scale, false});
        s.told(protocol::AttributeSet{self, Attribute::jump_strength, 0.42 * scale, false});
        s.ticks(10);
        s.walker.jump_strength = 0.42 * scale;
        s.walker.step_height = 0.6 * scale;
        s.walker.forward = 1, s.walker.jump = true;
        s.ticks(80);
        s.walker.jump = false;
        s.ticks(40);
    }
}
void is_let_fly_and_stopped_in_the_air(Scene& s) {
    protocol::AbilitiesSet may{};
    may.may_fly = true;
    may.fly_speed = 0.2f;
    may.walk_speed = 0.1f;
    s.told(may);
    s.ticks(10);
    for (int i = 0; i < 60; ++i) s.move(1.6, 0.4);
    protocol::AbilitiesSet not_any_more{};
    not_any_more.fly_speed = 0.05f;
    not_any_more.walk_speed = 0.1f;
    s.told(not_any_more);
    s.now += 2 * line;
    s.walker.vx = 1.6, s.walker.vy = 0;
    s.walker.on_ground = false;
    s.ticks(160);
}
void is_pulled_back_by_a_plugin(Scene& s) {
    s.walker.forward = 1, s.walker.sprint = true, s.walker.jump = true;
    for (int i = 0; i < 40; ++i) {
        const protocol::Position was = s.walker.at;
        s.ticks(7);
        s.put({was.x, 64, was.z});
    }
}
void meets_a_server_that_stands_still(Scene& s) {
    // What it says for seven seconds comes at once: blows, places, potions.
    s.walker.forward = 1, s.walker.sprint = true;
    for (int round = 0; round < 4; ++round) {
        s.ticks(140);
        s.told(protocol::EffectGiven{self, Effect::speed, 1});
        s.told(protocol::EffectTaken{self, Effect::speed});
        for (int i = 0; i < 5; ++i) s.told(protocol::Velocity{self, -0.3, 0.36, 0.2});
        s.walker.vx = std::hypot(0.3, 0.2), s.walker.vy = 0.36;
        s.walker.on_ground = false;
        s.ticks(20);
        s.put({5.0 * round, 64, 0});
    }
}
/// What he says waits for the line while blow after blow is on its way to him.
void is_beaten_while_his_line_stalls(Scene& s, Nanos stall, double (*strength)(int)) {
    s.wire.delay = stalling(2 * stall, stall);
    s.walker.forward = 1, s.walker.sprint = true;
    for (int blow = 0; blow < 60; ++blow) {
        const double away = strength(blow);
        s.told(protocol::Velocity{self, away, 0.4, 0});
        s.walker.vx = away, s.walker.vy = 0.4;
        s.walker.on_ground = false;
        s.ticks(10);
    }
}
void is_beaten_evenly_while_his_line_stalls(Scene& s) {
    is_beaten_while_his_line_stalls(s, 2s, [](int) { return 0.7; });
}
void is_beaten_for_long_while_his_line_stalls(Scene& s) {
    is_beaten_while_his_line_stalls(s, 8s, [](int blow) { return 0.5 + 0.05 * (blow % 7); });
}

const Rare stories[] = {
    {"sinks in powder snow and climbs out", since_1_17, sinks_in_powder_snow_and_climbs_out},
    {"goes down and up a scaffold", since_1_13, goes_down_and_up_a_scaffold},
    {"hangs in a web with little gravity", since_1_20_5, hangs_in_a_web_with_little_gravity},
    {"creeps through berries", since_1_13, creeps_through_berries},
    {"slides down honey", since_1_13, slides_down_honey},
    {"leaps with charges of wind", since_1_21, leaps_with_charges_of_wind},
    {"smashes with a mace again and again", since_1_21, smashes_with_a_mace_again_and_again},
    {"lunges with a spear", 774, lunges_with_a_spear},
    {"bounces along on wings", since_1_9, bounces_along_on_wings},
    {"uses what both hands hold while he jumps", since_1_17,
     uses_what_both_hands_hold_while_he_jumps},
    {"throws himself through the rain", since_1_13, throws_himself_through_the_rain},
    {"throws himself with a trident of level five", since_1_13,
     throws_himself_with_a_trident_of_level_five},
    {"throws himself along under water", since_1_13, throws_himself_along_under_water},
    {"is pushed along under water", since_1_13, is_pushed_along_under_water},
    {"swims downstream along the bottom", since_1_13, swims_downstream_along_the_bottom},
    {"flies by trident and wings", since_1_13, flies_by_trident_and_wings},
    {"rides a ghast and gets off in the air", since_1_9, rides_a_ghast_and_gets_off_in_the_air},
    {"stands on a ghast that stops", since_1_9, stands_on_a_ghast_that_stops},
    {"loses his boat", since_1_8, loses_his_boat},
    {"stands on an opening shulker", since_1_9, stands_on_an_opening_shulker},
    {"is pushed aside by a piston", since_1_8, is_pushed_aside_by_a_piston},
    {"climbs stairs with potions", since_1_8, climbs_stairs_with_potions},
    {"jumps with the highest boost", since_1_20_5, jumps_with_the_highest_boost},
    {"is resized", since_1_20_5, is_resized},
    {"is let fly and stopped in the air", since_1_8, is_let_fly_and_stopped_in_the_air},
    {"is pulled back by a plugin", since_1_8, is_pulled_back_by_a_plugin},
    {"meets a server that stands still", since_1_8, meets_a_server_that_stands_still},
    {"is beaten evenly while his line stalls", since_1_8, is_beaten_evenly_while_his_line_stalls},
    {"is beaten for long while his line stalls", since_1_8,
     is_beaten_for_long_while_his_line_stalls},
};

TEST(Items, AreNoCheats) {
    play_all(stories, [](const std::string& act) { ADD_FAILURE() << act; });
}

}  // namespace
}  // namespace portcullis::checks
