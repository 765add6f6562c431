// Goal: what is for a Service is found and kept to its connection; all else
// crosses; every refusal has its name.
// Method: stories on a Line; a table of frames that no Flow is made for.

#include "stages/track/track.h"

#include <fstream>

#include "packet/testing/fragmenting.h"
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
        EXPECT_EQ(line.noticed(Notice::bad_checksum), enforcing ? 0u : 1u);
    }
}

rte_mbuf* of(const portcullis::testing::Frame& frame) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(pool());
    std::memcpy(rte_pktmbuf_append(mbuf, static_cast<uint16_t>(frame.size())), frame.data(),
                frame.size());
    return mbuf;
}

TEST(Track, FragmentsGoOnAndAreReadAsOne) {
    Line line;
    line.shake_hands();
    const std::string text(100, 'x');
    const auto pieces =
        portcullis::testing::in_pieces(line.from_client(101, 901, tcp::ack, text), 48);
    ASSERT_EQ(pieces.size(), 3u);
    EXPECT_EQ(line.send_mbufs({of(pieces[2])})[0].way, Way::pass);
    EXPECT_EQ(line.send_mbufs({of(pieces[0])})[0].way, Way::pass);
    const Fate fate = line.send_mbufs({of(pieces[1])})[0];
    EXPECT_TRUE(fate.has_flow);
    EXPECT_EQ(fate.drop, DropReason::none);
    EXPECT_EQ(line.flow()->connection.delivered_bytes(Direction::to_server), 100u);
    EXPECT_EQ(line.noticed(Notice::ip_fragment), 3u);
}

TEST(Track, TheFragmentThatCompletesIsTheOneRefused) {
    Line line;
    line.shake_hands();
    line.flow()->state = FlowState::dead;
    const auto pieces = portcullis::testing::in_pieces(
        line.from_client(101, 901, tcp::ack, std::string(100, 'x')), 48);
    EXPECT_EQ(line.send_mbufs({of(pieces[0])})[0].drop, DropReason::none);
    EXPECT_EQ(line.send_mbufs({of(pieces[1])})[0].drop, DropReason::none);
    EXPECT_EQ(line.send_mbufs({of(pieces[2])})[0].drop, DropReason::flow_dead);
    EXPECT_EQ(line.send_mbufs({of(pieces[2])})[0].drop, DropReason::flow_dead);
    line.injected.clear();
}

// A host reads on where the fragment header was, and there may stand another one (IPv6).  We
// put together once, so what comes out as a fragment again is not to reach a server.
TEST(Track, AFragmentOfFragmentsIsRefused) {
    using portcullis::testing::piece_of;
    config::Config config = configuration();
    config.services[0].endpoint = *parse_endpoint("[2001:db8::2]:25565");
    const auto whole = portcullis::testing::built(PacketBuilder{}
                                                      .from(*parse_endpoint("[2001:db8::7]:50122"))
                                                      .to(config.services[0].endpoint)
                                                      .tcp(Seq(101), Seq(901), tcp::ack)
                                                      .payload(as_bytes(std::string(100, 'x'))));
    for (const bool first : {true, false}) {
        const auto inner =
            first ? piece_of(whole, {0, 48, false}) : piece_of(whole, {48, 120, true});
        const size_t size = inner.size() - ethernet_size - 40;
        Line line(config);
        EXPECT_EQ(line.send_mbufs({of(piece_of(inner, {0, size, true}, 8))})[0].drop,
                  DropReason::fragment);
        EXPECT_EQ(line.send_mbufs({of(piece_of(inner, {0, 24, false}, 9))})[0].drop,
                  DropReason::none);
        EXPECT_EQ(line.send_mbufs({of(piece_of(inner, {24, size, true}, 9))})[0].drop,
                  DropReason::fragment);
    }
}

