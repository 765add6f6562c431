// Goal: each packet's fields arrive in its event, in every layout that the four
// versions of the captures and the newest ones have.
// Method: packets made by hand from the protocol's description, one line each.

#include <random>

#include <gtest/gtest.h>

#include "protocol/minecraft/describe.h"
#include "protocol/minecraft/talk_test_support.h"

namespace portcullis::minecraft {
namespace {

using namespace testing;

int64_t packed(int64_t x, int64_t y, int64_t z) {
    return (x & 0x3ffffff) << 38 | (z & 0x3ffffff) << 12 | (y & 0xfff);
}
int64_t packed_before_477(int64_t x, int64_t y, int64_t z) {
    return (x & 0x3ffffff) << 38 | (y & 0xfff) << 26 | (z & 0x3ffffff);
}
const std::string uuid16(16, '\5');
const std::string sprint_uuid = "\x66\x2a\x6b\x8d\xda\x3e\x4c\x1c\x88\x13\x96\xea\x60\x97\x27\x8d";

struct Case {
    int32_t version;
    Made body;
    std::string heard;
};

void expect_client(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
        Talk talk;
        talk.log_in(c.version);
        EXPECT_EQ(talk.client_says(c.body), c.heard) << c.version << " " << c.heard;
    }
}
void expect_server(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
        Talk talk;
        talk.log_in(c.version);
        EXPECT_EQ(talk.server_says(c.body), c.heard) << c.version << " " << c.heard;
    }
}

TEST(FromTheClient, Movement) {
    expect_client({
        {5, packet(4).f64(1).f64(2).f64(3.62).f64(4).boolean(true), "Move at 1 2 4 ground"},
        {47, packet(3).boolean(true), "Move ground"},
        {47, packet(4).f64(1.5).f64(2).f64(-3).boolean(false), "Move at 1.5 2 -3 air"},
        {47, packet(5).f32(90).f32(-45).boolean(true), "Move looks 90 -45 ground"},
        {754, packet(0x13).f64(1).f64(2).f64(3).f32(4).f32(5).boolean(true),
         "Move at 1 2 3 looks 4 5 ground"},
        {769, packet(0x1c).f64(1).f64(2).f64(3).u8(3), "Move at 1 2 3 ground wall"},
        {769, packet(0x1f).u8(2), "Move air wall"},
        {769, packet(0x0b), "TickEnded"},
        {769, packet(0x29).u8(0b1011111), "PlayerInput 0"},
        {769, packet(0x29).u8(0b0100000), "PlayerInput 1"},
        {754, packet(0x16).f64(9).f64(2).f64(3).f32(4).f32(5), "VehicleMoved 9"},
        {47, packet(0x13).u8(2).f32(0.05f).f32(0.1f), "FlyingClaimed 1"},
        {754, packet(0x1a).u8(0), "FlyingClaimed 0"},
        {765, packet(0).varint(300), "TeleportConfirmed 300"},
    });
}

