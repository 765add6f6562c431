// Goal: what is for a Service is found and kept to its connection; all else
// crosses; every refusal has its name.
// Method: stories on a Line; a table of frames that no Flow is made for.

#include "stages/track/track.h"

#include "stages/testing/line.h"

namespace portcullis::stages {
namespace {

using namespace testing;

TEST(Track, MakesAFlowWhenTheClientAcknowledges) {
    Line line;
    EXPECT_EQ(line.send(line.from_client(100, 0, tcp::syn)).way, Way::pass);
    EXPECT_EQ(line.send(line.from_server(900, 101, tcp::syn | tcp::ack)).way, Way::pass);
    EXPECT_EQ(line.context.flows.size(), 0u);
    const Fate ack = line.send(line.from_client(101, 901));
    EXPECT_TRUE(ack.has_flow);
    EXPECT_EQ(ack.state, FlowState::inspected);
    ASSERT_NE(line.flow(), nullptr);
    EXPECT_EQ(line.flow()->client(), client);
    EXPECT_EQ(line.flow()->server(), server);
    EXPECT_EQ(line.flow()->connection.next_seq(Direction::to_server), Seq(101));
    EXPECT_EQ(line.context.half_open.size(), 0u);
}

TEST(Track, DataInTheSameBurstAsTheHandshake) {
    Line line;
    const auto fates = line.send(
        {line.from_client(100, 0, tcp::syn), line.from_server(900, 101, tcp::syn | tcp::ack),
         line.from_client(101, 901), line.from_client(101, 901, tcp::psh | tcp::ack, "hello")});
    EXPECT_TRUE(fates[2].has_flow);
    EXPECT_TRUE(fates[3].has_flow);
    EXPECT_EQ(line.flow()->connection.delivered_bytes(Direction::to_server), 5u);
}

struct Case {
    const char* story;
    PacketBuilder frame;
    DropReason drop;
};

TEST(Track, WhatIsForNobodyCrosses) {
    const Endpoint web = *parse_endpoint("10.0.0.2:80");
    const Case cases[] = {
        {"another port", PacketBuilder{}.from(client).to(web).tcp(Seq(1), Seq(1), tcp::ack),
         DropReason::none},
        {"the port over UDP", PacketBuilder{}.from(client).to(server).udp(), DropReason::none},
        {"a lone RST", PacketBuilder{}.from(client).to(server).tcp(Seq(1), Seq(0), tcp::rst),
         DropReason::none},
        {"a lone FIN",
         PacketBuilder{}.from(client).to(server).tcp(Seq(1), Seq(1), tcp::fin | tcp::ack),
         DropReason::none},
        {"a SYN with data",
         PacketBuilder{}
             .from(client)
             .to(server)
             .tcp(Seq(1), Seq(0), tcp::syn)
             .payload(as_bytes("early")),
         DropReason::none},
        {"a server that speaks first", PacketBuilder{}.from(game_server).to(client).udp(),
         DropReason::none},
    };
    for (const Case& c : cases) {
        Line line;
        const Fate fate = line.send(c.frame);
        EXPECT_EQ(fate.drop, c.drop) << c.story;
        EXPECT_FALSE(fate.has_flow) << c.story;
        EXPECT_EQ(line.context.flows.size(), 0u) << c.story;
    }
}

rte_mbuf* bent(const PacketBuilder& builder, const std::function<void(std::byte*)>& bend) {
    rte_mbuf* mbuf = builder.make(pool());
    bend(rte_pktmbuf_mtod(mbuf, std::byte*));
    return mbuf;
}

TEST(Track, BrokenPacketsAreRefusedOnlyForAService) {
    const Endpoint web = *parse_endpoint("10.0.0.2:80");
    const auto break_sum = [](std::byte* frame) { frame[50] ^= std::byte{1}; };
    for (const bool enforcing : {true, false}) {
        config::Config config = configuration();
        config.mode = enforcing ? verdicts::Mode::enforce : verdicts::Mode::observe;
        Line line(config);
        const auto to_web = PacketBuilder{}.from(client).to(web).tcp(Seq(1), Seq(1), tcp::ack);
        const auto fates =
            line.send_mbufs({bent(line.from_client(1, 1), break_sum), bent(to_web, break_sum)});
        EXPECT_EQ(fates[0].drop, enforcing ? DropReason::bad_checksum : DropReason::none);
        EXPECT_EQ(fates[0].way == Way::pass, !enforcing);
        EXPECT_EQ(fates[1].drop, DropReason::none);
    }
}

TEST(Track, TheFirstFragmentHasThePorts) {
    const auto first = [](std::byte* frame) { frame[20] = std::byte{0x20}; };
    const auto later = [](std::byte* frame) { frame[21] = std::byte{3}; };
    Line closed;
    EXPECT_EQ(closed.send_mbufs({bent(closed.from_client(1, 1), first)})[0].drop,
              DropReason::fragment);
    EXPECT_EQ(closed.send_mbufs({bent(closed.from_client(1, 1), later)})[0].drop, DropReason::none);
    EXPECT_EQ(closed.noticed(Notice::ip_fragment), 2u);
    config::Config config = configuration();
    config.on_failure.fragments = config::OnFailure::open;
    Line open(config);
    EXPECT_EQ(open.send_mbufs({bent(open.from_client(1, 1), first)})[0].drop, DropReason::none);
}

TEST(Track, AFramesSegmentsAreReadAsOne) {
    Line line;
    line.shake_hands();
    rte_mbuf* whole = line.from_client(101, 901, tcp::ack, "hello").make(pool());
    rte_mbuf* rest = rte_pktmbuf_alloc(pool());
    const uint16_t cut = 40;  // Within the TCP header.
    const auto size = static_cast<uint16_t>(whole->data_len - cut);
    std::memcpy(rte_pktmbuf_append(rest, size), rte_pktmbuf_mtod_offset(whole, char*, cut), size);
    rte_pktmbuf_trim(whole, size);
    rte_pktmbuf_chain(whole, rest);
    EXPECT_EQ(line.send_mbufs({whole})[0].drop, DropReason::none);
    EXPECT_EQ(line.flow()->connection.delivered_bytes(Direction::to_server), 5u);
}

TEST(Track, OlderConnectionsPassAndAreMarked) {
    Line line;
    EXPECT_FALSE(line.send(line.from_client(500, 700, tcp::ack, "old")).has_flow);
    EXPECT_EQ(line.context.flows.size(), 0u);  // The client's word alone.
    const Fate answer = line.send(line.from_server(700, 503));
    EXPECT_EQ(answer.state, FlowState::bypass);
    EXPECT_EQ(answer.way, Way::pass);
    EXPECT_EQ(line.send(line.from_client(503, 700, tcp::ack, "old")).way, Way::pass);
    EXPECT_EQ(line.noticed(Notice::midstream_flow), 1u);
    EXPECT_EQ(line.flow()->client(), client);

    config::Config config = configuration();
    config.on_failure.midstream = config::OnFailure::closed;
    Line closed(config);
    EXPECT_EQ(closed.send(closed.from_client(500, 700)).drop, DropReason::midstream);
    EXPECT_EQ(closed.send(closed.from_server(700, 500)).drop, DropReason::midstream);
}

// The client's stack drops what no connection can send; to take it for an older
// connection would leave the one that is being opened uninspected.
TEST(Track, NothingTheServersSideSaysEarlyHidesAConnection) {
    Line line;
    line.send(line.from_client(100, 0, tcp::syn));
    EXPECT_EQ(line.send(line.from_server(0, 101, tcp::ack | tcp::rst)).way, Way::pass);
    EXPECT_EQ(line.send(line.from_server(0, 101, tcp::ack | tcp::fin)).way, Way::pass);
    EXPECT_EQ(line.flow(), nullptr);
    line.send(line.from_server(900, 101, tcp::syn | tcp::ack));
    EXPECT_EQ(line.send(line.from_client(101, 901)).state, FlowState::inspected);
    EXPECT_EQ(line.noticed(Notice::midstream_flow), 0u);
}

TEST(Track, AServerThatSpeaksFirstHoldsTheConnectionForOpen) {
    Line line;
    line.send(line.from_client(100, 0, tcp::syn));
    line.send(line.from_server(900, 101, tcp::syn | tcp::ack));
    const Fate fate = line.send(line.from_server(901, 101, tcp::ack, "hello"));
    EXPECT_TRUE(fate.has_flow);
    EXPECT_EQ(fate.state, FlowState::inspected);
    EXPECT_EQ(line.flow()->connection.delivered_bytes(Direction::to_client), 5u);
    EXPECT_EQ(line.send(line.from_client(101, 906, tcp::ack, "hi")).drop, DropReason::none);
    EXPECT_EQ(line.flow()->connection.delivered_bytes(Direction::to_server), 2u);
}

TEST(Track, DataInASynCountsOnceTheServerTakesIt) {
    Line line;
    EXPECT_EQ(line.send(line.from_client(100, 0, tcp::syn, "hi")).drop, DropReason::none);
    EXPECT_EQ(line.flow(), nullptr);
    EXPECT_EQ(line.send(line.from_client(100, 0, tcp::syn, "ho")).drop,
              DropReason::conflicting_overlap);
    EXPECT_TRUE(line.send(line.from_server(900, 103, tcp::syn | tcp::ack)).has_flow);
    ASSERT_NE(line.flow(), nullptr);
    EXPECT_TRUE(line.flow()->early_data);
    EXPECT_EQ(line.flow()->connection.next_seq(Direction::to_server), Seq(101));
}

TEST(Track, DataInASynThatTheServerLeavesIsSentAgain) {
    Line line;
    line.send(line.from_client(100, 0, tcp::syn, "hi"));
    EXPECT_FALSE(line.send(line.from_server(900, 101, tcp::syn | tcp::ack)).has_flow);
    EXPECT_TRUE(line.send(line.from_client(101, 901, tcp::ack, "hi")).has_flow);
    EXPECT_FALSE(line.flow()->early_data);
    EXPECT_EQ(line.flow()->connection.delivered_bytes(Direction::to_server), 2u);
}

TEST(Track, AFullTableFailsAsConfigured) {
    for (const auto policy : {config::OnFailure::open, config::OnFailure::closed}) {
        config::Config config = configuration();
        config.limits.flows = 1;
        config.on_failure.flow_table = policy;
        Line line(config);
        line.shake_hands();
        const auto datagram = PacketBuilder{}.from(client).to(game_server).udp();
        const Fate fate = line.send(datagram);
        EXPECT_EQ(fate.drop, policy == config::OnFailure::closed ? DropReason::flow_table_full
                                                                 : DropReason::none);
        EXPECT_FALSE(fate.has_flow);
        EXPECT_EQ(line.noticed(Notice::flow_table_full), 1u);
    }
}

TEST(Track, ASecondHandshakeOnTheSamePorts) {
    Line line;
    line.shake_hands();
    line.send(line.from_client(101, 901, tcp::ack, "first life"));
    line.send(line.from_client(70'000, 0, tcp::syn));
    EXPECT_EQ(line.flow()->connection.delivered_bytes(Direction::to_server), 10u);
    // The server does not confirm: the first life goes on.
    EXPECT_TRUE(line.send(line.from_client(111, 901, tcp::ack, "!")).has_flow);
    EXPECT_EQ(line.flow()->connection.delivered_bytes(Direction::to_server), 11u);
    // It confirms: a new connection.
    line.send(line.from_server(80'000, 70'001, tcp::syn | tcp::ack));
    const Fate ack = line.send(line.from_client(70'001, 80'001));
    EXPECT_TRUE(ack.has_flow);
    EXPECT_EQ(line.flow()->connection.next_seq(Direction::to_server), Seq(70'001));
    EXPECT_EQ(line.context.flows.size(), 1u);
}

TEST(Track, ForgetsWhoSaysNothing) {
    Line line;
    line.shake_hands();
    line.send(PacketBuilder{}.from(client).to(game_server).udp());
    EXPECT_EQ(line.context.flows.size(), 2u);
    line.now += 31s;  // No server has answered the datagram.
    for (uint32_t i = 0; i < Track::sweep_calls; ++i) line.keep_house();
    EXPECT_EQ(line.context.flows.size(), 1u);
    line.now += 280s;
    // Even before the sweep comes by, it is as if it had.
    EXPECT_FALSE(line.send(line.from_client(101, 901, tcp::ack, "late")).has_flow);
    EXPECT_EQ(line.context.flows.size(), 0u);
}

TEST(Track, TheBlockedStayOut) {
    Line line;
    line.shake_hands();
    verdicts::Order order;
    order.kind = verdicts::Order::Kind::block;
    order.prefix = *parse_prefix("198.51.100.0/24");
    order.until = line.now + 60s;
    line.obey(order);
    EXPECT_EQ(line.send(line.from_client(101, 901, tcp::ack, "x")).drop, DropReason::blocked);
    EXPECT_EQ(line.send(PacketBuilder{}.from(client).to(game_server).udp()).drop,
              DropReason::blocked);
    EXPECT_EQ(line.send(line.from_server(901, 101)).drop, DropReason::none);
    order.kind = verdicts::Order::Kind::unblock;
    line.obey(order);
    EXPECT_EQ(line.send(line.from_client(101, 901, tcp::ack, "x")).drop, DropReason::none);
}

TEST(Track, AFloodOfSynsMakesNoFlow) {
    Line line;
    line.shake_hands();
    const size_t before = line.context.half_open.memory();
    for (uint32_t i = 0; i < 10'000; ++i) {
        const Endpoint someone{IpAddress::v4(0x0b000000 + i), 4000};
        line.send(PacketBuilder{}.from(someone).to(server).tcp(Seq(i), Seq(0), tcp::syn));
    }
    EXPECT_EQ(line.context.flows.size(), 1u);
    EXPECT_EQ(line.context.half_open.memory(), before);
    EXPECT_GT(line.noticed(Notice::half_open_evicted), 9'000u);
    EXPECT_EQ(line.send(line.from_client(101, 901, tcp::ack, "still")).drop, DropReason::none);
}

}  // namespace
}  // namespace portcullis::stages
