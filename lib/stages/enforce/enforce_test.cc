// Goal: who is thrown out is out on both sides at once, reads why when there is
// something to read, and nobody else notices.
// Method: stories on a Line; each injected frame is taken apart again.

#include "stages/enforce/enforce.h"

#include "stages/testing/line.h"
#include "stages/track/track.h"

namespace portcullis::stages {
namespace {

using namespace testing;

constexpr verdicts::VerdictId about{7, 9};  ///< The verdict on whoever cheats.

/// Decides `action` on every client payload that says "cheat".
void judge(Line& line, policy::Action action, std::string_view message = "") {
    line.on_packet = [&line, action, message](Packet& packet, uint8_t index) {
        if (!packet.to_server() || as_text(packet.payload()) != "cheat") return;
        PendingAction pending;
        pending.flow = packet.flow;
        pending.action = action;
        pending.packet = index;
        pending.message = as_bytes(message);
        pending.verdict = about;
        EXPECT_TRUE(line.context.pending.add(pending));
    };
}

/// What Control was told of how the verdict's action ended.
std::string told(Line& line) {
    std::string text;
    verdicts::VerdictRecord record;
    while (line.context.records.pop(record)) {
        if (record.kind != verdicts::VerdictRecord::Kind::outcome) continue;
        EXPECT_EQ(record.id_high, about.high);
        EXPECT_EQ(record.id_low, about.low);
        text += std::string(name_in(verdicts::result_names, record.result)) + ": " +
                std::string(record.note.view()) + '\n';
    }
    return text;
}

const Packet& toward(const Line& line, Side out, size_t nth = 0) {
    for (const Sent& sent : line.injected) {
        if (sent.out == out && nth-- == 0) return sent.packet;
    }
    ADD_FAILURE() << "no frame went out of " << name_in(side_names, out);
    static const Packet none;
    return none;
}

TEST(Enforce, SeversBothSidesAtTheRightNumbers) {
    Line line;
    line.shake_hands();
    line.send(line.from_client(101, 901, tcp::ack, "honest"));
    line.send(line.from_server(901, 107, tcp::ack, "world"));
    judge(line, policy::Action::sever);
    const Fate fate = line.send(line.from_client(107, 906, tcp::ack, "cheat"));
    EXPECT_EQ(fate.drop, DropReason::verdict);
    EXPECT_EQ(fate.state, FlowState::dead);
    ASSERT_EQ(line.injected.size(), 2u);

    const Packet& to_server = toward(line, Side::inside);
    EXPECT_EQ(to_server.source, client);
    EXPECT_EQ(to_server.destination, server);
    EXPECT_TRUE(to_server.has(tcp::rst));
    EXPECT_EQ(to_server.tcp.seq, Seq(107));  // The cheat never reached it.
    const Packet& to_client = toward(line, Side::outside);
    EXPECT_EQ(to_client.source, server);
    EXPECT_TRUE(to_client.has(tcp::rst));
    EXPECT_EQ(to_client.tcp.seq, Seq(906));
}

TEST(Enforce, WhatFollowsInTheBurstStopsToo) {
    Line line;
    line.shake_hands();
    judge(line, policy::Action::sever);
    const auto fates = line.send({line.from_client(101, 901, tcp::ack, "cheat"),
                                  line.from_client(106, 901, tcp::ack, "more"),
                                  line.from_server(901, 101, tcp::ack, "world")});
    EXPECT_EQ(fates[1].drop, DropReason::verdict);
    EXPECT_EQ(fates[2].drop, DropReason::none);
    EXPECT_EQ(toward(line, Side::outside).tcp.seq, Seq(906));  // Behind "world".
}

TEST(Enforce, TheDeadStayDeadAndAreToldNowAndThen) {
    Line line;
    line.shake_hands();
    judge(line, policy::Action::sever);
    line.send(line.from_client(101, 901, tcp::ack, "cheat"));
    EXPECT_EQ(line.send(line.from_client(101, 901, tcp::ack, "cheat")).drop, DropReason::flow_dead);
    EXPECT_TRUE(line.injected.empty());  // Too soon.
    line.now += 300ms;
    // The server lost what came before, or the reset: it says what it expects.
    line.send(line.from_server(901, 95));
    ASSERT_EQ(line.injected.size(), 1u);
    EXPECT_EQ(toward(line, Side::inside).tcp.seq, Seq(95));
    line.now += 300ms;
    line.send(line.from_client(101, 901, tcp::ack, "cheat"));
    EXPECT_EQ(toward(line, Side::outside).tcp.seq, Seq(901));
    EXPECT_EQ(toward(line, Side::outside).tcp.ack, Seq(106));
}

TEST(Enforce, TheSeveredMayConnectAnew) {
    Line line;
    line.shake_hands();
    judge(line, policy::Action::sever);
    line.send(line.from_client(101, 901, tcp::ack, "cheat"));
    line.send(line.from_client(5'000, 0, tcp::syn));
    line.send(line.from_server(6'000, 5'001, tcp::syn | tcp::ack));
    const Fate ack = line.send(line.from_client(5'001, 6'001));
    EXPECT_TRUE(ack.has_flow);
    EXPECT_EQ(ack.state, FlowState::inspected);
}

TEST(Enforce, AKickSaysWhyAndThenCloses) {
    Line line;
    line.shake_hands();
    line.send(line.from_server(901, 101, tcp::ack, "world"));
    judge(line, policy::Action::kick, "you flew");
    const Fate fate = line.send(line.from_client(101, 906, tcp::ack, "cheat"));
    EXPECT_EQ(fate.drop, DropReason::verdict);
    ASSERT_EQ(line.injected.size(), 2u);
    const Packet& goodbye = toward(line, Side::outside);
    EXPECT_EQ(as_text(goodbye.payload()), "you flew");
    EXPECT_EQ(goodbye.tcp.seq, Seq(906));
    EXPECT_EQ(goodbye.tcp.ack, Seq(101));
    EXPECT_TRUE(goodbye.has(tcp::psh | tcp::fin | tcp::ack));
    EXPECT_TRUE(toward(line, Side::inside).has(tcp::rst));
    EXPECT_EQ(toward(line, Side::inside).tcp.seq, Seq(101));
    // What the server still had under way would stand where the message does.
    EXPECT_EQ(line.send(line.from_server(906, 101, tcp::ack, "late")).drop, DropReason::flow_dead);
}

TEST(Enforce, AKickWaitsForTheEndOfAMessage) {
    Line line;
    line.shake_hands();
    judge(line, policy::Action::kick, "you flew");
    line.in_mid_message = true;
    line.send(line.from_server(901, 101, tcp::ack, "half a mess"));
    line.send(line.from_client(101, 901, tcp::ack, "cheat"));
    EXPECT_TRUE(line.injected.empty());
    // He does not play on meanwhile, but what he acknowledges gets through.
    EXPECT_EQ(line.send(line.from_client(106, 901, tcp::ack, "more")).drop, DropReason::verdict);
    EXPECT_EQ(line.send(line.from_client(106, 912)).drop, DropReason::none);
    line.in_mid_message = false;
    line.now += 100ms;
    line.send(line.from_server(912, 101, tcp::ack, "age"));
    ASSERT_EQ(line.injected.size(), 2u);
    EXPECT_EQ(toward(line, Side::outside).tcp.seq, Seq(915));
    EXPECT_EQ(as_text(toward(line, Side::outside).payload()), "you flew");
}

TEST(Enforce, AKickThatWaitsTooLongSevers) {
    Line line;
    line.shake_hands();
    judge(line, policy::Action::kick, "you flew");
    line.in_mid_message = true;
    line.send(line.from_server(901, 101, tcp::ack, "half"));
    line.send(line.from_client(101, 901, tcp::ack, "cheat"));
    line.now += Enforce::kick_patience;
    line.keep_house();
    ASSERT_EQ(line.injected.size(), 2u);
    EXPECT_TRUE(toward(line, Side::outside).has(tcp::rst));
    EXPECT_EQ(toward(line, Side::outside).tcp.seq, Seq(905));
    EXPECT_EQ(line.flow()->state, FlowState::dead);
}

TEST(Enforce, AGoodbyeThatWasLostIsSentAgain) {
    Line line;
    line.shake_hands();
    judge(line, policy::Action::kick, "bye");
    line.send(line.from_client(101, 901, tcp::ack, "cheat"));
    line.now += 300ms;
    line.send(line.from_client(101, 901, tcp::ack, "cheat"));  // Has not seen it.
    ASSERT_EQ(line.injected.size(), 1u);
    EXPECT_EQ(as_text(toward(line, Side::outside).payload()), "bye");
    EXPECT_EQ(toward(line, Side::outside).tcp.seq, Seq(901));
    line.now += 300ms;
    line.send(line.from_client(106, 905));  // Message and FIN acknowledged.
    EXPECT_TRUE(line.injected.empty());     // No reset before he could read it.
    line.now += 2s;
    line.send(line.from_client(106, 905, tcp::fin | tcp::ack));
    ASSERT_EQ(line.injected.size(), 1u);
    EXPECT_TRUE(toward(line, Side::outside).has(tcp::rst));
    EXPECT_EQ(toward(line, Side::outside).tcp.seq, Seq(905));
}

TEST(Enforce, TellsOnceHowEachActionEnded) {
    {
        Line line;
        line.shake_hands();
        judge(line, policy::Action::sever);
        line.send({line.from_client(101, 901, tcp::ack, "cheat"),
                   line.from_client(106, 901, tcp::ack, "cheat")});
        EXPECT_EQ(told(line), "done: severed\ndone: the connection was being ended already\n");
    }
    {
        Line line;
        line.shake_hands();
        judge(line, policy::Action::kick, "you flew");
        line.send(line.from_client(101, 901, tcp::ack, "cheat"));
        line.now += 300ms;
        line.send(line.from_client(101, 901, tcp::ack, "cheat"));  // The goodbye is sent again.
        EXPECT_EQ(told(line), "done: kicked\n");
    }
    {
        Line line;
        line.shake_hands();
        judge(line, policy::Action::kick, "you flew");
        line.in_mid_message = true;
        line.send(line.from_server(901, 101, tcp::ack, "half"));
        line.send(line.from_client(101, 901, tcp::ack, "cheat"));
        EXPECT_EQ(told(line), "");
        line.now += Enforce::kick_patience;
        line.keep_house();
        EXPECT_EQ(told(line), "done: severed: no moment came for a message\n");
    }
    {
        Line line;
        judge(line, policy::Action::drop);
        PacketBuilder cheat = PacketBuilder{}.from(client).to(game_server).udp();
        line.send(cheat.payload(as_bytes("cheat")));
        EXPECT_EQ(told(line), "done: dropped\n");
    }
}

TEST(Enforce, AKickWhoseConnectionEndsFirstHasExpired) {
    Line line;
    line.shake_hands();
    judge(line, policy::Action::kick, "you flew");
    line.in_mid_message = true;
    line.send(line.from_server(901, 101, tcp::ack, "half"));
    line.send(line.from_client(101, 901, tcp::ack, "cheat"));
    line.context.forget(*line.flow(), verdicts::EndReason::reset, line.now);
    line.keep_house();
    EXPECT_EQ(told(line), "expired: the connection ended first\n");
}

TEST(Enforce, VerdictsAreTheLastToFindNoRoomOnTheWayToControl) {
    Line line;
    using Kind = verdicts::VerdictRecord::Kind;
    verdicts::VerdictRecord record;
    const auto count = [&](Notice notice) {
        return line.context.counters.notices[static_cast<size_t>(notice)].get();
    };
    const auto report = [&](Kind kind) {
        record.kind = kind;
        line.context.report(record);
    };
    for (uint32_t i = 0; i < WorkerContext::records_max; ++i) report(Kind::login);
    EXPECT_EQ(line.context.records.size(), WorkerContext::other_records_max);
    EXPECT_EQ(count(Notice::record_lost),
              WorkerContext::records_max - WorkerContext::other_records_max);
    for (uint32_t i = 0; i < WorkerContext::records_max; ++i) report(Kind::verdict);
    EXPECT_EQ(line.context.records.size(), WorkerContext::records_max);
    EXPECT_EQ(count(Notice::verdict_lost), WorkerContext::other_records_max);
}

TEST(Enforce, FramesOfOursAreTaggedAsTheirs) {
    Line line;
    line.send(line.from_client(100, 0, tcp::syn).vlan(5));
    line.send(line.from_server(900, 101, tcp::syn | tcp::ack));
    line.send(line.from_client(101, 901).vlan(5));
    line.send(line.from_server(901, 101, tcp::ack, "world"));  // Untagged this way.
    judge(line, policy::Action::sever);
    line.send(line.from_client(101, 906, tcp::ack, "cheat").vlan(5));
    EXPECT_EQ(toward(line, Side::inside).vlan_tags, 1);
    EXPECT_EQ(toward(line, Side::outside).vlan_tags, 0);
}

TEST(Enforce, AnOrderSeversToo) {
    Line line;
    line.shake_hands();
    verdicts::Order order;
    order.kind = verdicts::Order::Kind::sever;
    order.client = client;
    order.server = server;
    line.obey(order);
    line.keep_house();
    EXPECT_EQ(line.injected.size(), 2u);
    EXPECT_EQ(line.flow()->state, FlowState::dead);
}

TEST(Enforce, AnOrderThatFindsNoRoomIsCounted) {
    Line line;
    line.shake_hands();
    verdicts::Order order;
    order.kind = verdicts::Order::Kind::sever;
    order.client = client;
    order.server = server;
    for (size_t i = 0; i < PendingActions::actions_max; ++i) line.obey(order);
    EXPECT_EQ(line.noticed(Notice::action_lost), 0u);
    line.obey(order);
    EXPECT_EQ(line.noticed(Notice::action_lost), 1u);
}

/// To end the first connection of a Line, which no one has used for longer than it is kept.
verdicts::Order order_for_the_forgotten(Line& line) {
    line.send(line.from_client(101, 901, tcp::rst));
    line.now += Track::reset_linger + 1s;
    verdicts::Order order;
    order.kind = verdicts::Order::Kind::sever;
    order.client = client;
    order.server = server;
    return order;
}

const Endpoint neighbour = *parse_endpoint("198.51.100.8:40000");
PacketBuilder neighbour_says(uint32_t seq, uint32_t ack, uint8_t flags) {
    return PacketBuilder{}.from(neighbour).to(server).tcp(Seq(seq), Seq(ack), flags);
}

TEST(Enforce, AnOrderWhoseFlowIsForgottenFirstLeavesTheTableWhole) {
    Line line;
    line.shake_hands();
    line.obey(order_for_the_forgotten(line));
    EXPECT_FALSE(line.send(line.from_client(101, 901)).has_flow);
    EXPECT_TRUE(line.injected.empty());
    EXPECT_EQ(line.context.flows.size(), 0u);
    for (uint32_t port = 1; port <= line.context.flows.capacity(); ++port) {
        const Endpoint someone{client.address, static_cast<uint16_t>(port)};
        const FlowKey key = FlowKey::of(someone, server, ip_protocol_tcp);
        ASSERT_NE(line.context.flows.insert({key, line.context.hash(key)}), nullptr) << port;
    }
}

TEST(Enforce, AnOrderWhoseFlowIsForgottenFirstEndsNobodyElse) {
    Line line;
    line.shake_hands();
    const verdicts::Order order = order_for_the_forgotten(line);
    line.send(neighbour_says(500, 0, tcp::syn));
    line.send(
        PacketBuilder{}.from(server).to(neighbour).tcp(Seq(700), Seq(501), tcp::syn | tcp::ack));
    line.obey(order);
    const std::vector<Fate> fates =
        line.send({line.from_client(101, 901), neighbour_says(501, 701, tcp::ack)});
    EXPECT_TRUE(fates[1].has_flow);
    EXPECT_EQ(fates[1].state, FlowState::inspected);
    EXPECT_TRUE(line.injected.empty());
}

TEST(Enforce, ADatagramIsJustDropped) {
    Line line;
    judge(line, policy::Action::drop);
    const auto datagram = PacketBuilder{}.from(client).to(game_server).udp();
    PacketBuilder cheat = datagram, honest = datagram;
    EXPECT_EQ(line.send(cheat.payload(as_bytes("cheat"))).drop, DropReason::verdict);
    EXPECT_EQ(line.send(honest.payload(as_bytes("walk"))).drop, DropReason::none);
    EXPECT_TRUE(line.injected.empty());
}

TEST(Enforce, TouchesNothingWhenOnlyObserving) {
    config::Config config = configuration();
    config.mode = verdicts::Mode::observe;
    Line line(config);
    line.shake_hands();
    judge(line, policy::Action::kick, "you flew");
    EXPECT_EQ(line.send(line.from_client(101, 901, tcp::ack, "cheat")).drop, DropReason::none);
    EXPECT_TRUE(line.injected.empty());
    EXPECT_EQ(line.flow()->state, FlowState::inspected);
}

}  // namespace
}  // namespace portcullis::stages