TEST(FromTheClient, Hands) {
    expect_client({
        {47, packet(2).varint(7).varint(1), "Attack 7"},
        {47, packet(2).varint(7).varint(0), "Interact 7 0 0 0 0"},
        {47, packet(2).varint(7).varint(2).f32(1).f32(2).f32(3), "Interact 7 1 1 2 3"},
        {754, packet(0x0e).varint(7).varint(1).boolean(false), "Attack 7"},
        {754, packet(0x0e).varint(7).varint(2).f32(1).f32(2).f32(3).varint(0).boolean(true),
         "Interact 7 1 1 2 3"},
        {775, packet(1).varint(7), "Attack 7"},
        {47, packet(0x0a), "Swing 0"},
        {765, packet(0x33).varint(1), "Swing 1"},
        {47, packet(7).u8(2).i64(packed_before_477(-5, 60, 7)).u8(1), "Dig 2 -5 60 7 1 0"},
        {754, packet(0x1b).varint(0).i64(packed(-5, -60, 7)).u8(1), "Dig 0 -5 -60 7 1 0"},
        {769, packet(0x27).varint(0).i64(packed(5, 60, 7)).u8(1).varint(9), "Dig 0 5 60 7 1 9"},
        {47, packet(8).i64(packed_before_477(1, 2, 3)).u8(1).i16(-1).u8(8).u8(16).u8(0),
         "Place 1 2 3 1 0.5 1 0 hand 0 0"},
        {47, packet(8).i64(-1).u8(255).i16(-1).u8(0).u8(0).u8(0), "UseItem 0 0"},
        {754,
         packet(0x2e)
             .varint(1)
             .i64(packed(1, 2, 3))
             .varint(4)
             .f32(0.5f)
             .f32(1)
             .f32(0)
             .boolean(false),
         "Place 1 2 3 4 0.5 1 0 hand 1 0"},
        {769,
         packet(0x3c)
             .varint(0)
             .i64(packed(1, 2, 3))
             .varint(4)
             .f32(0.5f)
             .f32(1)
             .f32(0)
             .boolean(false)
             .boolean(false)
             .varint(12),
         "Place 1 2 3 4 0.5 1 0 hand 0 12"},
        {769, packet(0x3d).varint(1).varint(3).f32(0).f32(0), "UseItem 1 3"},
        {754, packet(0x25).i16(8), "SlotSelected 8"},
        {754, packet(0x1c).varint(7).varint(3).varint(0), "EntityAction 7 3 0"},
        {771, packet(0x29).varint(7).varint(1).varint(0), "EntityAction 7 3 0"},
        {47, packet(0x0b).varint(7).varint(6).varint(0), "EntityAction 7 7 0"},
        {47, packet(0x0b).varint(7).varint(99).varint(0), "EntityAction 7 9 0"},
        {754, packet(9).u8(1).i16(36).u8(0).i16(4).varint(0).boolean(false), ""},
    });
}

TEST(FromTheClient, WordsAndAnswers) {
    const std::string chat_tail =
        Made().i64(1).i64(2).boolean(false).varint(0).str() + std::string(3, '\0');
    expect_client({
        {47, packet(1).text("hi"), "Text 0 hi"},
        {754, packet(3).text("/op me"), "Text 1 op me"},
        {765, packet(5).text("hi").raw(chat_tail), "Text 0 hi"},
        {769, packet(5).text("op me"), "Text 1 op me"},
        {47, packet(0x17).text("MC|Brand").text("vanilla"),
         "PluginMessage MC|Brand 8; Text 6 vanilla"},
        {754, packet(0x0b).text("x:y").raw("zz"), "PluginMessage x:y 2; Text 7 zz"},
        {754, packet(0x2b).i64(packed(1, 2, 3)).text("a").text("").text("").text("d"),
         "Text 3 a; Text 3 d"},
        {765, packet(0x11).varint(0).varint(2).text("one").text("two").boolean(true).text("T"),
         "Text 4 one; Text 4 two; Text 4 T"},
        {765, packet(0x27).text("sword"), "Text 5 sword"},
        {765, packet(0x0a).varint(3).text("/gi"), "Text 2 /gi"},
        {47, packet(0).varint(-5), "KeepAliveAnswered -5"},
        {754, packet(0x10).i64(1LL << 40), "KeepAliveAnswered 1099511627776"},
        {754, packet(7).u8(0).i16(-3).boolean(true), "PingAnswered -3"},
        {765, packet(0x24).i32(12), "PingAnswered 12"},
    });
}

// What a server takes for no item is one with a negative number, or none of it.
TEST(FromTheClient, ItemsThatAreNone) {
    expect_client({
        {5, packet(8).i32(1).u8(2).i32(3).u8(1).i16(-2).u8(8).u8(16).u8(0),
         "Place 1 2 3 1 0.5 1 0 hand 0 0"},
        {47, packet(8).i64(packed_before_477(1, 2, 3)).u8(1).i16(-2).u8(8).u8(16).u8(0),
         "Place 1 2 3 1 0.5 1 0 hand 0 0"},
        {47, packet(0x0e).u8(1).i16(36).u8(0).i16(4).u8(0).i16(-300), ""},
        {340, packet(0x1b).i16(5).i16(-32768), ""},
        {401, packet(0x24).i16(5).i16(-2), ""},
        {767, packet(0x32).i16(5).varint(-1), ""},
        {769, packet(0x36).i16(5).varint(-7), ""},
        {775, packet(0x38).i16(5).varint(-7), ""},
    });
}

// A boolean is true when it is not zero, as servers read it.
TEST(FromTheClient, BooleansOfAnyByte) {
    const std::string nbt("\x0a\0\0\x08\0\1t\0\3abc\0", 13);
    expect_client({
        {754, packet(0x0c).u8(2).varint(1).u8(1).raw(nbt).u8(2).varint(0), "Text 4 " + nbt},
        {47, packet(3).u8(2), "Move ground"},
    });
}

