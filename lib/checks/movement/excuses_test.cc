// Goal: what excuses a player holds for whom it is there, and is no way to fly or run for others.
// Method: as in rare_test.cc; honest stories by the game's own rules, and cheats that put on what
// an honest player does.
#include <gtest/gtest.h>

#include "checks/movement/scene_test_support.h"

namespace portcullis::checks {
namespace {

using namespace testing;
using protocol::Attribute;
using protocol::EntityAction;

constexpr int32_t since_1_15 = 573, since_1_21_4 = 769;

void says(Scene& s, EntityAction::Kind kind) { s.wire.says(s.now, EntityAction{self, kind, 0}); }
/// The server's own word for wings, swimming and the like.
void poses(Scene& s, bool gliding, bool swimming = false) {
    s.told(protocol::PoseSet{self, gliding, swimming, false, false, false});
}

// ---- honest -----------------------------------------------------------------

/// A web at his head, water or lava at his feet: what a tick gives is taken in the next.
struct Web {
    double depth = 0, surface = 64.889;
    bool forward = true, lava = false;
    bool (*jumps)(int) = [](int) { return true; };
};
void wades_into_a_web(Scene& s, const Web& web) {
    double y = 64 - web.depth / 2, vx = 0, vy = 0;
    bool ground = web.depth == 0, stuck = false;
    s.put({0, y, 0});
    for (int i = 0; i < 400; ++i) {
        const bool wet = y < web.surface, in_web = i >= 30;
        if (web.jumps(i) && in_web && wet && (!ground || web.surface - y > 0.4)) vy += 0.04;
        if (web.forward) vx += 0.0196;
        double dx = vx, dy = vy;
        if (stuck) dx *= 0.25, dy *= 0.05, vx = vy = 0;
        ground = y + dy <= 64 - web.depth;
        if (ground) dy = 64 - web.depth - y, vy = 0;
        s.move(dx, dy, ground);
        y += dy;
        stuck = in_web && y < 66 && y + 1.8 > 65;
        const double drag = !wet ? 0.91 : web.lava ? 0.5 : 0.8;
        vx *= drag;
        vy = wet ? vy * drag - (web.lava ? 0.02 : 0.005) : (vy - 0.08) * 0.98;
    }
}
bool taps(int tick) { return tick / 15 % 2 == 0; }
bool never(int) { return false; }
void holds_jump_in_a_web_over_water(Scene& s) { wades_into_a_web(s, {}); }
void taps_jump_in_a_web_over_water(Scene& s) { wades_into_a_web(s, {.jumps = taps}); }
void only_jumps_in_a_web_over_water(Scene& s) { wades_into_a_web(s, {.forward = false}); }
void floats_in_a_web_in_deep_water(Scene& s) {
    wades_into_a_web(s, {.depth = 3, .forward = false, .jumps = never});
}
void swims_in_a_web_in_deep_water(Scene& s) { wades_into_a_web(s, {.depth = 3}); }
void burns_in_a_web_over_lava(Scene& s) {
    wades_into_a_web(s, {.depth = 1, .lava = true, .jumps = never});
}

/// Wings as the client moves by them, looking down by ten degrees.
struct Wings {
    double vx = 0.25, vy = 0;
    void glide() {
        constexpr double cos2 = 0.97;
        vy += 0.08 * (-1 + cos2 * 0.75);
        const double gained = vy < 0 ? vy * -0.1 * cos2 : 0;
        vy = (vy + gained) * 0.98;
        vx = (vx + gained) * 0.99;
    }
    void fall() {
        vx = vx * 0.91 + 0.0255;
        vy = (vy - 0.08) * 0.98;
    }
};
/// A plugin denies his wings each time; his client glides until it hears so.
void is_denied_his_wings(Scene& s, int every, int answered_after) {
    s.put({0, 300, 0});
    Wings wings;
    int denied_at = -1;
    for (int i = 0; i < 150; ++i) {
        if (i == denied_at) denied_at = -1;
        if (i > 6 && denied_at < 0 && i % every == 0) {
            says(s, EntityAction::Kind::start_gliding);
            denied_at = i + answered_after;
            s.wire.is_told(s.now + (answered_after - 1) * game_tick - line,
                           protocol::PoseSet{self, false, false, false, false, false});
        }
        denied_at < 0 ? wings.fall() : wings.glide();
        s.move(wings.vx, wings.vy);
    }
}
void is_denied_his_wings_often(Scene& s) { is_denied_his_wings(s, 8, 3); }
void is_denied_his_wings_now_and_then(Scene& s) { is_denied_his_wings(s, 20, 5); }
void is_denied_his_wings_slowly(Scene& s) { is_denied_his_wings(s, 20, 14); }

void spreads_wings_while_the_game_hangs(Scene& s) {
    s.put({0, 300, 0});
    for (int i = 0; i < 60; ++i) {
        if (i % 20 == 0) s.told(protocol::WorldTime{});
        s.move(0.25, 0, true);
    }
    Wings wings;
    says(s, EntityAction::Kind::start_gliding);
    for (int i = 0; i < 160; ++i) {
        // Other threads of the server speak on.
        if (i % 10 == 0) s.told(protocol::Velocity{99, 0, 0, 0});
        wings.glide();
        s.move(wings.vx * (i > 80 ? 2 : 1), i > 100 ? 0.01 : wings.vy);
    }
    s.told(protocol::WorldTime{});
    poses(s, true);
    for (int i = 0; i < 60; ++i) s.move(wings.vx, wings.vy);
    poses(s, false);
}

void waits_in_a_world_without_chunks(Scene& s) {
    s.put({0, -60, 0});
    for (int i = 0; i < 41; ++i) s.move(0, -0.098);
    for (int i = 0; i < 400; ++i) s.move(0, 0);
    s.put({0, -90, 0});
    for (int i = 0; i < 400; ++i) s.move(0, 0);
    s.put({0, 64, 0});
}

void runs_over_ice_and_stone(Scene& s, double attribute, int ice, int stone, double slip) {
    s.told(protocol::AttributeSet{self, Attribute::movement_speed, attribute, false});
    s.ticks(5);
    s.walker.attribute = attribute;
    s.walker.forward = 1, s.walker.sprint = true;
    s.walker.world.slip = [=](double x) {
        return static_cast<int>(std::floor(x)) % (ice + stone) < ice ? slip : 0.6;
    };
    s.ticks(800);
}
void runs_fast_over_ice_and_stone(Scene& s) {
    for (const int stone : {1, 2, 3}) runs_over_ice_and_stone(s, 0.3, 2 * stone, stone, 0.98);
}
void runs_faster_over_ice_and_stone(Scene& s) { runs_over_ice_and_stone(s, 0.5, 12, 6, 0.98); }
void runs_fast_over_blue_ice_and_stone(Scene& s) { runs_over_ice_and_stone(s, 0.3, 4, 2, 0.989); }

/// Presses space in water under a roof, by what the roof lets him be.
void is_pressed_to_a_low_roof(Scene& s, double height, const protocol::PoseSet& pose) {
    s.told(pose);
    for (int i = 0; i < 10; ++i) s.move(0, 0.01);
    s.move(0, 67 - height - s.walker.at.y);
    for (int i = 0; i < 200; ++i) s.move(i / 20 % 2 == 0 ? 0.04 : -0.04, 0);
}
void is_pressed_down_to_a_crouch(Scene& s) {
    is_pressed_to_a_low_roof(s, 1.5, {self, false, false, false, true, false});
}
void is_pressed_down_to_a_crawl(Scene& s) {
    is_pressed_to_a_low_roof(s, 0.6, {self, false, true, false, false, false});
}
void is_thrown_by_the_same_piston_again_and_again(Scene& s) {
    for (int i = 0; i < 12; ++i) {
        s.walker.vy = 1;
        s.walker.on_ground = false;
        s.walker.forward = i % 2 == 0 ? 1 : -1;
        s.ticks(8);
        s.walker.forward = 0;
        s.ticks(24);
    }
}
void throws_himself_by_trident_all_the_time(Scene& s) {
    for (int i = 0; i < 30; ++i) {
        lets_go_of_an_item(s);
        s.told(protocol::PoseSet{self, false, false, true, false, false});
        s.walker.vx = 2.4, s.walker.vy = 0.6;
        s.walker.on_ground = false;
        s.ticks(14);
        poses(s, false);
    }
}
void swims_up_a_wide_column(Scene& s) {
    poses(s, false, true);
    for (int i = 0; i < 40; ++i) s.move(0.2, 0.7);
    s.walker.vy = 0.7;
    poses(s, false);
}

/// A client of 1.21 through ViaVersion on a proxy, on a server of any age.
void swims_and_crawls_through_a_translator(Scene& s) {
    s.wire.is_translated();
    says(s, EntityAction::Kind::start_sprinting);
    for (int i = 0; i < 200; ++i) s.move(0.3, i % 9 == 0 ? 0.001 : 0);
    for (int i = 0; i < 60; ++i) s.move(0.05, 0.55);
    s.move(0, 80.5 - s.walker.at.y);
    for (int i = 0; i < 200; ++i) s.move(i / 20 % 2 == 0 ? 0.04 : -0.04, 0);
    s.move(0, -0.3);
}
void stands_where_he_was_put_while_his_game_waits(Scene& s) {
    s.put({30, 70, 0});
    for (int i = 0; i < 200; ++i) {
        if (i % 20 == 5) s.told(protocol::Velocity{self, 0.05, 0.004, 0});
        s.move(0, 0);
    }
}
void sleeps(Scene& s) {
    s.move(1, 0.6875);
    for (int i = 0; i < 200; ++i) s.move(0, 0);
    says(s, EntityAction::Kind::leave_bed);
    s.put({0, 64, 0});
}
void lies_where_he_fit_in_as_a_swimmer(Scene& s) {
    // 1.13 tells no pose: he stays small where nothing else fits.
    if (s.version >= 477) return;
    s.move(0, 0.4, false);
    for (int i = 0; i < 200; ++i) s.move(i / 20 % 2 == 0 ? 0.04 : -0.04, 0);
}

const Rare honest[] = {
    {"swims and crawls through a translator", since_1_8, swims_and_crawls_through_a_translator},
    {"stands where he was put while his game waits", since_1_8,
     stands_where_he_was_put_while_his_game_waits},
    {"sleeps", since_1_8, sleeps},
    {"lies where he fit in as a swimmer", since_1_9, lies_where_he_fit_in_as_a_swimmer},

    {"holds jump in a web over water", since_1_8, holds_jump_in_a_web_over_water},
    {"taps jump in a web over water", since_1_8, taps_jump_in_a_web_over_water},
    {"only jumps in a web over water", since_1_8, only_jumps_in_a_web_over_water},
    {"floats in a web in deep water", since_1_8, floats_in_a_web_in_deep_water},
    {"swims in a web in deep water", since_1_8, swims_in_a_web_in_deep_water},
    {"burns in a web over lava", since_1_8, burns_in_a_web_over_lava},
    {"is denied his wings often", since_1_15, is_denied_his_wings_often},
    {"is denied his wings now and then", since_1_15, is_denied_his_wings_now_and_then},
    {"is denied his wings slowly", since_1_15, is_denied_his_wings_slowly},
    {"spreads wings while the game hangs", since_1_9, spreads_wings_while_the_game_hangs},
    {"waits in a world without chunks", since_1_21_4, waits_in_a_world_without_chunks},
    {"runs fast over ice and stone", since_1_8, runs_fast_over_ice_and_stone},
    {"runs faster over ice and stone", since_1_8, runs_faster_over_ice_and_stone},
    {"runs fast over blue ice and stone", since_1_13, runs_fast_over_blue_ice_and_stone},
    {"is pressed down to a crouch", since_1_17, is_pressed_down_to_a_crouch},
    {"is pressed down to a crawl", since_1_17, is_pressed_down_to_a_crawl},
    {"is thrown by the same piston again and again", since_1_8,
     is_thrown_by_the_same_piston_again_and_again},
    {"throws himself by trident all the time", since_1_13, throws_himself_by_trident_all_the_time},
    {"swims up a wide column", since_1_13, swims_up_a_wide_column},
};

TEST(Excuses, HoldForWhomTheyAreThere) {
    play_all(honest, [](const std::string& act) { ADD_FAILURE() << act; });
}

// ---- cheats -----------------------------------------------------------------

void flies_and_leaves_a_bed(Scene& s) {
    for (int i = 0; i < 200; ++i) {
        if (i % 2 == 0) says(s, EntityAction::Kind::leave_bed);
        s.move(3, i < 20 ? 1 : 0);
    }
}
void flies_and_asks_to_live_again(Scene& s) {
    for (int i = 0; i < 200; ++i) {
        if (i % 2 == 0) s.wire.says(s.now, protocol::Respawned{});
        s.move(3, i < 20 ? 1 : 0);
    }
}
/// Off an edge, on at the height he had.
void walks_on_air(Scene& s, double height, double speed) {
    s.put({0, height + 0.25, 0});
    s.move(0.2, -0.25, true);
    for (int i = 0; i < 20; ++i) s.move(0.2, 0, true);
    for (int i = 0; i < 160; ++i) s.move(speed, 0);
}
void walks_on_air_at_a_blocks_height(Scene& s) { walks_on_air(s, 80, 0.28); }
void walks_on_air_at_a_slabs_height(Scene& s) { walks_on_air(s, 80.5, 0.28); }
void hangs_at_a_blocks_height(Scene& s) { walks_on_air(s, 80, 0); }
void flies_as_a_sprinter(Scene& s) {
    says(s, EntityAction::Kind::start_sprinting);
    s.put({0, 80.3, 0});
    for (int i = 0; i < 300; ++i) s.move(0.31, 0);
}
void runs_by_claimed_tridents(Scene& s) {
    for (int n = 0; n < 20; ++n) {
        lets_go_of_an_item(s);
        double v = 4.6;
        for (int i = 0; i < 11; ++i, v *= 0.9) s.move(v, 0, true);
    }
}
void leaps_now_and_then(Scene& s) {
    for (int n = 0; n < 6; ++n) {
        s.move(9.5, 0, true);
        for (int i = 0; i < 105; ++i) s.move(0.2, 0, true);
    }
}
void jumps_as_a_piston_throws(Scene& s) {
    s.walker.jump_strength = 1;
    s.walker.forward = 1, s.walker.sprint = true, s.walker.jump = true;
    s.ticks(600);
}
void rises_as_in_a_column_and_along(Scene& s) {
    for (int i = 0; i < 200; ++i) s.move(0.3, 0.84);
}
void flies_while_he_is_struck(Scene& s, int every) {
    s.put({0, 80.3, 0});
    for (int i = 0; i < 200; ++i) {
        if (i % every == 0) s.told(protocol::Velocity{self, 0.4, 0.4, 0});
        s.move(0.28, 0);
    }
}
void flies_while_he_is_struck_each_second(Scene& s) { flies_while_he_is_struck(s, 20); }
void flies_while_he_is_struck_now_and_then(Scene& s) { flies_while_he_is_struck(s, 90); }
void flies_by_claims_of_wings(Scene& s) {
    for (int i = 0; i < 240; ++i) {
        if (i % 59 == 0) {
            says(s, EntityAction::Kind::start_gliding);
            poses(s, false);
        }
        s.move(4, i % 59 < 30 ? 1 : 0);
    }
}
void hovers_by_claims_of_wings(Scene& s) {
    s.put({0, 80.3, 0});
    for (int i = 0; i < 300; ++i) {
        if (i % 10 == 0) {
            says(s, EntityAction::Kind::start_gliding);
            poses(s, false);
        }
        s.move(0.3, i % 2 == 0 ? -0.01 : 0.01);
    }
}

struct Cheat {
    Rare story;
    const char* check;
    double within_s;  ///< Of the start, which is 2.5 s before the deed.
};
const Cheat cheats[] = {
    {{"flies and leaves a bed", since_1_8, flies_and_leaves_a_bed}, "movement.speed", 4},
    {{"flies and asks to live again", since_1_8, flies_and_asks_to_live_again},
     "movement.speed",
     4},
    {{"walks on air at a block's height", since_1_8, walks_on_air_at_a_blocks_height},
     "movement.fly",
     6},
    {{"walks on air at a slab's height", since_1_8, walks_on_air_at_a_slabs_height},
     "movement.fly",
     6},
    {{"hangs at a block's height", since_1_8, hangs_at_a_blocks_height}, "movement.fly", 7},
    {{"flies as a sprinter", since_1_8, flies_as_a_sprinter}, "movement.fly", 9},
    {{"runs by claimed tridents", since_1_13, runs_by_claimed_tridents}, "movement.speed", 14},
    {{"leaps now and then", since_1_8, leaps_now_and_then}, "movement.speed", 14},
    {{"jumps as a piston throws", since_1_8, jumps_as_a_piston_throws}, "movement.jump", 20},
    {{"rises as in a column, and along", since_1_13, rises_as_in_a_column_and_along},
     "movement.fly",
     5},
    {{"flies while he is struck each second", since_1_8, flies_while_he_is_struck_each_second},
     "movement.fly",
     6},
    {{"flies while he is struck now and then", since_1_8, flies_while_he_is_struck_now_and_then},
     "movement.fly",
     6},
    {{"flies by claims of wings", since_1_9, flies_by_claims_of_wings}, "movement.fly", 7},
    {{"hovers by claims of wings", since_1_9, hovers_by_claims_of_wings}, "movement.fly", 8},
};

TEST(Excuses, AreNoWayToCheat) {
    for (const Cheat& cheat : cheats) {
        for (const int32_t version : versions) {
            if (version < cheat.story.since) continue;
            Scene scene(version);
            scene.ticks(30);
            cheat.story.happens(scene);
            const auto acts = scene.play();
            EXPECT_GT(acts.count, 0u) << cheat.story.name << ", protocol " << version;
            if (acts.count == 0) continue;
            EXPECT_EQ(acts.check, cheat.check) << cheat.story.name << ", protocol " << version;
            EXPECT_LT(to_seconds(acts.first), cheat.within_s)
                << cheat.story.name << ", protocol " << version;
        }
    }
}

}  // namespace
}  // namespace portcullis::checks
