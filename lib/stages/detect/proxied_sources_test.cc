// Goal: behind a proxy floods are found of the player whom it tells of, who alone stays out;
// the proxy itself, which brings everybody, is never counted.
// Method: players by the thousand come through each kind of proxy and the real stages.

#include "protocol/minecraft/talk_test_support.h"
#include "protocol/minecraft/velocity.h"
#include "stages/testing/town.h"

namespace portcullis::stages {
namespace {

using policy::Action;

using testing::campus;
using testing::handshake;
using testing::login_start;
using testing::status_request;
using testing::Town;

/// What proxies say of a player.
std::string proxy_header(const IpAddress& of) {
    return "PROXY TCP4 " + to_string(of) + " 10.0.0.2 50000 25565\r\n";
}
std::string bungeecord_handshake(const IpAddress& of) {
    const std::string host = "play" + std::string(1, '\0') + to_string(of) + std::string(1, '\0') +
                             "069a79f444e94726a5befca90e38aaf5";
    return minecraft::testing::plain_frame(
        minecraft::testing::packet(0).varint(47).text(host).i16(25565).varint(2).str());
}
std::string velocity_request() {
    return minecraft::testing::plain_frame(
        minecraft::testing::packet(4).varint(-5).text(minecraft::velocity_channel).u8(4).str());
}
std::string velocity_answer(const IpAddress& of, const std::string& name) {
    const std::string mac(policy::InFront::signature_size, '\0');
    const std::string uuid(16, '\7');
    const std::string said = minecraft::testing::Made()
                                 .varint(4)
                                 .text(to_string(of))
                                 .raw(uuid)
                                 .text(name)
                                 .varint(0)
                                 .str();
    return minecraft::testing::plain_frame(
        minecraft::testing::packet(2).varint(-5).boolean(true).raw(mac + said).str());
}
const IpAddress balancer = *parse_address("10.0.0.1");

/// How players come through a proxy.  `joins`: true when all of it went on to the server.
struct Way {
    const char* what;
    bool header;
    config::Forwarding forwarding;
    std::function<bool(Town&, const IpAddress&, const std::string&)> joins;