TEST(FromTheClient, ClicksOfDialogs) {
    const auto click = [](int32_t id, size_t size) {
        const std::string tag = std::string("\x0a\x08\0\4text", 8) +
                                Made().i16(static_cast<int>(size)).str() + std::string(size, 'x') +
                                std::string(1, '\0');
        return packet(id).text("my:form").text(tag);
    };
    for (const size_t size : {size_t{20}, size_t{118}, size_t{200}, size_t{5000}}) {
        Talk talk;
        talk.log_in(771);
        EXPECT_EQ(talk.client_says(click(0x41, size)).size(), 7 + 8 + 2 + size + 1) << size;
    }
    expect_client({
        {771, packet(0x41).text("my:form").varint(1).u8(0), "Text 7 " + std::string(1, '\0')},
        {775, packet(0x44).text("my:form").varint(1).u8(0), "Text 7 " + std::string(1, '\0')},
        {771, packet(0x41).text("my:form").varint(65'537).raw(std::string(65'537, 'x')),
         "Malformed bad_field"},
    });
    Talk configured;
    configured.log_in(771);
    configured.server(configured.framed(packet(0x6f)));
    configured.client(configured.framed(packet(0x0f)));
    ASSERT_EQ(configured.session.half(Direction::to_server).state, State::configuration);
    configured.recorder.heard();
    EXPECT_EQ(configured.client_says(click(8, 200)).size(), 7u + 8 + 2 + 200 + 1);
}

TEST(FromTheClient, SeedsOfStructuresAreLong) {
    const auto structure = [](int32_t id, int64_t seed) {
        Made made = packet(id).i64(0).varint(0).varint(1).text("a:b").raw(std::string(6, '\1'));
        made.varint(0).varint(0).text("").f32(1);
        uint64_t rest = static_cast<uint64_t>(seed);
        for (; rest >= 0x80; rest >>= 7) made.u8(static_cast<int>(rest & 0x7f) | 0x80);
        return made.u8(static_cast<int>(rest)).u8(0);
    };
    for (const int64_t seed : {int64_t{1}, int64_t{1} << 40, int64_t{-5}}) {
        expect_client({{758, structure(0x2a, seed), ""},
                       {759, structure(0x2c, seed), ""},
                       {775, structure(0x3b, seed), ""}});
    }
}

TEST(FromTheServer, ThePlayerHimself) {
    expect_server({
        {47, packet(1).i32(9).u8(1).u8(0).u8(1).u8(20).text("default").boolean(false),
         "Joined 9 1"},
        {47, packet(1).i32(9).u8(8).u8(0).u8(1).u8(20).text("default").boolean(false),
         "Joined 9 0"},
        {5, packet(8).f64(1).f64(65.62).f64(3).f32(0).f32(0).boolean(true),
         "Teleported 00000 1 64 3 0 0 id -1"},
        {47, packet(8).f64(1).f64(64).f64(3).f32(90).f32(0).u8(0b11000),
         "Teleported 00011 1 64 3 90 0 id -1"},
        {754, packet(0x34).f64(1).f64(64).f64(3).f32(90).f32(5).u8(1).varint(77),
         "Teleported 10000 1 64 3 90 5 id 77"},
        {769,
         packet(0x42).varint(77).f64(1).f64(64).f64(3).f64(0).f64(0).f64(0).f32(90).f32(5).i32(2),
         "Teleported 01000 1 64 3 90 5 id 77"},
        {769, packet(0x43).f32(90).f32(5), "RotationSet 00 90 5"},
        {47, packet(0x2b).u8(3).f32(1), "GameModeChanged 1"},
        {47, packet(0x2b).u8(1).f32(1), ""},
        {754, packet(0x30).u8(0b0101).f32(0.05f).f32(0.1f), "AbilitiesSet 1010 0.05 0.1"},
        {754, packet(0x49).f32(19.5f).varint(17).f32(2), "HealthSet 19.5 17"},
        {47, packet(7).i32(-1).u8(2).u8(2).text("default"), "WorldChanged 2"},
        {754, packet(0x3e).varint(8), "CameraSet 8"},
        {754, packet(0x1a).i32(9).u8(31), "Pulled 9"},
        {754, packet(0x1a).i32(9).u8(3), ""},
        {754, packet(0x1f).i64(-2), "KeepAliveSent -2"},
        {754, packet(0x11).u8(0).i16(-3).boolean(false), "PingSent -3"},
        {754, packet(0x11).u8(0).i16(-3).boolean(true), ""},  // The client does not answer.
        {47, packet(0x32).u8(0).i16(-3).boolean(false), "PingSent -3"},
        {47, packet(0x32).u8(0).i16(-3).boolean(true), ""},
        {765, packet(0x33).i32(12), "PingSent 12"},
        {765, packet(0x6e).f32(40).boolean(true), "TickRateSet 40 1"},
        {754, packet(0x4e).i64(4000).i64(600), "WorldTime"},
        {754, packet(0x19).text(R"({"text":"a","extra":[{"text":"b\"c","color":"red"}," d"]})"),
         "Disconnected ab\"c d"},
    });
}

