// Goal: whoever opens connections and resets them, or leaves them alone, keeps nobody who plays
// from being read; who plays keeps his place.  Of two connections on the same ports each gets its
// own session key.
// Method: a Worker with room for four, through all the real stages.

#include "stages/decode/conversations.h"

#include "stages/testing/town.h"

namespace portcullis::stages {
namespace {

using namespace testing;

constexpr uint32_t places = 4;

config::Config small_town() {
    config::Config config = Town::configuration();
    config.limits.players = places;
    return config;
}

IpAddress home(uint32_t number) { return *parse_address("192.0.2." + std::to_string(number)); }

/// Everybody whose place may be another's by now has been silent for long enough.
void wait_a_moment(Town& town) { town.wait(Conversations::leaving_min, 100ms); }

TEST(Conversations, WhoWasResetGivesWay) {
    for (const bool by_server : {false, true}) {
        Town town(small_town());
        for (uint32_t i = 0; i < places; ++i) {
            ASSERT_TRUE(town.logs_in(home(i), "Player"));
            by_server ? town.server_resets() : town.resets();
        }
        wait_a_moment(town);
        for (uint32_t i = 0; i < places; ++i) {
            ASSERT_TRUE(town.logs_in(home(100 + i), "Again"));
            EXPECT_TRUE(town.is_read()) << i << (by_server ? " after a restart" : "");
        }
        EXPECT_EQ(town.noticed(Notice::session_pool_full), 0u);
        EXPECT_EQ(town.noticed(Notice::session_gave_way), places);
    }
}

TEST(Conversations, WhoPlaysDoesNot) {
    Town town(small_town());
    for (uint32_t i = 0; i < places; ++i) ASSERT_TRUE(town.logs_in(home(i), "Player"));
    const Town::Talk last = town.talk();
    town.wait(60s, 1s);
    ASSERT_TRUE(town.logs_in(home(100), "Late"));
    EXPECT_FALSE(town.is_read());
    EXPECT_GT(town.noticed(Notice::session_pool_full), 0u);
    town.go_on(last);
    EXPECT_TRUE(town.is_read());
    EXPECT_TRUE(town.says(look(10)));
}

TEST(Conversations, WhoOnlyLooksInGivesWay) {
    Town town(small_town());
    for (uint32_t i = 0; i < places; ++i) {
        ASSERT_TRUE(town.connects(home(i)));
        ASSERT_TRUE(town.says(i % 2 == 0 ? handshake(1) : handshake(2).substr(0, 1)));
    }
    const Town::Talk last = town.talk();
    town.wait(Conversations::arriving_min - 1s, 100ms);
    ASSERT_TRUE(town.logs_in(home(100), "Early"));
    EXPECT_FALSE(town.is_read()) << "they might still say who they are";
    town.wait(2s, 100ms);
    for (uint32_t i = 0; i < places; ++i) {
        ASSERT_TRUE(town.logs_in(home(101 + i), "Player"));
        EXPECT_TRUE(town.is_read()) << i;
    }
    town.go_on(last);
    EXPECT_FALSE(town.says("x")) << "what nobody reads does not go on";
}

TEST(Conversations, WhoGoesOnAfterAResetStays) {
    Town town(small_town());
    ASSERT_TRUE(town.logs_in(home(0), "Player"));
    town.resets();
    EXPECT_TRUE(town.says(look(10)));
    const Town::Talk first = town.talk();
    for (uint32_t i = 1; i < places; ++i) ASSERT_TRUE(town.logs_in(home(i), "Player"));
    wait_a_moment(town);
    ASSERT_TRUE(town.logs_in(home(100), "Late"));
    EXPECT_FALSE(town.is_read());
    town.go_on(first);
    EXPECT_TRUE(town.is_read());
}

TEST(Conversations, ObservingNobodyIsCutOff) {
    config::Config config = small_town();
    config.mode = verdicts::Mode::observe;
    Town town(config);
    ASSERT_TRUE(town.logs_in(home(0), "Player"));
    town.resets();
    const Town::Talk first = town.talk();
    for (uint32_t i = 1; i < places; ++i) ASSERT_TRUE(town.logs_in(home(i), "Player"));
    wait_a_moment(town);
    ASSERT_TRUE(town.logs_in(home(100), "Late"));
    EXPECT_TRUE(town.is_read());
    town.go_on(first);
    EXPECT_TRUE(town.says(look(10)));
}

// ---- Keys ----

constexpr minecraft::Cfb8::Secret stale = {std::byte{1}}, fresh = {std::byte{2}};

/// Up to where the server knows the client's secret.
void asks_for_a_key(Town& town) {
    town.says(handshake(2) + login_start("Alice"));
    town.server_says(packet(0x01, [](Writer& w) {
        text(w, "");
        text(w, "key");
        text(w, "token");
    }));
    town.says(packet(0x01, [](Writer& w) {
        text(w, "secret");
        text(w, "token");
    }));
}

void is_told(Town& town, const minecraft::Cfb8::Secret& secret) {
    town.context.take_key(keys::MinecraftKey{town.client(), town.server(), secret}, town.now);
}

std::string enciphered(std::string bytes, const minecraft::Cfb8::Secret& secret) {
    minecraft::Cfb8::Register last = secret;
    minecraft::Cfb8(secret).encrypt({reinterpret_cast<std::byte*>(bytes.data()), bytes.size()},
                                    last);
    return bytes;
}

TEST(Conversations, AKeyOfAnEarlierConnectionIsNotThisOnes) {
    Town town(Town::configuration(), 64);
    ASSERT_TRUE(town.connects(home(1)));
    asks_for_a_key(town);
    town.resets();
    is_told(town, stale);  // Nobody asks for it any more.
    town.now += 1s;
    ASSERT_TRUE(town.reconnects());
    asks_for_a_key(town);
    is_told(town, fresh);
    town.server_says(enciphered(login_success("Alice") + join_game(), fresh));
    EXPECT_TRUE(town.says(enciphered(look(120), fresh)));
    EXPECT_TRUE(town.gravest("packets.pitch")) << "what it says is not read";
}

}  // namespace
}  // namespace portcullis::stages
