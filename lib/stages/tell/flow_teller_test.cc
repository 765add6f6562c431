// Goal: whoever asks is told every Flow once and an end, as slowly as a Worker can
// afford, whatever the ring holds; and nobody is told anything who did not ask.
// Method: a Line with many clients; calls as housekeeping makes them.

#include "stages/tell/flow_teller.h"

#include <set>

#include "stages/testing/game.h"
#include "stages/testing/line.h"
#include "stages/testing/shadowland_game.h"

namespace portcullis::stages {
namespace {

using namespace testing;

verdicts::Order question(uint32_t number, uint16_t flows_max = 1'000) {
    verdicts::Order order;
    order.kind = verdicts::Order::Kind::list_flows;
    order.question = number;
    order.flows_max = flows_max;
    return order;
}

Endpoint client_number(unsigned n) { return {client.address, static_cast<uint16_t>(20'000 + n)}; }

/// Handshakes, each of which makes a Flow.
void come(Line& line, unsigned clients) {
    for (unsigned n = 0; n < clients; ++n) {
        const Endpoint who = client_number(n);
        line.send({line.from_client(100, 0, tcp::syn).from(who),
                   line.from_server(900, 101, tcp::syn | tcp::ack).to(who),
                   line.from_client(101, 901).from(who)});
    }
}

std::vector<FlowReport> taken(Line& line) {
    std::vector<FlowReport> all;
    for (FlowReport report; line.context.reports.pop(report);) all.push_back(report);
    return all;
}

/// Of the one Flow that there is.
FlowState told_state(WorkerContext& context) {
    FlowTeller teller(context);
    teller.obey(question(1));
    FlowReport told, report;
    report.last = true;
    for (int i = 0; i < 10; ++i) teller.go_on(false);
    while (context.reports.pop(told)) {
        if (!told.last) report = told;
    }
    EXPECT_FALSE(report.last) << "no Flow was told";
    return report.state;
}

TEST(FlowTeller, TellsEveryFlowOnceAndThenTheEnd) {
    Line line;
    come(line, 300);
    FlowTeller teller(line.context);
    teller.go_on(true);
    EXPECT_TRUE(taken(line).empty()) << "nobody has asked";

    teller.obey(question(7));
    std::set<uint16_t> ports;
    unsigned calls = 0, ends = 0;
    for (; ends == 0 && calls < 100; ++calls) {
        teller.go_on(true);
        const auto reports = taken(line);
        EXPECT_LE(reports.size(), FlowTeller::reports_max + 1);
        for (const FlowReport& report : reports) {
            EXPECT_EQ(report.question, 7u);
            if (report.last) {
                ++ends;
                EXPECT_FALSE(report.more);
                continue;
            }
            EXPECT_TRUE(ports.insert(report.client.port).second) << "told twice";
            EXPECT_EQ(report.server, server);
            EXPECT_EQ(report.service, 0);
            EXPECT_EQ(report.began, line.now);
            EXPECT_TRUE(report.counted);
            EXPECT_FALSE(report.has_player);
        }
    }
    EXPECT_EQ(ports.size(), 300u);
    EXPECT_GE(calls, 300 / FlowTeller::reports_max) << "some at a time";
    teller.go_on(true);
    EXPECT_TRUE(taken(line).empty()) << "answered once";
}

TEST(FlowTeller, TellsWhatWentByOnAConnection) {
    Line line;
    line.shake_hands();
    line.send(line.from_client(101, 901, tcp::psh | tcp::ack, "hello"));
    line.send(line.from_server(901, 106, tcp::psh | tcp::ack, "good evening"));
    line.now += 5s;
    FlowTeller teller(line.context);
    teller.obey(question(1));
    for (int i = 0; i < 3; ++i) teller.go_on(true);
    const auto reports = taken(line);
    ASSERT_EQ(reports.size(), 2u);
    EXPECT_TRUE(reports[0].counted);
    EXPECT_EQ(reports[0].client, client);
    EXPECT_EQ(reports[0].packets, 3u) << "the Flow's own, from the handshake's last on";
    EXPECT_EQ(reports[0].bytes_to_server, 5u);
    EXPECT_EQ(reports[0].bytes_to_client, 12u);
    EXPECT_EQ(line.now - reports[0].began, 5s);
}

TEST(FlowTeller, TellsNoMoreThanWasAskedForAndThatThereIsMore) {
    Line line;
    come(line, 20);
    FlowTeller teller(line.context);
    teller.obey(question(1, 5));
    for (int i = 0; i < 10; ++i) teller.go_on(false);
    const auto reports = taken(line);
    ASSERT_EQ(reports.size(), 6u);
    EXPECT_TRUE(reports.back().last && reports.back().more);
}

TEST(FlowTeller, WaitsForRoomAndForgetsAQuestionForANewerOne) {
    config::Config config = configuration();
    config.limits.flows = 2'000;
    Line line(config);
    come(line, 1'000);
    FlowTeller teller(line.context);
    teller.obey(question(1));
    for (int i = 0; i < 100; ++i) teller.go_on(true);
    EXPECT_EQ(line.context.reports.size(), WorkerContext::reports_max) << "nobody takes them";
    std::set<uint16_t> ports;
    for (int i = 0; i < 100; ++i) {
        for (const FlowReport& report : taken(line)) {
            if (!report.last) ports.insert(report.client.port);
        }
        teller.go_on(true);
    }
    EXPECT_EQ(ports.size(), 1'000u) << "what found no room was told later";

    teller.obey(question(2));
    teller.go_on(true);
    teller.obey(question(3));
    for (int i = 0; i < 5; ++i) teller.go_on(true);
    unsigned of_second = 0;
    for (const FlowReport& report : taken(line)) of_second += report.question == 2 ? 1 : 0;
    EXPECT_EQ(of_second, FlowTeller::reports_max);
}

TEST(FlowTeller, TellsWhichConnectionsAreEncryptedWithoutAKey) {
    Game game{configuration()};
    const auto encryption = packet(0x01, [](Writer& w) {
        text(w, "");  // Server id, key, token.
        text(w, "key");
        text(w, "token");
    });
    game.client_says(handshake() + login_start("Alice"));
    game.server_says(encryption);
    EXPECT_EQ(told_state(game.context), FlowState::inspected);
    game.client_says(packet(0x01, [](Writer& w) {
        text(w, "secret");
        text(w, "token");
    }));
    EXPECT_EQ(told_state(game.context), FlowState::opaque);
    game.client_says("whatever");
    EXPECT_EQ(told_state(game.context), FlowState::opaque);
}

TEST(FlowTeller, TellsWhichSessionsAreSealedUntilAKeyComes) {
    ShadowlandGame game;
    SealedSession session(game);
    session.enter();
    EXPECT_EQ(told_state(game.context), FlowState::opaque);
    game.context.shadowland_keys.add(session.key);
    game.now += 6s;
    session.leap();
    EXPECT_EQ(told_state(game.context), FlowState::inspected);
}

TEST(FlowTeller, TellsOfNobodyWhereOnlyPlayersAreAskedFor) {
    Line line;
    come(line, 20);
    FlowTeller teller(line.context);
    verdicts::Order order = question(1);
    order.players_only = true;
    teller.obey(order);
    for (int i = 0; i < 10; ++i) teller.go_on(true);
    const auto reports = taken(line);
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_TRUE(reports[0].last && !reports[0].more);
}

}  // namespace
}  // namespace portcullis::stages