// A server's word on a plugin channel shows that its players' mods may talk to it.
TEST(FromTheServer, ModsItTalksWith) {
    expect_server({
        {5, packet(0x3f).text("FML|HS").i16(1).u8(0), "ServerHasMods"},
        {47, packet(0x3f).text("REGISTER").raw("BungeeCord"), "ServerHasMods"},
        {47, packet(0x3f).text("MC|Brand").text("Spigot"), ""},
        {754, packet(0x17).text("minecraft:register").raw("axiom:set_buffer"), "ServerHasMods"},
        {754, packet(0x17).text("register").raw("axiom:set_buffer"), "ServerHasMods"},
        {754, packet(0x17).text("minecraft:brand").text("vanilla"), ""},
        {754, packet(0x17).text("brand").text("vanilla"), ""},
        {769, packet(0x19).text("minecraft:debug/path").raw("?"), ""},
        {769, packet(0x19).text("axiom:enable").u8(1), "ServerHasMods"},
    });
    Talk talk;
    talk.log_in(769);
    EXPECT_EQ(talk.server_says(packet(0x19).text("c:version").u8(1)), "ServerHasMods");
    EXPECT_EQ(talk.server_says(packet(0x19).text("c:version").u8(1)), "");
    EXPECT_EQ(talk.recorder.frames.back(), "s2c play custom_payload 13 unread");
}

TEST(FromTheServer, ModsItTalksWithBeforePlay) {
    Talk forge, velocity, fabric;
    for (Talk* talk : {&forge, &velocity}) {
        talk->client_says(handshake(754, 2));
        talk->client_says(packet(0).text("Alice"));
    }
    EXPECT_EQ(forge.server_says(packet(4).varint(1).text("fml:loginwrapper").u8(0)),
              "ServerHasMods");
    EXPECT_EQ(velocity.server_says(packet(4).varint(1).text(velocity_channel).u8(4)), "");
    fabric.client_says(handshake(769, 2));
    fabric.client_says(packet(0).text("Alice").raw(uuid16));
    fabric.server_says(packet(2).raw(uuid16).text("Alice").varint(0));
    fabric.client_says(packet(3));
    EXPECT_EQ(fabric.server_says(packet(1).text("minecraft:register").raw("a:b")), "ServerHasMods");
}

TEST(FromTheServer, Forces) {
    expect_server({
        {47, packet(0x12).varint(9).i16(800).i16(-1600).i16(0), "Velocity 9 0.1 -0.2 0"},
        {769, packet(0x5f).varint(9).i16(4000).i16(0).i16(0), "Velocity 9 0.5 0 0"},
        {773, packet(0x63).varint(9).u8(0), "Velocity 9 0 0 0"},
        {754,
         packet(0x1b).f32(0).f32(0).f32(0).f32(4).i32(1).u8(1).u8(2).u8(3).f32(0.5f).f32(1).f32(0),
         "Exploded 0.5 1 0"},
        {769,
         packet(0x21).f64(0).f64(0).f64(0).boolean(true).f64(0.5).f64(1).f64(0).varint(1).varint(1),
         "Exploded 0.5 1 0"},
        {769, packet(0x21).f64(0).f64(0).f64(0).boolean(false).varint(1).varint(1), ""},
        {47, packet(0x1d).varint(9).u8(1).u8(1).varint(600).boolean(false), "EffectGiven 9 0 1"},
        {765, packet(0x72).varint(9).varint(0).u8(1).varint(-1).u8(0).boolean(false),
         "EffectGiven 9 0 1"},
        {769, packet(0x7d).varint(9).varint(24).varint(2).varint(20).u8(0), "EffectGiven 9 6 2"},
        {754, packet(0x37).varint(9).u8(8), "EffectTaken 9 4"},
    });
}

