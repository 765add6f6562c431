// Goal: nobody speaks in a server's name from the side of its clients; and wherever players,
// servers and wires honestly stand, their packets go on and are read.
// Method: stories on a Line whose frames come in on a side each.

#include <gtest/gtest.h>

#include "stages/testing/line.h"

namespace portcullis::stages {
namespace {

using namespace testing;

const Endpoint somebody = *parse_endpoint("198.51.100.8:40000");

/// A wire with players outside and servers inside, unless said otherwise.
struct Sided : Line {
    explicit Sided(verdicts::Mode mode = verdicts::Mode::enforce, Side of_players = Side::outside)
        : Line(with(mode), false, true), players(of_players) {}

    static config::Config with(verdicts::Mode mode) {
        config::Config config = configuration();
        config.mode = mode;
        return config;
    }
    Fate on(Side where, const PacketBuilder& frame) {
        side = where;
        return send(frame);
    }
    Fate player(const PacketBuilder& frame) { return on(players, frame); }
    Fate real(const PacketBuilder& frame) { return on(opposite(players), frame); }
    Fate forged(const PacketBuilder& frame) { return on(players, frame); }

    void connect() {
        player(from_client(100, 0, tcp::syn));
        real(from_server(900, 101, tcp::syn | tcp::ack));
        ASSERT_TRUE(player(from_client(101, 901)).has_flow);
    }
    /// Somebody else has played here before.
    void known() {
        player(PacketBuilder{}.from(somebody).to(server).tcp(Seq(1), Seq(0), tcp::syn));
        real(PacketBuilder{}.from(server).to(somebody).tcp(Seq(5), Seq(2), tcp::syn | tcp::ack));
    }

