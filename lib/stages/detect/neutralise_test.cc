// Goal: a move that the policy neutralises reaches the server harmless, however it
// is cut, ordered and sent again, or the connection ends before it is whole.
// Method: real stages, a hand-made session of 1.8; what left toward the server is
// put together by receivers that keep the first copy or the last, and decoded by a
// decoder of its own.  Nothing else is looked at.

#include <cstdlib>
#include <limits>
#include <memory>

#include "protocol/minecraft/talk_test_support.h"
#include "stages/decode/decode.h"
#include "stages/detect/detect.h"
#include "stages/testing/line.h"

namespace portcullis::stages {
namespace {

using namespace testing;
using minecraft::testing::Made;
using minecraft::testing::packet;
using minecraft::testing::Talk;

constexpr int32_t version = 47;
constexpr uint32_t first_seq = 101, server_seq = 901;

config::Config neutralising() {
    config::Config config = configuration();
    config.limits.flows = 16;
    config.limits.players = 4;
    config.policies[0].ladder = {{1, policy::Action::neutralise}};
    return config;
}

Made position(double x, double y, double z, bool on_ground) {
    return packet(4).f64(x).f64(y).f64(z).boolean(on_ground);
}
const double no_number = std::numeric_limits<double>::quiet_NaN();

/// What the server has of the client's stream; a place no byte came for holds none.
class Receiver {
public:
    explicit Receiver(bool keeps_first) : keeps_first_(keeps_first) {}

    void take(uint32_t seq, std::string_view bytes) {
        const size_t at = seq - first_seq;
        if (stream_.size() < at + bytes.size()) {
            stream_.resize(at + bytes.size());
            has_.resize(at + bytes.size());
        }
        for (size_t i = 0; i < bytes.size(); ++i) {
            if (has_[at + i] && keeps_first_) continue;
            stream_[at + i] = bytes[i];
            has_[at + i] = true;
        }
    }
    std::string read() const {
        const auto hole = std::find(has_.begin(), has_.end(), false);
        return stream_.substr(0, static_cast<size_t>(hole - has_.begin()));
    }

private:
    bool keeps_first_;
    std::string stream_;
    std::vector<bool> has_;
};

/// A client, a server, and a Worker's stages between them.
class Game : public testing::TestWorker {
public:
    explicit Game(config::Config c = neutralising(), int32_t threshold = -1)
        : TestWorker(std::move(c)) {
        talk_.log_in(version, threshold);
        put(client_frame(tcp::syn, first_seq - 1, 0, ""), Direction::to_server);
        put(server_frame(tcp::syn | tcp::ack, server_seq - 1, first_seq, ""), Direction::to_client);
        client(first_seq, login());
        std::string welcome;
        if (threshold >= 0) {
            welcome = minecraft::testing::plain_frame(packet(3).varint(threshold).str());
        }
        welcome +=
            talk_.framed(packet(2).text("07070707-0707-0707-0707-070707070707").text("Alice"));
        put(server_frame(tcp::ack, server_seq, next(), welcome), Direction::to_client);
        server_said_ = welcome.size();
    }
    static std::string login() {
        return minecraft::testing::plain_frame(minecraft::testing::handshake(version, 2).str()) +
               minecraft::testing::plain_frame(packet(0).text("Alice").str());
    }
    /// The number of the first byte after the login.
    static uint32_t next() { return first_seq + static_cast<uint32_t>(login().size()); }

    std::string framed(const Made& body) const { return talk_.framed(body); }
    DropReason client(uint32_t seq, std::string_view bytes, uint8_t flags = tcp::ack) {
        const auto ack = static_cast<uint32_t>(server_seq + server_said_);
        return put(client_frame(flags, seq, ack, bytes), Direction::to_server);
    }

