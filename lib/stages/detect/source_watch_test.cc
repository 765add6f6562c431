// Goal: who floods or dawdles is found, ended and, where the ladder says so, given to
// the block list; and no crowd of honest players behind one address ever is.
// Method: clients by the thousand shake hands and speak through the real stages, in
// time of the test's own; honest stories first.

#include "stages/detect/source_watch.h"

#include "stages/testing/town.h"

namespace portcullis::stages {
namespace {

using policy::Action;

using testing::campus;
using testing::handshake;
using testing::login_start;
using testing::login_success;
using testing::status_request;
using testing::Town;

// ---- Honest ----

TEST(HonestSources, AllPlayersOfACampusComeBackAfterARestart) {
    Town town(Town::blocking());
    // 500 players behind one address: each looks at the list twice and joins, within ten
    // seconds; and half of their SYNs must be sent again.
    for (int i = 0; i < 500; ++i) {
        if (i % 2 == 0) town.sends_a_syn(campus);
        ASSERT_TRUE(town.pings(campus)) << i;
        ASSERT_TRUE(i % 2 != 0 || town.pings(campus)) << i;
        ASSERT_TRUE(town.logs_in(campus, "Player" + std::to_string(i))) << i;
        town.now += 20ms;
    }
    EXPECT_TRUE(town.verdicts().empty());
    EXPECT_EQ(town.drops, 0u);
}

TEST(HonestSources, AListOfManyServersAtOneAddressIsRefreshedAgainAndAgain) {
    Town town(Town::blocking());
    for (int refresh = 0; refresh < 60; ++refresh) {
        for (int entry = 0; entry < 20; ++entry) ASSERT_TRUE(town.pings(campus));
        town.now += 1s;
    }
    EXPECT_TRUE(town.verdicts().empty());
}

TEST(HonestSources, AMobileNetworkOnABadLineSendsEachSynFourTimes) {
    Town town(Town::blocking());
    for (int i = 0; i < 3000; ++i) {
        const IpAddress phone = IpAddress::v4(0xcb007100u + static_cast<uint32_t>(i % 16));
        for (int again = 0; again < 4; ++again) ASSERT_TRUE(town.sends_a_syn(phone));
        town.now += 10ms;
    }
    EXPECT_TRUE(town.verdicts().empty());
}

TEST(HonestSources, AProxyInFrontBringsAllConnections) {
    config::Config config = Town::blocking();
    config.services[0].forwarding = config::Forwarding::velocity;
    Town town(config);
    for (int i = 0; i < 2000; ++i) {
        ASSERT_TRUE(town.logs_in(*parse_address("10.0.0.1"), "P" + std::to_string(i))) << i;
    }
    EXPECT_TRUE(town.verdicts().empty());
}
TEST(HonestSources, AProxyThatTheServiceWasNotToldOfIsNoGarbage) {
    Town town(Town::blocking());
    for (int i = 0; i < 400; ++i) {
        town.connects(*parse_address("10.0.0.1"));
        town.says("PROXY TCP4 203.0.113.9 10.0.0.2 50000 25565\r\n" + handshake(2));
        town.now += 100ms;
    }
    EXPECT_FALSE(town.gravest("flood.garbage"));
}

TEST(HonestSources, SlowLinesAndLongLoginsAreLetBe) {
    Town town(Town::blocking());
    ASSERT_TRUE(town.connects(campus));
    town.wait(31s);
    EXPECT_TRUE(town.says(handshake(2) + login_start("Modded")));
    town.wait(120s);
    EXPECT_TRUE(town.alive());
    town.server_says(login_success("Modded"));
    town.wait(250s);
    EXPECT_TRUE(town.alive());
    EXPECT_TRUE(town.verdicts().empty());
}

// ---- Not honest ----

TEST(Floods, OfConnectionsEndAndTheSourceStaysOut) {
    Town town(Town::blocking());
    int opened = 0;
    for (int i = 0; i < 1200; ++i) {
        opened += town.connects(campus) ? 1 : 0;
        town.now += 1ms;
    }
    EXPECT_NEAR(opened, 1000 + 36, 20) << "more than the burst and what leaked";
    const std::optional<Action> did = town.gravest("flood.connections");
    ASSERT_TRUE(did);
    EXPECT_EQ(*did, Action::block);
    EXPECT_TRUE(town.last.player.name.empty());
    EXPECT_FALSE(town.last.in_game);
    EXPECT_EQ(town.last.source_bits, 128);
    EXPECT_EQ(town.last.client.address, campus);
}

TEST(Floods, ByDefaultWhatIsOverTheRateIsEndedAndNobodyStaysOut) {
    Town town;
    for (int i = 0; i < 1200; ++i) town.connects(campus);
    EXPECT_EQ(town.gravest("flood.connections"), Action::kick);
    EXPECT_FALSE(town.connects(campus));
    town.now += 10s;
    EXPECT_TRUE(town.connects(campus)) << "its bucket has leaked";
}

TEST(Floods, OfOneKindAreCountedByTheirOwnCheck) {
    struct Case {
        const char* check;
        std::function<void(Town&, int)> does;
        int times;
    };
    const Case cases[] = {
        {"flood.status", [](Town& t, int) { t.pings(campus); }, 1100},
        {"flood.connections", [](Town& t, int) { t.connects(campus) && t.says(handshake(2)); },
         1100},
        {"flood.logins", [](Town& t, int i) { t.logs_in(campus, "Bot" + std::to_string(i)); }, 600},
        {"flood.garbage",
         [](Town& t, int) {
             t.connects(campus);
             t.says(
                 "GET / HTTP/1.1\r\nHost: 10.0.0.2:25565\r\nUser-Agent: a scanner, of "
                 "many\r\n\r\n");
         },
         80},
    };
    for (const Case& c : cases) {
        config::Config config = Town::configuration();
        const bool of_connections = std::string_view(c.check) == "flood.connections";
        config.policies[0].checks["flood.connections"].enabled = of_connections;
        Town town(config);
        for (int i = 0; i < c.times; ++i) c.does(town, i);
        const std::optional<Action> did = town.gravest(c.check);
        ASSERT_TRUE(did) << c.check;
        EXPECT_EQ(*did, Action::kick) << c.check;
    }
}

TEST(Floods, OfSynsAreDroppedAndEndNothing) {
    Town town(Town::blocking());
    ASSERT_TRUE(town.logs_in(campus, "Alice"));
    for (int i = 0; i < 20'000; ++i) {
        town.sends_a_syn(campus);
        town.now += 50us;
    }
    // 4,200 are within the limit, 3,000 come until the level has risen.
    EXPECT_NEAR(static_cast<double>(town.drops), 12'800, 600);
    EXPECT_EQ(town.gravest("flood.syns"), Action::drop) << "anybody may have sent them";
    // A neighbour in the same /24 is not concerned, nor is another once it is over.
    EXPECT_TRUE(town.sends_a_syn(*parse_address("198.51.100.8")));
    town.now += 3s;
    EXPECT_TRUE(town.sends_a_syn(campus));
}

TEST(Floods, OfAWholePrefixEndButBlockNobody) {
    Town town(Town::blocking());
    bool ended = false;
    for (uint32_t i = 0; i < 9'500; ++i) {
        ended |= !town.connects(IpAddress::v4(0xcb007100u + i % 200));
        if (i % 8 == 0) town.now += 1ms;
    }
    EXPECT_TRUE(ended);
    const std::optional<Action> did = town.gravest("flood.connections");
    ASSERT_TRUE(did);
    EXPECT_EQ(*did, Action::kick) << "a /24 holds others too";
    EXPECT_EQ(town.last.source_bits, 120);
    EXPECT_EQ(town.last.note.view(), "all of its /24");
}

TEST(Floods, OfOneIpv6CustomerAreOneSource) {
    config::Config config = Town::blocking();
    config.services[0].endpoint = *parse_endpoint("[2001:db8:ffff::2]:25565");
    Town town(config);
    IpAddress address = *parse_address("2001:db8:1:2::");
    for (int i = 0; i < 1200; ++i) {
        address.octets[15] = static_cast<uint8_t>(i);
        address.octets[9] = static_cast<uint8_t>(i / 7);
        town.connects(address);
    }
    EXPECT_EQ(town.gravest("flood.connections"), Action::block);
    EXPECT_EQ(town.last.source_bits, 64);
}

TEST(Floods, WhoIsExemptIsWrittenDownAndNotTouched) {
    config::Config config = Town::blocking();
    config.policies[0].exempt_addresses = {{campus, 128}};
    Town town(config);
    for (int i = 0; i < 1200; ++i) ASSERT_TRUE(town.connects(campus)) << i;
    EXPECT_TRUE(town.gravest("flood.connections"));
}

TEST(Floods, OnlyObservingTouchesNothing) {
    config::Config config = Town::blocking();
    config.mode = verdicts::Mode::observe;
    Town town(config);
    for (int i = 0; i < 1200; ++i) ASSERT_TRUE(town.connects(campus)) << i;
    for (int i = 0; i < 6000; ++i) ASSERT_TRUE(town.sends_a_syn(campus)) << i;
    EXPECT_EQ(town.drops, 0u);
}

TEST(SlowLoris, IsEndedHoweverItTrickles) {
    struct Case {
        const char* what;
        std::string first;
        Nanos patience;
    };
    const Case cases[] = {
        {"silent", "", 60s},
        {"a handshake byte by byte", handshake(2), 60s},
        {"a status never asked for", handshake(1), 120s},
        {"a login never begun", handshake(2), 260s},
    };
    for (const Case& c : cases) {
        config::Config config = Town::configuration();
        config.limits.flows = 1024;
        Town town(config);
        ASSERT_TRUE(town.connects(campus));
        const bool trickles = std::string_view(c.what).starts_with("a handshake");
        if (!trickles) town.says(c.first);
        for (Nanos spent{}; spent < c.patience && town.alive(); spent += 4s) {
            const auto at = static_cast<size_t>(spent / 4s);
            if (trickles && at + 1 < c.first.size()) town.says(c.first.substr(at, 1));
            town.wait(4s);
        }
        EXPECT_FALSE(town.alive()) << c.what;
        EXPECT_TRUE(town.gravest("flood.slow")) << c.what;
    }
}
TEST(Identity, AForgedNameIsThrownOutBeforeItIsIn) {
    Town town;
    EXPECT_FALSE(town.logs_in(campus, "Bob\nop Mallory"));
    EXPECT_EQ(town.gravest("identity.name"), Action::kick);
    EXPECT_FALSE(town.last.in_game) << "whoever has that name may be playing";
}

}  // namespace
}  // namespace portcullis::stages