    const Side players;
};

struct Lie {
    const char* story;
    uint32_t seq, ack;
    uint8_t flags;
    const char* text;
};
constexpr Lie lies[] = {
    {"a reset", 901, 101, tcp::rst, ""},
    {"a reset with an acknowledgement", 901, 105, tcp::rst | tcp::ack, ""},
    {"data", 901, 105, tcp::psh | tcp::ack, "EVIL"},
    {"data ahead", 1901, 105, tcp::psh | tcp::ack, "EVIL"},
    {"the end", 901, 105, tcp::fin | tcp::ack, ""},
    {"an acknowledgement", 901, 105, tcp::ack, ""},
    {"a handshake again", 5000, 101, tcp::syn | tcp::ack, ""},
};

TEST(WrongSide, WhatIsForgedInAServersNameChangesNothing) {
    for (const Side players : {Side::outside, Side::inside}) {
        for (const Lie& lie : lies) {
            SCOPED_TRACE(lie.story);
            Sided wire(verdicts::Mode::enforce, players);
            wire.connect();
            wire.player(wire.from_client(101, 901, tcp::ack, "GOOD"));
            const Fate fate = wire.forged(wire.from_server(lie.seq, lie.ack, lie.flags, lie.text));
            EXPECT_EQ(fate.drop, DropReason::wrong_side);
            EXPECT_EQ(wire.noticed(Notice::wrong_side), 1u);
            const stream::Connection& connection = wire.flow()->connection;
            EXPECT_FALSE(connection.over());
            EXPECT_EQ(connection.next_seq(Direction::to_client), Seq(901));
            EXPECT_EQ(connection.acked(Direction::to_server), Seq(101));
            EXPECT_EQ(wire.real(wire.from_server(901, 105, tcp::ack, "play")).drop,
                      DropReason::none);
            EXPECT_EQ(connection.delivered_bytes(Direction::to_client), 4u);
        }
    }
}

// A sender who acknowledges his own bytes in the server's name could change them afterwards.
TEST(WrongSide, BytesAreKeptUntilTheServerItselfHasThem) {
    Sided wire;
    wire.connect();
    wire.player(wire.from_client(101, 901, tcp::ack, "GOOD"));
    wire.forged(wire.from_server(901, 105));
    EXPECT_EQ(wire.player(wire.from_client(101, 901, tcp::ack, "EVIL")).drop,
              DropReason::conflicting_overlap);
}

TEST(WrongSide, ObservingBelievesNothingAndTouchesNothing) {
    for (const Lie& lie : lies) {
        SCOPED_TRACE(lie.story);
        Sided wire(verdicts::Mode::observe);
        wire.connect();
        const Fate fate = wire.forged(wire.from_server(lie.seq, 101, lie.flags, lie.text));
        EXPECT_EQ(fate.drop, DropReason::none);
        EXPECT_EQ(fate.way, Way::pass);
        EXPECT_EQ(wire.noticed(Notice::wrong_side), 1u);
        EXPECT_FALSE(wire.flow()->connection.over());
        EXPECT_EQ(wire.flow()->connection.next_seq(Direction::to_client), Seq(901));
    }
}

TEST(WrongSide, AHandshakeIsAnsweredFromTheOtherSide) {
    Sided wire;
    wire.known();
    wire.player(wire.from_client(100, 0, tcp::syn));
    EXPECT_EQ(wire.forged(wire.from_server(7000, 101, tcp::syn | tcp::ack)).drop,
              DropReason::wrong_side);
    EXPECT_FALSE(wire.player(wire.from_client(101, 7001)).has_flow);
    wire.real(wire.from_server(900, 101, tcp::syn | tcp::ack));
    EXPECT_TRUE(wire.player(wire.from_client(101, 901)).has_flow);
}

TEST(WrongSide, AnAnswerBeforeItsQuestionIsNone) {
    Sided wire;
    wire.known();
    EXPECT_EQ(wire.forged(wire.from_server(7000, 101, tcp::syn | tcp::ack)).way, Way::pass);
    wire.player(wire.from_client(100, 0, tcp::syn));
    EXPECT_FALSE(wire.player(wire.from_client(101, 7001)).has_flow);

    // Nor where players stand on both sides.
    wire.on(Side::inside, PacketBuilder{}.from(somebody).to(server).tcp(Seq(1), Seq(0), tcp::syn));
    const Endpoint other = *parse_endpoint("198.51.100.9:1");
    const auto says = [&] { return PacketBuilder{}.from(other).to(server); };
    wire.forged(
        PacketBuilder{}.from(server).to(other).tcp(Seq(7000), Seq(101), tcp::syn | tcp::ack));
    wire.player(says().tcp(Seq(100), Seq(0), tcp::syn));
    EXPECT_FALSE(wire.player(says().tcp(Seq(101), Seq(7001), tcp::ack)).has_flow);
}

TEST(WrongSide, NobodyFillsTheTableInAServersName) {
    Sided wire;
    wire.known();
    for (uint16_t port = 1; port <= 100; ++port) {
        const Endpoint to{client.address, port};
        const auto frame = PacketBuilder{}.from(server).to(to).tcp(Seq(1), Seq(1), tcp::ack);
        EXPECT_EQ(wire.forged(frame).way, Way::pass);
    }
    EXPECT_EQ(wire.context.flows.size(), 0u);
    EXPECT_EQ(wire.noticed(Notice::wrong_side), 100u);
    wire.real(wire.from_server(1, 1));
    EXPECT_EQ(wire.flow()->state, FlowState::bypass);
}

TEST(WrongSide, DatagramsInAServersNameAreNotRead) {
    Sided wire;
    int read = 0;
    wire.on_packet = [&](Packet&, uint8_t) { ++read; };
    const auto up = PacketBuilder{}.from(client).to(game_server).udp();
    const auto down = PacketBuilder{}.from(game_server).to(client).udp();
    wire.player(up);
    wire.real(down);
    EXPECT_EQ(read, 2);
    EXPECT_EQ(wire.forged(down).way, Way::pass);
    EXPECT_EQ(read, 2);

    Flow* flow =
        wire.context.flows.insert({FlowKey::of(client, game_server, 17),
                                   wire.context.hash(FlowKey::of(client, game_server, 17))});
    flow->service = 1;
    flow->client_is_low = FlowKey::in_order(client, game_server);
    flow->client_outside = true;
    flow->last_seen = wire.now;
    EXPECT_EQ(wire.forged(down).drop, DropReason::wrong_side);
    EXPECT_EQ(wire.real(down).drop, DropReason::none);
    EXPECT_EQ(wire.player(up).drop, DropReason::none);
    EXPECT_EQ(read, 4);
}

/// What goes by on the way of a connection, as often as the wire lies on it.
struct Path {
    const char* story;
    std::vector<Side> of_client, of_server;
};

TEST(WrongSide, EveryHonestPathIsTaken) {
    constexpr Side out = Side::outside, in = Side::inside;
    const Path paths[] = {
        {"players outside", {out}, {in}},
        {"players inside", {in}, {out}},
        {"a mirror of both directions", {out}, {out}},
        {"a mirror on the other port", {in}, {in}},
        {"both inside, their router outside", {in, out}, {in, out}},
        {"both outside, their router inside", {out, in}, {out, in}},
        {"inside, and the answer takes the short way", {in, out}, {in}},
    };
    for (const Path& path : paths) {
        SCOPED_TRACE(path.story);
        Sided wire;
        const auto goes = [&](const PacketBuilder& frame, const std::vector<Side>& sides) {
            for (const Side where : sides) {
                const Fate fate = wire.on(where, frame);
                EXPECT_EQ(fate.drop, DropReason::none);
            }
        };
        for (uint16_t port = 50'000; port < 50'003; ++port) {
            const Endpoint player{client.address, port};
            const auto up = [&] { return PacketBuilder{}.from(player).to(server); };
            const auto down = [&] { return PacketBuilder{}.from(server).to(player); };
            goes(up().tcp(Seq(100), Seq(0), tcp::syn), path.of_client);
            goes(down().tcp(Seq(900), Seq(101), tcp::syn | tcp::ack), path.of_server);
            goes(up().tcp(Seq(101), Seq(901), tcp::ack), path.of_client);
            goes(up().tcp(Seq(101), Seq(901), tcp::ack).payload(as_bytes("hello")), path.of_client);
            goes(down().tcp(Seq(901), Seq(106), tcp::ack).payload(as_bytes("hi")), path.of_server);
            Flow* flow = wire.flow(player);
            ASSERT_NE(flow, nullptr);
            EXPECT_EQ(flow->state, FlowState::inspected);
            EXPECT_EQ(flow->connection.delivered_bytes(Direction::to_server), 5u);
            EXPECT_EQ(flow->connection.delivered_bytes(Direction::to_client), 2u);
            EXPECT_EQ(flow->connection.acked(Direction::to_server), Seq(106));
        }
        EXPECT_EQ(wire.noticed(Notice::wrong_side), 0u);
    }
}

TEST(WrongSide, EachDirectionMayHaveAWireOfItsOwn) {
    Sided wire;
    wire.known();
    const auto back = [&](const PacketBuilder& frame) {
        wire.wire = 1;
        const Fate fate = wire.real(frame);
        wire.wire = 0;
        return fate;
    };
    wire.player(wire.from_client(100, 0, tcp::syn));
    back(wire.from_server(900, 101, tcp::syn | tcp::ack));
    EXPECT_TRUE(wire.player(wire.from_client(101, 901)).has_flow);
    EXPECT_EQ(back(wire.from_server(901, 101, tcp::ack, "hi")).drop, DropReason::none);
    EXPECT_EQ(wire.forged(wire.from_server(903, 101, tcp::ack, "EVIL")).drop,
              DropReason::wrong_side);
}

// A network that mends itself may turn the wire's two ends.
TEST(WrongSide, AConnectionMayMove) {
    Sided wire;
    wire.connect();
    EXPECT_EQ(wire.on(Side::inside, wire.from_client(101, 901, tcp::ack, "hello")).drop,
              DropReason::none);
    EXPECT_EQ(wire.on(Side::outside, wire.from_server(901, 106, tcp::ack, "hi")).drop,
              DropReason::none);
    EXPECT_EQ(wire.flow()->connection.delivered_bytes(Direction::to_client), 2u);
}

TEST(WrongSide, OfACaptureTellsNothing) {
    Line capture;
    capture.shake_hands();
    EXPECT_EQ(capture.send(capture.from_server(901, 101, tcp::ack, "hi")).drop, DropReason::none);
    capture.side = Side::inside;
    EXPECT_EQ(capture.send(capture.from_server(903, 101, tcp::ack, "hi")).drop, DropReason::none);
    EXPECT_EQ(capture.noticed(Notice::wrong_side), 0u);
}

}  // namespace
}  // namespace portcullis::stages