    /// What a server makes of what it got.
    std::string server_reads(bool keeps_first) const {
        Talk talk;
        std::string read = (keeps_first ? first_ : last_).read();
        talk.log_in(version, talk_.session.threshold);
        read.erase(0, std::min(read.size(), login().size()));
        talk.client(read);
        return talk.recorder.heard();
    }
    bool severed() const { return severed_; }

private:
    PacketBuilder client_frame(uint8_t flags, uint32_t seq, uint32_t ack, std::string_view text) {
        return PacketBuilder{}
            .from(testing::client)
            .to(server)
            .tcp(Seq(seq), Seq(ack), flags)
            .payload(as_bytes(text));
    }
    PacketBuilder server_frame(uint8_t flags, uint32_t seq, uint32_t ack, std::string_view text) {
        return PacketBuilder{}
            .from(server)
            .to(testing::client)
            .tcp(Seq(seq), Seq(ack), flags)
            .payload(as_bytes(text));
    }

    DropReason put(const PacketBuilder& frame, Direction direction) {
        const bool to_server = direction == Direction::to_server;
        const Side side = to_server ? Side::outside : Side::inside;
        DropReason drop{};
        const auto sent = TestWorker::put(frame, side, now_, [&](const Packet& packet) {
            drop = packet.drop;
            if (drop == DropReason::none && to_server) arrives(packet.mbuf);
        });
        severed_ = severed_ || !sent.empty();
        return drop;
    }

    void arrives(rte_mbuf* mbuf) {
        Packet packet;
        packet.frame = rte_pktmbuf_mtod(mbuf, std::byte*);
        packet.frame_size = mbuf->data_len;
        read_headers(packet);
        EXPECT_TRUE(checksums_hold(packet));
        EXPECT_FALSE(packet.has(tcp::urg));
        if (packet.payload_size == 0) return;
        first_.take(packet.tcp.seq.value(), as_text(packet.payload()));
        last_.take(packet.tcp.seq.value(), as_text(packet.payload()));
    }