    config::Config configuration() const {
        config::Config config = Town::blocking();
        config.services[0].proxy_protocol = header;
        config.services[0].forwarding = forwarding;
        return config;
    }
};

const Way ways[] = {
    {"PROXY header", true, config::Forwarding::none,
     [](Town& town, const IpAddress& who, const std::string& name) {
         return town.connects(balancer) &&
                town.says(proxy_header(who) + handshake(2) + login_start(name)) && town.alive();
     }},
    {"BungeeCord", false, config::Forwarding::bungeecord,
     [](Town& town, const IpAddress& who, const std::string& name) {
         return town.connects(balancer) &&
                town.says(bungeecord_handshake(who) + login_start(name)) && town.alive();
     }},
    {"Velocity", false, config::Forwarding::velocity,
     [](Town& town, const IpAddress& who, const std::string& name) {
         if (!town.connects(balancer) || !town.says(handshake(2, 754) + login_start(name))) {
             return false;
         }
         town.server_says(velocity_request());
         return town.says(velocity_answer(who, name)) && town.alive();
     }},
    {"Velocity behind a balancer", true, config::Forwarding::velocity,
     [](Town& town, const IpAddress& who, const std::string& name) {
         // Whom the header names is Velocity.
         const std::string header = proxy_header(*parse_address("10.0.7.7"));
         if (!town.connects(balancer) ||
             !town.says(header + handshake(2, 754) + login_start(name))) {
             return false;
         }
         town.server_says(velocity_request());
         return town.says(velocity_answer(who, name)) && town.alive();
     }},
};

TEST(BehindAProxy, ThousandsOfPlayersAreManySources) {
    for (const Way& way : ways) {
        Town town(way.configuration());
        for (uint32_t i = 0; i < 2000; ++i) {
            const IpAddress player = IpAddress::v4(0xcb000000u + 97 * i);
            ASSERT_TRUE(way.joins(town, player, "P" + std::to_string(i))) << way.what << i;
        }
        EXPECT_TRUE(town.verdicts().empty()) << way.what;
    }
}

TEST(BehindAProxy, OneThatForwardsNothingIsNeitherCountedNorBlocked) {
    config::Config config = Town::blocking();
    config.services[0].proxies = {{balancer, 128}};
    Town town(config);
    for (uint32_t i = 0; i < 1000; ++i) {
        ASSERT_TRUE(town.logs_in(balancer, "P" + std::to_string(i))) << i;
    }
    EXPECT_TRUE(town.verdicts().empty());
    EXPECT_TRUE(town.player().line.to_proxy);
    for (int i = 0; i < 40; ++i) town.says(testing::look(120));
    EXPECT_TRUE(town.gravest("packets.pitch"));
    EXPECT_TRUE(town.last.through_proxy);
    EXPECT_EQ(town.last.culprit(), std::nullopt) << "all who come through it would be shut out";
    ASSERT_TRUE(town.logs_in(campus, "Direct"));
    EXPECT_FALSE(town.player().line.to_proxy);
}

TEST(BehindAProxy, WhoAcknowledgesIsNotThePlayer) {
    for (const Way& way : ways) {
        Town town(way.configuration());
        ASSERT_TRUE(way.joins(town, campus, "Alice")) << way.what;
        EXPECT_TRUE(town.player().line.to_proxy) << way.what;
    }
    Town town;
    ASSERT_TRUE(town.logs_in(campus, "Alice"));
    EXPECT_FALSE(town.player().line.to_proxy);
}

TEST(BehindAProxy, HisVersionMayBeTranslatedUnlessItIsSaidThatItIsNot) {
    for (const Way& way : ways) {
        for (const auto translates :
             {config::Translates::by_proxy, config::Translates::yes, config::Translates::no}) {
            config::Config config = way.configuration();
            config.services[0].translates = translates;
            Town town(config);
            ASSERT_TRUE(way.joins(town, campus, "Alice")) << way.what;
            EXPECT_EQ(town.player().line.translated, translates != config::Translates::no)
                << way.what;
        }
    }
    // A proxy that forwards nothing has to be told of; a direct line is none.
    for (const bool told : {false, true}) {
        config::Config config = Town::blocking();
        if (told) config.services[0].translates = config::Translates::yes;
        Town town(config);
        ASSERT_TRUE(town.logs_in(campus, "Alice"));
        EXPECT_EQ(town.player().line.translated, told);
    }
    // Who comes past the proxies that are named speaks for himself.
    config::Config config = Town::blocking();
    config.services[0].forwarding = config::Forwarding::bungeecord;
    config.services[0].proxies = {*parse_prefix("192.0.2.1/32")};
    Town past(config);
    ASSERT_TRUE(past.logs_in(campus, "Alice"));
    EXPECT_FALSE(past.player().line.translated);
}

TEST(BehindAProxy, ItsOwnPingsAndChecksOfHealthAreNobodys) {
    for (const Way& way : ways) {
        Town town(way.configuration());
        for (int i = 0; i < 2000; ++i) {
            ASSERT_TRUE(town.connects(balancer));
            const std::string header = way.header ? "PROXY UNKNOWN\r\n" : "";
            ASSERT_TRUE(town.says(header + handshake(1) + status_request())) << way.what << i;
            ASSERT_TRUE(town.alive());
            town.closes();
        }
        for (int i = 0; i < 6000; ++i) ASSERT_TRUE(town.sends_a_syn(balancer)) << way.what << i;
        EXPECT_TRUE(town.verdicts().empty()) << way.what;
    }
}

TEST(BehindAProxy, ANamedProxyOfAChainIsNobody) {
    config::Config config = ways[0].configuration();
    config.services[0].proxies = {*parse_prefix("10.0.0.0/16")};
    Town town(config);
    for (uint32_t i = 0; i < 2000; ++i) {
        ASSERT_TRUE(ways[0].joins(town, *parse_address("10.0.9.9"), "P" + std::to_string(i))) << i;
    }
    EXPECT_TRUE(town.verdicts().empty());
}

TEST(BehindAProxy, LoginsAreCountedForThePlayersAddressAndHeAloneStaysOut) {
    for (const Way& way : ways) {
        config::Config config = way.configuration();
        config.policies[0].checks["flood.connections"].enabled = false;
        Town town(config);
        int joined = 0;
        for (int i = 0; i < 600; ++i) {
            joined += way.joins(town, campus, "Bot" + std::to_string(i)) ? 1 : 0;
        }
        EXPECT_NEAR(joined, 500, 20) << way.what;
        ASSERT_EQ(town.gravest("flood.logins"), Action::block) << way.what;
        EXPECT_TRUE(town.last.through_proxy) << way.what;
        EXPECT_EQ(town.last.client.address, balancer) << way.what;
        EXPECT_EQ(town.last.culprit(), campus) << way.what;
        EXPECT_TRUE(way.joins(town, *parse_address("203.0.113.9"), "Alice")) << way.what;
    }
}

TEST(BehindAProxy, AConnectionOfEachKindIsCountedOnceItsHeaderIsRead) {
    struct Case {
        const char* check;
        std::string says;
        int limit;
    };
    const Case cases[] = {
        {"flood.connections", "", 1000},
        {"flood.status", handshake(1) + status_request(), 1000},
        {"flood.garbage", "GET / HTTP/1.1\r\nUser-Agent: a scanner, of many there are\r\n\r\n", 30},
    };
    for (const Case& c : cases) {
        config::Config config = ways[0].configuration();
        config.policies[0].checks["flood.connections"].enabled = &c == cases;
        Town town(config);
        for (int i = 0; i < c.limit; ++i) {
            town.connects(balancer);
            town.says(proxy_header(campus) + c.says);
        }
        EXPECT_FALSE(town.gravest(c.check)) << c.check;
        for (int i = 0; i < 40; ++i) {
            town.connects(balancer);
            town.says(proxy_header(campus) + c.says);
        }
        EXPECT_EQ(town.gravest(c.check), Action::block) << c.check;
        EXPECT_EQ(town.last.culprit(), campus) << c.check;
    }
}

TEST(BehindAProxy, WhoComesPastItIsASourceLikeAnyOther) {
    for (const Way& way : ways) {
        config::Config config = way.configuration();
        config.services[0].proxies = {{balancer, 128}};
        Town town(config);
        for (int i = 0; i < 1200; ++i) town.connects(campus);
        EXPECT_EQ(town.gravest("flood.connections"), Action::block) << way.what;
        EXPECT_EQ(town.last.culprit(), campus) << way.what;
        for (int i = 0; i < 10'000; ++i) {
            town.sends_a_syn(*parse_address("192.0.2.7"));
            town.now += 50us;
        }
        EXPECT_EQ(town.gravest("flood.syns"), Action::drop) << way.what;
        EXPECT_TRUE(way.joins(town, *parse_address("203.0.113.9"), "Alice")) << way.what;
    }
}
TEST(SlowLoris, BehindAProxyIsEndedButTheProxyIsNotBlocked) {
    config::Config config = Town::blocking();
    config.services[0].proxy_protocol = true;
    config.limits.flows = 1024;
    Town town(config);
    for (int i = 0; i < 5; ++i) town.connects(*parse_address("10.0.0.1"));
    town.wait(60s);
    EXPECT_FALSE(town.alive());
    EXPECT_EQ(town.gravest("flood.slow"), Action::kick);
}

TEST(SlowLoris, WhomTheHeaderNamesIsBlocked) {
    config::Config config = ways[0].configuration();
    config.limits.flows = 1024;
    Town town(config);
    for (int i = 0; i < 3; ++i) {
        town.connects(balancer);
        town.says(proxy_header(campus));
    }
    town.wait(60s);
    EXPECT_FALSE(town.alive());
    EXPECT_EQ(town.gravest("flood.slow"), Action::block);
    EXPECT_EQ(town.last.culprit(), campus);
}

}  // namespace
}  // namespace portcullis::stages