TEST(FromTheServer, AttributesAreComputedAndTheSprintModifierKeptOut) {
    const auto modifier = [](const std::string& id, double amount, int operation) {
        return Made().raw(id).f64(amount).u8(operation).str();
    };
    Made old = packet(0x20).varint(9).i32(1).text("generic.movementSpeed").f64(0.1).varint(3);
    old.raw(modifier(sprint_uuid, 0.3, 2))
        .raw(modifier(uuid16, 0.1, 0))
        .raw(modifier(uuid16, 1, 1));
    Made texts = packet(0x71).varint(9).varint(1).text("minecraft:generic.movement_speed").f64(0.1);
    texts.varint(1).raw(modifier(uuid16, 0.4, 2));
    Made ids = packet(0x7c).varint(9).varint(1).varint(21).f64(0.1).varint(1);
    ids.text("minecraft:sprinting").f64(0.3).u8(2);
    expect_server({
        {47, old, "AttributeSet 9 0 0.4 sprinting"},
        {765, texts, "AttributeSet 9 0 0.14"},
        {769, ids, "AttributeSet 9 0 0.1 sprinting"},
    });
}

TEST(FromTheServer, OtherEntities) {
    expect_server({
        {47, packet(0x0c).varint(9).raw(uuid16).i32(32).i32(64).i32(-16).u8(0).u8(0).i16(0).u8(127),
         "EntitySpawned 9 player -1 1 2 -0.5"},
        {754, packet(4).varint(9).raw(uuid16).f64(1).f64(2).f64(3).u8(0).u8(0),
         "EntitySpawned 9 player -1 1 2 3"},
        {765,
         packet(1)
             .varint(9)
             .raw(uuid16)
             .varint(124)
             .f64(1)
             .f64(2)
             .f64(3)
             .u8(0)
             .u8(0)
             .u8(0)
             .varint(0)
             .i16(0)
             .i16(0)
             .i16(0),
         "EntitySpawned 9 player 124 1 2 3"},
        {754,
         packet(2)
             .varint(9)
             .raw(uuid16)
             .varint(95)
             .f64(1)
             .f64(2)
             .f64(3)
             .u8(0)
             .u8(0)
             .u8(0)
             .i16(0)
             .i16(0)
             .i16(0),
         "EntitySpawned 9 95 1 2 3"},
        {47, packet(0x15).varint(9).u8(32).u8(-16).u8(0).boolean(true), "EntityMoved 9 1 -0.5 0"},
        {754, packet(0x27).varint(9).i16(4096).i16(-2048).i16(0).boolean(true),
         "EntityMoved 9 1 -0.5 0"},
        {754, packet(0x28).varint(9).i16(4096).i16(0).i16(0).u8(0).u8(0).boolean(true),
         "EntityMoved 9 1 0 0"},
        {47, packet(0x18).varint(9).i32(32).i32(64).i32(96).u8(0).u8(0).boolean(true),
         "EntityPlaced 9 1 2 3"},
        {754, packet(0x56).varint(9).f64(1).f64(2).f64(3).u8(0).u8(0).boolean(true),
         "EntityPlaced 9 1 2 3"},
        {769,
         packet(0x20).varint(9).f64(1).f64(2).f64(3).f64(0).f64(0).f64(0).f32(0).f32(0).boolean(
             true),
         "EntityPlaced 9 1 2 3"},
        {769,
         packet(0x77)
             .varint(9)
             .f64(1)
             .f64(2)
             .f64(3)
             .f64(0)
             .f64(0)
             .f64(0)
             .f32(0)
             .f32(0)
             .i32(0x105)
             .boolean(true),
         "EntityPlaced ~x ~z 9 1 2 3"},
        {754, packet(0x36).varint(2).varint(9).varint(300), "EntityGone 9; EntityGone 300"},
        {755, packet(0x3a).varint(9), "EntityGone 9"},
        {47, packet(0x1b).i32(9).i32(4).boolean(false), "Mounted 4 9"},
        {754, packet(0x4b).varint(4).varint(2).varint(9).varint(10), "Mounted 4 9; Mounted 4 10"},
        {754, packet(0x4b).varint(4).varint(0), "Mounted 4 -1"},
    });
}

