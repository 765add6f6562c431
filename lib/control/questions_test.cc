// Goal: what only Workers know is asked of them and told whole; one that is silent, a port
// that goes and a player who is traced are told of as they are.
// Method: a fake packet side that answers, or does not, as each test says.

#include "control/control_test_support.h"
#include "control/flow_inquiry.h"
#include "control/packet_book.h"

namespace portcullis::control {
namespace {

using namespace testing;

stages::FlowReport report(uint16_t port, std::string_view player = "") {
    stages::FlowReport r;
    r.client = {IpAddress::v4(0xc6336407), port};
    r.server = *parse_endpoint("10.0.0.2:25565");
    r.counted = true;
    r.packets = 10;
    r.bytes_to_server = 1'000;
    r.began = r.last_seen = 1'700'000'000s;
    r.has_player = r.player.logged_in = r.player.measured = !player.empty();
    r.player.identity.name.assign(player);
    r.player.latency = 42ms;
    return r;
}

TEST_F(ControlTest, FlowsAndPlayersAreAskedOfTheWorkers) {
    start();
    wire_.tell(record(VerdictRecord::Kind::login, "Alice", 1));
    ASSERT_TRUE(wait_for([&] { return heard_.count() == 1; }));
    wire_.will_report({report(1, "Alice"), last_report(0), report(2), report(3), last_report(1)});
    const Json flows = result({{"command", "flows"}});
    ASSERT_EQ(flows.at("flows").size(), 3u) << flows;
    EXPECT_EQ(flows["flows"][0]["player"], "Alice");
    EXPECT_EQ(flows["flows"][1]["player"], nullptr);
    EXPECT_EQ(flows["flows"][1]["to_server_bytes"], 1'000);
    EXPECT_EQ(flows["flows"][2]["client"], "198.51.100.7:3");
    EXPECT_FALSE(flows["more"].get<bool>());
    EXPECT_EQ(flows["silent_workers"], 0);

    const Json second = result({{"command", "flows"}, {"skip", 1}, {"limit", 1}});
    ASSERT_EQ(second.at("flows").size(), 1u);
    EXPECT_EQ(second["flows"][0]["client"], "198.51.100.7:2");
    EXPECT_TRUE(second["more"].get<bool>());
    EXPECT_EQ(wire_.orders().back().flows_max, 2) << "Workers tell no more than is shown";
    EXPECT_EQ(result({{"command", "flows"}, {"state", "dead"}}).at("flows").size(), 0u);

    EXPECT_EQ(result({{"command", "players"}})["players"][0]["latency_ms"], 42.0);
    EXPECT_EQ(error({{"command", "flows"}, {"limit", -1}}),
              "limit must be a whole number from 0 to 65535");
}

TEST_F(ControlTest, WhoIsLeftOutOfTheListOfPlayersIsToldOf) {
    start();
    for (uint16_t port = 1; port <= 5; ++port) {
        wire_.tell(record(VerdictRecord::Kind::login, "P" + std::to_string(port), port));
    }
    ASSERT_TRUE(wait_for([&] { return heard_.count() == 5; }));
    wire_.will_report({last_report(0), last_report(1)});
    const auto page = [&](int skip, int limit) {
        return result({{"command", "players"}, {"skip", skip}, {"limit", limit}});
    };
    const Json all = result({{"command", "players"}});
    EXPECT_EQ(all.at("players").size(), 5u);
    EXPECT_FALSE(all.at("more").get<bool>());
    const Json second = page(2, 2);
    ASSERT_EQ(second.at("players").size(), 2u);
    EXPECT_EQ(second["players"][0]["name"], "P3");
    EXPECT_TRUE(second.at("more").get<bool>());
    EXPECT_EQ(second.at("count"), 5);
    EXPECT_FALSE(page(3, 2).at("more").get<bool>());
    EXPECT_FALSE(page(9, 2).at("more").get<bool>());
    EXPECT_EQ(error({{"command", "players"}, {"limit", 10'001}}),
              "limit must be a whole number from 0 to 10000");
}

TEST_F(ControlTest, AWorkerThatDoesNotAnswerIsSaidToBeSilent) {
    start();
    wire_.tell(record(VerdictRecord::Kind::login, "Alice", 1));
    ASSERT_TRUE(wait_for([&] { return heard_.count() == 1; }));
    wire_.will_report({report(1, "Alice"), last_report(0)});
    const auto began = steady_clock::now();
    const Json players = result({{"command", "players"}});
    EXPECT_GE(steady_clock::now() - began, FlowInquiry::patience - 100ms);
    EXPECT_EQ(players["silent_workers"], 1);
    EXPECT_EQ(players["players"][0]["name"], "Alice") << "what is known is told all the same";
}

TEST_F(ControlTest, APortThatWentIsMendedBesideTheLoop) {
    start();
    std::atomic<bool> done = false;
    std::thread workers([&] {
        while (!done) {
            for (uint16_t w = 0; w < 2; ++w) wire_.counting(w).progress.add();
            std::this_thread::sleep_for(1ms);
        }
    });
    control_->ready();
    const auto port = [&] { return Json::parse(get("/health").second)["ports"][1]; };
    ASSERT_TRUE(wait_for([&] { return get("/health").first == 200; }));
    wire_.pull(1);
    EXPECT_TRUE(wait_for([&] { return get("/health").first == 503; }));
    EXPECT_FALSE(port().at("present").get<bool>());
    wire_.plug(1);
    EXPECT_TRUE(wait_for([&] { return get("/health").first == 200; }));
    EXPECT_NE(get("/metrics")
                  .second.find("portcullis_port_reopened_total{wire=\"edge\",port=\"inside\"} 1\n"),
              std::string::npos);
    done = true;
    workers.join();
}

TEST_F(ControlTest, LinksArePropagatedBesideTheLoopAndSeen) {
    start();
    ASSERT_TRUE(wait_for([&] { return wire_.propagations() >= 3; }));
    const auto port = [&] { return result({{"command", "wires"}})["wires"][0]["ports"][1]; };
    EXPECT_FALSE(port().at("held").get<bool>());
    wire_.link(0, false);
    wire_.hold(1, true);
    EXPECT_TRUE(port().at("held").get<bool>());
    const std::string metrics = get("/metrics").second;
    for (const char* line : {"portcullis_port_held{wire=\"edge\",port=\"inside\"} 1\n",
                             "portcullis_port_held{wire=\"edge\",port=\"outside\"} 0\n",
                             "portcullis_port_held_total{wire=\"edge\",port=\"inside\"} 1\n",
                             "portcullis_port_hold_failures_total{wire=\"edge\",port=\"inside\"} "
                             "0\n"}) {
        EXPECT_NE(metrics.find(line), std::string::npos) << line;
    }
    EXPECT_TRUE(Json::parse(get("/health").second)["ports"][1].at("held").get<bool>());
}

verdicts::PacketRecord packet(uint16_t port, std::string_view fields) {
    verdicts::PacketRecord p;
    p.client = {IpAddress::v4(0xc6336407), port};
    p.server = *parse_endpoint("10.0.0.2:25565");
    p.state.assign("play");
    p.name.assign("position");
    p.has_fields = true;
    p.fields_size = static_cast<uint16_t>(fields.size());
    std::ranges::copy(fields, p.fields.begin());
    return p;
}

TEST_F(ControlTest, PacketsOfATracedPlayerCanBeReadAlong) {
    start();
    wire_.tell(record(VerdictRecord::Kind::login, "Alice", 1));
    wire_.tell(record(VerdictRecord::Kind::login, "Bob", 2));
    ASSERT_TRUE(wait_for([&] { return heard_.count() == 2; }));
    wire_.show(packet(1, "\"y\":1"));
    const auto told = [&](uint64_t from) {
        return result({{"command", "traced"}, {"player", "alice"}, {"from", from}});
    };
    ASSERT_TRUE(wait_for([&] { return told(0).at("packets").size() == 1; }));
    const Json order = result({{"command", "trace"}, {"player", "alice"}, {"for_s", 5}});
    EXPECT_EQ(order.at("next"), 1) << "what was before is not asked for";
    wire_.show(packet(2, "\"y\":2"));
    wire_.show(packet(1, "\"y\":3"));
    ASSERT_TRUE(wait_for([&] { return told(1).at("next") == 3; }));
    const Json packets = told(1);
    ASSERT_EQ(packets.at("packets").size(), 1u) << packets;
    EXPECT_EQ(packets["packets"][0]["fields"]["y"], 3);
    EXPECT_EQ(packets["missed"], 0);
    EXPECT_TRUE(packets["here"].get<bool>());

    wire_.show(packet(1, "not JSON"));
    for (size_t i = 0; i < PacketBook::packets_max; ++i) wire_.show(packet(2, "\"y\":4"));
    ASSERT_TRUE(wait_for([&] { return told(3).at("missed") == 1; }));
    wire_.tell(record(VerdictRecord::Kind::disconnect, "Alice", 1));
    EXPECT_TRUE(wait_for([&] { return !told(3).at("here").get<bool>(); }));
}

}  // namespace
}  // namespace portcullis::control