// A Worker that has no Flow for it does not know whether another one has.
TEST(Track, WhatMayBeAnotherWorkersIsNotPassedAsNobodys) {
    struct Spreading {
        const char* story;
        uint16_t workers;
        bool by_nic;
        config::OnFailure fragments;
        DropReason put_together, atomic;
    };
    using enum config::OnFailure;
    const Spreading cases[] = {
        {"alone", 1, false, closed, DropReason::none, DropReason::none},
        {"handed over", 2, false, closed, DropReason::fragment, DropReason::none},
        {"by the NIC", 2, true, closed, DropReason::fragment, DropReason::midstream},
        {"open", 2, true, open, DropReason::none, DropReason::midstream},
    };
    const Endpoint server6 = *parse_endpoint("[2001:db8::2]:25565");
    const Endpoint client6 = *parse_endpoint("[2001:db8::7]:50122");
    const std::string text(100, 'x');
    const auto segment = [&](const Endpoint& from, const Endpoint& to) {
        return PacketBuilder{}
            .from(from)
            .to(to)
            .tcp(Seq(101), Seq(901), tcp::ack)
            .payload(as_bytes(text));
    };
    for (const Spreading& c : cases) {
        SCOPED_TRACE(c.story);
        config::Config config = configuration();
        config.workers = c.workers;
        config.on_failure.fragments = c.fragments;
        config.services[0].endpoint = server6;
        Line line(config, c.by_nic);
        const auto drop_of_last = [&](const std::vector<portcullis::testing::Frame>& pieces) {
            DropReason drop{};
            for (const auto& piece : pieces) drop = line.send_mbufs({of(piece)})[0].drop;
            return drop;
        };
        using portcullis::testing::in_pieces;
        EXPECT_EQ(drop_of_last(in_pieces(segment(client6, server6), 48)), c.put_together);
        EXPECT_EQ(drop_of_last(in_pieces(segment(client6, server6), 1'000, 8)), c.atomic);
        EXPECT_EQ(line.send(segment(client6, server6)).drop, DropReason::none);
        EXPECT_EQ(drop_of_last(in_pieces(segment(server6, client6), 48)), DropReason::none);
        const bool counted = c.put_together != DropReason::none;
        EXPECT_EQ(line.noticed(Notice::astray),
                  (counted ? 2u : 0u) + (c.atomic != DropReason::none ? 1u : 0u));
    }
}

TEST(Track, FragmentsThatCanNotBePutTogetherFailAsConfigured) {
    for (const auto policy : {config::OnFailure::open, config::OnFailure::closed}) {
        config::Config config = configuration();
        config.limits.fragments = 0;
        config.on_failure.fragments = policy;
        Line line(config);
        const auto pieces = portcullis::testing::in_pieces(
            line.from_client(1, 1, tcp::ack, std::string(100, 'x')), 48);
        for (const auto& piece : pieces) {
            EXPECT_EQ(line.send_mbufs({of(piece)})[0].drop, policy == config::OnFailure::closed
                                                                ? DropReason::fragment
                                                                : DropReason::none);
        }
        // Somebody else's are not ours to judge.
        const Endpoint web = *parse_endpoint("10.0.0.2:80");
        const auto others =
            portcullis::testing::in_pieces(PacketBuilder{}
                                               .from(client)
                                               .to(web)
                                               .tcp(Seq(1), Seq(1), tcp::ack)
                                               .payload(as_bytes("more than eight bytes")),
                                           24);
        EXPECT_EQ(line.send_mbufs({of(others[0])})[0].drop, DropReason::none);
    }
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

// A driver may chain a segment without bytes: then there is nothing to put together, and
// what an earlier frame left in the place for that is nobody's.
TEST(Track, AnEmptySegmentChangesNothing) {
    for (const bool empty_first : {true, false}) {
        Line line;
        line.shake_hands();
        rte_mbuf* earlier = line.from_client(101, 901, tcp::ack, "hello").make(pool());
        rte_mbuf* last = rte_pktmbuf_alloc(pool());
        *rte_pktmbuf_append(last, 1) = 'o';
        rte_pktmbuf_trim(earlier, 1);
        rte_pktmbuf_chain(earlier, last);
        line.send_mbufs({earlier});
        ASSERT_EQ(line.flow()->connection.delivered_bytes(Direction::to_server), 5u);

        rte_mbuf* full = line.from_client(106, 901, tcp::ack, "world").make(pool());
        rte_mbuf* empty = rte_pktmbuf_alloc(pool());
        rte_pktmbuf_chain(empty_first ? empty : full, empty_first ? full : empty);
        std::string read;
        line.on_packet = [&](Packet& packet, uint8_t) { read = as_text(packet.payload()); };
        line.send_mbufs({empty_first ? empty : full});
        EXPECT_EQ(read, "world");
        EXPECT_EQ(line.flow()->connection.delivered_bytes(Direction::to_server), 10u);
    }
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
        const Endpoint second = *parse_endpoint("198.51.100.8:50122");
        const auto frame = [&](bool up, uint32_t seq, uint32_t ack, uint8_t flags) {
            return PacketBuilder{}
                .from(up ? second : server)
                .to(up ? server : second)
                .tcp(Seq(seq), Seq(ack), flags);
        };
        line.send(frame(true, 100, 0, tcp::syn));
        line.send(frame(false, 900, 101, tcp::syn | tcp::ack));
        const Fate fate = line.send(frame(true, 101, 901, tcp::ack));
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

// ---- Whatever the server may read is decoded, or does not go on ----

TEST(TrackEvasion, AnAnswerThatTheServerForgotOpensNothing) {
    for (const uint32_t second : {0x2000'0000u, 0x5000'0000u - 5, 0x5000'0000u + 5}) {
        Line line;
        const uint32_t first = 0x5000'0000;
        line.send(line.from_client(0x4000'0000, 0, tcp::syn));
        line.send(line.from_server(first, 0x4000'0001, tcp::syn | tcp::ack));
        line.send(line.from_client(0x4000'0001, 0, tcp::rst));
        line.send(line.from_client(1000, 0, tcp::syn));
        line.send(line.from_server(second, 1001, tcp::syn | tcp::ack));
        line.send(line.from_client(0x5000'0000, first + 1));  // Far from any window.
        line.send(line.from_client(1001, second + 1));
        const Fate data = line.send(line.from_client(1001, second + 1, tcp::ack, "evil"));
        EXPECT_NE(data.drop, DropReason::none) << second;
    }
}

TEST(TrackEvasion, DataOfASynIsTakenForNoOtherSyn) {
    Line left;
    left.send(left.from_client(1000, 0, tcp::syn, "decoy"));
    left.send(left.from_server(900, 1001, tcp::syn | tcp::ack));
    left.send(left.from_client(1001, 0, tcp::rst));
    EXPECT_EQ(left.send(left.from_client(1005, 0, tcp::syn)).drop, DropReason::none);
    EXPECT_FALSE(left.send(left.from_server(7000, 1006, tcp::syn | tcp::ack)).has_flow);

    Line unanswered;
    unanswered.send(unanswered.from_client(1000, 0, tcp::syn, "decoy"));
    EXPECT_EQ(unanswered.send(unanswered.from_client(1005, 0, tcp::syn)).drop,
              DropReason::conflicting_overlap);

    Line reversed;
    reversed.send(reversed.from_client(1005, 0, tcp::syn));
    EXPECT_EQ(reversed.send(reversed.from_client(1000, 0, tcp::syn, "decoy")).drop,
              DropReason::no_buffer);
    EXPECT_FALSE(reversed.send(reversed.from_server(900, 1006, tcp::syn | tcp::ack)).has_flow);
}

TEST(TrackEvasion, AHandshakeSentAgainBeginsNothing) {
    for (const uint32_t again : {100u, 70'000u}) {
        Line line;
        line.send(line.from_client(100, 0, tcp::syn));
        line.send(line.from_server(900, 101, tcp::syn | tcp::ack));
        line.send(line.from_client(100, 0, tcp::syn));
        EXPECT_TRUE(line.send(line.from_client(101, 901, tcp::ack, "this")).has_flow);
        line.send(line.from_client(again, 0, tcp::syn));
        line.send(line.from_server(900, 101, tcp::syn | tcp::ack));
        EXPECT_EQ(line.send(line.from_client(101, 901, tcp::ack, "that")).drop,
                  DropReason::conflicting_overlap);
        EXPECT_EQ(line.flow()->connection.delivered_bytes(Direction::to_server), 4u) << again;
    }
}

TEST(TrackEvasion, WhatComesBeforeANewConnectionInItsBurstDoesNotGoOn) {
    Line line;
    line.shake_hands();
    line.send(line.from_client(70'000, 0, tcp::syn));
    line.send(line.from_server(80'000, 70'001, tcp::syn | tcp::ack));
    const auto fates = line.send(
        {line.from_client(101, 901, tcp::ack, "unread"), line.from_client(70'001, 80'001)});
    EXPECT_EQ(fates[0].drop, DropReason::flow_dead);
    EXPECT_TRUE(fates[1].has_flow);
}

TEST(TrackEvasion, AServerMayWaitForTheAckLongerThanWeForAnAnswer) {
    Line line;
    line.send(line.from_client(100, 0, tcp::syn));
    for (int i = 0; i < 6; ++i) {
        line.send(line.from_server(900, 101, tcp::syn | tcp::ack));
        line.now += std::chrono::seconds(1 << i);
        line.keep_house();
    }
    EXPECT_EQ(line.send(line.from_client(101, 901, tcp::ack, "late")).state, FlowState::inspected);
    EXPECT_EQ(line.flow()->connection.delivered_bytes(Direction::to_server), 4u);
}

// A server of SYN cookies would take each of them.
TEST(TrackEvasion, DataAfterAnAnswerThatWeForgotDoesNotGoOn) {
    Line line;
    for (const uint32_t isn : {100u, 20'000u, 30'000u}) {
        line.send(line.from_client(isn, 0, tcp::syn));
        line.send(line.from_server(isn + 1'000'000, isn + 1, tcp::syn | tcp::ack));
    }
    EXPECT_EQ(line.send(line.from_client(101, 1'000'101)).drop, DropReason::none);
    EXPECT_EQ(line.send(line.from_client(101, 1'000'101, tcp::ack, "evil")).drop,
              DropReason::out_of_window);
    EXPECT_TRUE(line.send(line.from_client(20'001, 1'020'001)).has_flow);
}

// ---- The end ----

TEST(Track, ForgetsWhoSaysNothing) {
    Line line;
    line.shake_hands();
    EXPECT_EQ(line.context.flows.size(), 1u);
    line.now += 301s;
    // Even before the sweep comes by, it is as if it had.
    EXPECT_FALSE(line.send(line.from_client(101, 901, tcp::ack, "late")).has_flow);
    EXPECT_EQ(line.context.flows.size(), 0u);
}

TEST(Track, ADatagramIsRememberedWhenDecodeSaysSo) {
    Line line;
    const auto datagram = PacketBuilder{}.from(client).to(game_server).udp();
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(line.send(datagram).has_flow);
    EXPECT_EQ(line.context.flows.size(), 0u);
    line.on_packet = [&](Packet& packet, uint8_t) {
        line.context.reunite(packet);
        if (line.context.strangers.contains(*packet.flow)) {
            packet.flow = line.context.adopt(*packet.flow);
        }
    };
    // Three in one burst are one session, whoever speaks first.
    PacketBuilder answer = PacketBuilder{}.from(game_server).to(client).udp();
    for (const Fate& fate : line.send({answer, datagram, datagram})) EXPECT_TRUE(fate.has_flow);
    EXPECT_EQ(line.context.flows.size(), 1u);
    Flow* flow = line.flow(client, game_server, 17);
    ASSERT_NE(flow, nullptr);
    EXPECT_EQ(flow->client(), client);
    // Both said goodbye: late packets still come for a while.
    flow->said_goodbye = true;
    line.now += Track::reset_linger - 1s;
    EXPECT_EQ(line.send(datagram).has_flow, true);
    line.now += Track::reset_linger + 1s;
    for (uint32_t i = 0; i < Track::sweep_calls; ++i) line.keep_house();
    EXPECT_EQ(line.context.flows.size(), 0u);
}

TEST(Track, AResetIsNotBelievedTooSoon) {
    Line line;
    line.shake_hands();
    line.send(line.from_client(101, 901, tcp::rst));
    EXPECT_TRUE(line.flow()->connection.over());
    line.now += 59s;
    // It goes on all the same: the server never saw the reset.
    EXPECT_TRUE(line.send(line.from_client(101, 901, tcp::ack, "still here")).has_flow);
    EXPECT_EQ(line.flow()->state, FlowState::inspected);
    line.send(line.from_client(111, 901, tcp::rst));
    line.now += 61s;
    EXPECT_FALSE(line.send(line.from_client(111, 901, tcp::ack, "gone")).has_flow);
}

TEST(Track, TheBlockedStayOut) {
    Line line;
    line.shake_hands();
    verdicts::Order order;
    order.kind = verdicts::Order::Kind::block;
    order.prefix = *parse_prefix("198.51.100.0/24");
    order.lasts = 10s;
    line.obey(order);
    EXPECT_EQ(line.send(line.from_client(101, 901, tcp::ack, "x")).drop, DropReason::blocked);
    EXPECT_EQ(line.send(PacketBuilder{}.from(client).to(game_server).udp()).drop,
              DropReason::blocked);
    EXPECT_EQ(line.send(line.from_server(901, 101)).drop, DropReason::none);
    order.kind = verdicts::Order::Kind::unblock;
    line.obey(order);
    EXPECT_EQ(line.send(line.from_client(101, 901, tcp::ack, "x")).drop, DropReason::none);
    order.kind = verdicts::Order::Kind::block;
    line.obey(order);
    line.now += 9s;
    EXPECT_EQ(line.send(line.from_client(101, 901, tcp::ack, "x")).drop, DropReason::blocked);
    line.now += 2s;
    EXPECT_EQ(line.send(line.from_client(101, 901, tcp::ack, "x")).drop, DropReason::none)
        << "it lasts as long as was ordered, whenever that was";
}

/// Pages of this process that are in memory.
size_t resident() {
    size_t size = 0, pages = 0;
    std::ifstream("/proc/self/statm") >> size >> pages;
    return pages;
}

TEST(Track, AFloodFromAMillionSourcesCostsNobodyAnything) {
    constexpr uint32_t sources = 1'000'000, players = 40;
    Line line;
    const auto player = [](uint32_t i) { return Endpoint{IpAddress::v4(0x0a010000 + i), 5000}; };
    const auto from = [&](uint32_t i) { return PacketBuilder{}.from(player(i)).to(server); };
    for (uint32_t i = 0; i < players; ++i) {
        line.send(from(i).tcp(Seq(100), Seq(0), tcp::syn));
        line.send(PacketBuilder{}.from(server).to(player(i)).tcp(Seq(900), Seq(101),
                                                                 tcp::syn | tcp::ack));
        ASSERT_TRUE(line.send(from(i).tcp(Seq(101), Seq(901), tcp::ack)).has_flow);
    }
    const size_t pages = resident(), half_open = line.context.half_open.memory();
    constexpr uint32_t at_once = 63;
    uint32_t said = 0;
    for (uint32_t i = 0; i < sources; i += at_once) {
        std::vector<PacketBuilder> burst;
        for (uint32_t source = i; source < std::min(i + at_once, sources); ++source) {
            const Endpoint someone{IpAddress::v4(0x0b000000 + source), 4000};
            burst.push_back(
                PacketBuilder{}.from(someone).to(server).tcp(Seq(source), Seq(0), tcp::syn));
        }
        const uint32_t round = said / players;
        burst.push_back(from(said++ % players)
                            .tcp(Seq(101 + round * 4), Seq(901), tcp::ack)
                            .payload(as_bytes("play")));
        ASSERT_TRUE(line.send(burst).back().has_flow);
        // The server acknowledges now and then, or its window would be full.
        if (said % (players * 100) == 0) {
            for (uint32_t p = 0; p < players; ++p) {
                line.send(PacketBuilder{}.from(server).to(player(p)).tcp(
                    Seq(901), Seq(101 + (round + 1) * 4), tcp::ack));
            }
        }
    }
    EXPECT_EQ(line.context.flows.size(), players);
    EXPECT_EQ(line.context.half_open.memory(), half_open);
    EXPECT_LE(line.context.half_open.size(), line.context.half_open.capacity());
    EXPECT_LE(resident(), pages + 64);  // A quarter of a MiB, for what the test itself does.
    for (uint32_t p = 0; p < players; ++p) {
        const auto sent = said / players + (p < said % players ? 1 : 0);
        EXPECT_EQ(line.flow(player(p))->connection.delivered_bytes(Direction::to_server),
                  sent * 4u);
    }
}

}  // namespace
}  // namespace portcullis::stages