TEST(FromTheServer, OwnMetadata) {
    Talk talk;
    talk.log_in(754);
    talk.session.self = 9;
    const auto entry = [](int key, int type, int value) {
        return Made().u8(key).varint(type).u8(value).str();
    };
    const std::string end = "\xff";
    EXPECT_EQ(talk.server_says(packet(0x44).varint(9).raw(entry(0, 0, 0x80)).raw(end)),
              "PoseSet 9 10000");
    EXPECT_EQ(talk.server_says(packet(0x44).varint(9).raw(entry(6, 18, 3)).raw(end)),
              "PoseSet 9 11000");
    EXPECT_EQ(talk.server_says(
                  packet(0x44).varint(9).raw(entry(0, 0, 0x0a)).raw(entry(7, 0, 4)).raw(end)),
              "PoseSet 9 01111");
    EXPECT_EQ(talk.server_says(packet(0x44).varint(8).raw(entry(0, 0, 0x80)).raw(end)), "");
    EXPECT_EQ(talk.server_says(packet(0x44).varint(9).raw(entry(4, 7, 1)).raw(end)), "");
    // 1.8 packs type and key into one byte.
    Talk old;
    old.log_in(47);
    old.session.self = 9;
    EXPECT_EQ(old.server_says(packet(0x1c).varint(9).u8(0).u8(0x08).u8(0x7f)), "PoseSet 9 00001");
}

// Before 764 the whole registry stands in it, and what is read stands in front of that.
TEST(FromTheServer, ALoginThatIsTooLongIsReadAsFarAsItMatters) {
    std::mt19937 random(20261129);
    std::string noise(300'000, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    const std::string even(300'000, '\0');
    const auto old = [](int id) { return packet(id).i32(9).u8(2).u8(255); };
    const auto later = [](int id) { return packet(id).i32(9).u8(0).u8(2).u8(255); };
    for (const std::string& rest : {noise, even}) {
        for (Case c : {Case{735, old(0x25), ""}, {754, later(0x24), ""}, {762, later(0x28), ""}}) {
            for (const int threshold : {-1, 256}) {
                for (const size_t piece : {size_t{1}, size_t{7}, size_t{1400}, size_t{1} << 20}) {
                    Talk talk;
                    talk.log_in(c.version, threshold);
                    Made body = c.body;
                    std::string bytes = talk.framed(body.raw(rest));
                    for (size_t at = 0; at < bytes.size();) {
                        const size_t size = at < 4096 ? piece : bytes.size();
                        talk.server(bytes.substr(at, size));
                        at += size;
                    }
                    EXPECT_EQ(talk.recorder.heard(), "Joined 9 2")
                        << c.version << " threshold " << threshold << " pieces of " << piece;
                    EXPECT_EQ(talk.session.self, 9);
                    EXPECT_EQ(talk.server_says(packet(0x36).varint(1).varint(300)).empty(),
                              c.version != 754)
                        << "what follows";
                }
            }
        }
    }
}

TEST(FromTheServer, OwnMetadataBit4IsSwimmingOnlySince393) {
    for (const auto& [version, body, heard] :
         {std::tuple{47, packet(0x1c).varint(9).u8(0).u8(0x10).u8(0x7f), "PoseSet 9 00000"},
          {340, packet(0x3c).varint(9).u8(0).varint(0).u8(0x10).u8(0xff), "PoseSet 9 00000"},
          {393, packet(0x3f).varint(9).u8(0).varint(0).u8(0x10).u8(0xff), "PoseSet 9 01000"}}) {
        Talk talk;
        talk.log_in(version);
        talk.session.self = 9;
        EXPECT_EQ(talk.server_says(body), heard) << version;
    }
}