    Talk talk_;
    Receiver first_{true}, last_{false};
    size_t server_said_ = 0;
    Nanos now_ = 1000s;
    bool severed_ = false;
};

TEST(Neutralise, SetsAMoveBackWhereItGoesBy) {
    Game game;
    const std::string honest = game.framed(position(1, 64, 1, true));
    const std::string cheat = game.framed(position(no_number, 64, 1, false));
    const uint32_t at = Game::next() + static_cast<uint32_t>(honest.size());
    game.client(Game::next(), honest);
    EXPECT_EQ(game.client(at, cheat), DropReason::none);
    EXPECT_EQ(game.noticed(Notice::neutralised), 1u);
    EXPECT_FALSE(game.severed());
    EXPECT_EQ(game.server_reads(true), "Move at 1 64 1 ground; Move at 1 64 1 air");

    // Sent again as the client still has it, alone and with more.
    EXPECT_EQ(game.client(at, cheat), DropReason::none);
    EXPECT_EQ(game.client(at + 5, cheat.substr(5) + honest), DropReason::none);
    for (const bool keeps_first : {true, false}) {
        EXPECT_EQ(game.server_reads(keeps_first),
                  "Move at 1 64 1 ground; Move at 1 64 1 air; Move at 1 64 1 ground");
    }
    EXPECT_EQ(game.noticed(Notice::neutralised), 1u);
}

TEST(Neutralise, WhatCanNotBeRewrittenEndsTheConnection) {
    struct Case {
        const char* what;
        int32_t threshold;
        size_t cut;  ///< Of the cheat's frame; 0: whole.
        bool moved;  ///< There is a place to be set back to.
    };
    for (const Case& c : {Case{"compressed", 8, 0, true}, Case{"half of it is gone", -1, 10, true},
                          Case{"nowhere to go back to", -1, 0, false}}) {
        SCOPED_TRACE(c.what);
        Game game(neutralising(), c.threshold);
        uint32_t at = Game::next();
        const std::string honest = c.moved ? game.framed(position(1, 64, 1, true)) : "";
        const std::string cheat = game.framed(position(no_number, 64, 1, false));
        if (c.moved) game.client(at, honest);
        at += static_cast<uint32_t>(honest.size());
        if (c.cut > 0) game.client(at, cheat.substr(0, c.cut));
        EXPECT_EQ(game.client(at + static_cast<uint32_t>(c.cut), cheat.substr(c.cut)),
                  DropReason::verdict);
        EXPECT_EQ(game.noticed(Notice::not_neutralised), 1u);
        EXPECT_TRUE(game.severed());
        EXPECT_EQ(game.client(at, cheat), DropReason::flow_dead);
        EXPECT_EQ(game.server_reads(true), c.moved ? "Move at 1 64 1 ground" : "");
    }
}

TEST(Neutralise, ObservingChangesNothing) {
    config::Config config = neutralising();
    config.mode = verdicts::Mode::observe;
    Game game(config);
    const std::string honest = game.framed(position(1, 64, 1, true));
    game.client(Game::next(), honest);
    game.client(Game::next() + static_cast<uint32_t>(honest.size()),
                game.framed(position(no_number, 64, 1, false)));
    EXPECT_EQ(game.server_reads(true), "Move at 1 64 1 ground; Move at nan 64 1 air");
    EXPECT_EQ(game.noticed(Notice::neutralised), 0u);
}

TEST(Urgent, IsDroppedOrCountsAsAllBytesDo) {
    for (const auto choice : {config::Urgent::drop, config::Urgent::strip}) {
        config::Config config = neutralising();
        config.urgent = choice;
        Game game(config);
        const std::string move = game.framed(position(1, 64, 1, true));
        const bool drops = choice == config::Urgent::drop;
        EXPECT_EQ(game.client(Game::next(), move, tcp::ack | tcp::urg),
                  drops ? DropReason::urgent : DropReason::none);
        EXPECT_EQ(game.server_reads(true), drops ? "" : "Move at 1 64 1 ground");
        EXPECT_EQ(game.noticed(Notice::urgent), 1u);
    }
}

/// Two cuts, every order, and all of it once more as the client has it.  Every
/// cut with PORTCULLIS_EVASION=full; by default a part of them.
TEST(Neutralise, NoCutOrOrderBringsTheCheatThrough) {
    const Game sample;
    const std::string stream = sample.framed(position(1, 64, 1, true)) +
                               sample.framed(position(no_number, 64, 1, false)) +
                               sample.framed(position(3, 64, 3, true));
    const std::string all = "Move at 1 64 1 ground; Move at 1 64 1 air; Move at 3 64 3 ground";
    constexpr size_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                    {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const char* slice = std::getenv("PORTCULLIS_EVASION");
    const bool full = slice != nullptr && std::string_view(slice) == "full";
    const size_t step_a = full ? 1 : 5, step_b = full ? 2 : 9;
    size_t neutralised = 0, severed = 0;
    for (size_t a = 1; a < stream.size(); a += step_a) {
        for (size_t b = a + 1; b <= stream.size(); b += step_b) {
            const size_t cuts[] = {0, a, b, stream.size()};
            for (const auto& order : orders) {
                Game game;
                for (const size_t part : order) {
                    const size_t begin = cuts[part], end = cuts[part + 1];
                    if (begin == end) continue;
                    game.client(Game::next() + static_cast<uint32_t>(begin),
                                stream.substr(begin, end - begin));
                }
                game.client(Game::next(), stream);
                for (const bool keeps_first : {true, false}) {
                    const std::string read = game.server_reads(keeps_first);
                    ASSERT_TRUE(game.severed() ? all.starts_with(read) : read == all)
                        << "cuts " << a << ", " << b << ", order " << order[0] << order[1]
                        << order[2] << ": " << read;
                }
                (game.severed() ? severed : neutralised) += 1;
            }
        }
    }
    EXPECT_GT(neutralised, 100u);
    EXPECT_GT(severed, 100u);
}

}  // namespace
}  // namespace portcullis::stages