// A client begins a new life without the old one's flags, unless it is told to keep them.
TEST(FromTheServer, OwnMetadataEndsWithALife) {
    const std::string no_name("\x0a\0\0\0", 4);
    const auto old_world = [&](int id, int kept) {
        return packet(id).raw(no_name).text("w").i64(0).u8(0).u8(0).u8(0).u8(0).u8(kept);
    };
    const auto world = [](int id, int kept) {
        Made body = packet(id).text("w").text("w").i64(0).u8(0).u8(0).u8(0).u8(0).u8(0).varint(0);
        return body.u8(kept);
    };
    const auto new_world = [](int kept) {
        Made body = packet(0x4c).varint(0).text("w").i64(0).u8(0).u8(0).u8(0).u8(0).u8(0);
        return body.varint(0).varint(63).u8(kept);
    };
    struct Life {
        int32_t version;
        int metadata, living_key;
        Made respawn;
        bool glides_on;
    };
    for (const Life& c : {Life{393, 0x3f, 6, packet(0x38).i32(0).u8(0).u8(0).text("d"), true},
                          {754, 0x44, 7, old_world(0x39, 0), false},
                          {754, 0x44, 7, old_world(0x39, 1), true},
                          {765, 0x56, 8, world(0x45, 1), false},
                          {765, 0x56, 8, world(0x45, 2), true},
                          {769, 0x5d, 8, new_world(0), false},
                          {769, 0x5d, 8, new_world(1), false},
                          {769, 0x5d, 8, new_world(3), true}}) {
        Talk talk;
        talk.log_in(c.version);
        talk.session.self = 9;
        const auto says = [&](int key, int value) {
            Made body = packet(c.metadata).varint(9).u8(static_cast<uint8_t>(key)).varint(0);
            return talk.server_says(body.u8(static_cast<uint8_t>(value)).u8(0xff));
        };
        EXPECT_EQ(says(0, 0x80), "PoseSet 9 10000") << c.version;
        EXPECT_EQ(talk.server_says(c.respawn), "WorldChanged 0") << c.version;
        EXPECT_EQ(says(c.living_key, 0), c.glides_on ? "PoseSet 9 10000" : "PoseSet 9 00000")
            << c.version;
    }
}

// ---- inspection -----------------------------------------------------------------

class Printer : public FieldVisitor {
public:
    void field(std::string_view name, const FieldValue& value) override {
        out << name << '=';
        std::visit([this](const auto& v) { print(v); }, value);
        out << ' ';
    }
    void open(std::string_view name, bool array) override { out << name << (array ? "[ " : "{ "); }
    void close() override { out << "} "; }

    std::ostringstream out;

private:
    void print(protocol::BlockPosition b) { out << b.x << ',' << b.y << ',' << b.z; }
    void print(const protocol::Uuid& u) { out << "uuid" << int(u[0]); }
    void print(Bytes b) { out << b.size() << "bytes"; }
    template <class T>
    void print(const T& v) {
        out << v;
    }
};

struct Describing {
    void frame(const Frame& frame) {
        Printer printer;
        if (describe(frame, printer)) text = printer.out.str();
    }
    std::string text;
};

std::string described(int32_t version, Direction direction, const Made& body) {
    Decoder::Settings settings;
    settings.all_bodies = true;
    Talk talk(settings);
    talk.log_in(version);
    Describing listener;
    const std::string frame = plain_frame(body.str());
    talk.decoder.feed(talk.session, direction, as_bytes(frame), listener);
    return listener.text;
}

TEST(Describe, NamesFieldsAsMinecraftDataInSnakeCase) {
    using enum Direction;
    EXPECT_EQ(described(754, to_server, packet(0x12).f64(1.5).f64(64).f64(-3.25).boolean(true)),
              "x=1.5 y=64 z=-3.25 on_ground=1 ");
    EXPECT_EQ(described(769, to_server, packet(0x1c).f64(1.5).f64(64).f64(-3.25).u8(1)),
              "x=1.5 y=64 z=-3.25 on_ground=1 has_horizontal_collision=0 ");
    EXPECT_EQ(described(754, to_server, packet(0x1b).varint(0).i64(packed(1, 2, 3)).u8(1)),
              "status=0 location=1,2,3 face=1 ");
    EXPECT_EQ(described(754, to_client, packet(0x36).varint(2).varint(9).varint(300)),
              "entity_ids[ =9 =300 } ");
    EXPECT_EQ(described(754, to_client, packet(0x46).varint(9).i16(1).i16(2).i16(3)),
              "entity_id=9 velocity{ x=1 y=2 z=3 } ");
    EXPECT_EQ(described(765, to_server, packet(0x34).raw(uuid16)), "target=uuid5 ");
}

TEST(Describe, TellsWhatThereIsOfABrokenPacket) {
    EXPECT_EQ(described(754, Direction::to_server, packet(0x12).f64(1.5).f64(64)), "x=1.5 y=64 ");
}

}  // namespace
}  // namespace portcullis::minecraft
