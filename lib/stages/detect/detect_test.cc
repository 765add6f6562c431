// Goal: what a client does in the game becomes, through all stages, the right
// words to Control and the right frames on the wire; and nothing at all while
// only observing, for the exempt, or below the threshold.
// Method: a protocol 47 client and server talk by hand through the real stages.

#include "stages/detect/detect.h"

#include "base/writer.h"
#include "stages/make_stage.h"
#include "stages/testing/line.h"

namespace portcullis::stages {
namespace {

using testing::client;
using testing::server;
namespace tcp = stream::tcp;
using verdicts::VerdictRecord;
using Kind = VerdictRecord::Kind;

/// A frame of the uncompressed protocol: length, id, fields.
template <class Fields>
std::string packet(uint8_t id, Fields&& fields) {
    std::array<std::byte, 256> body;
    Writer writer{MutableBytes(body)};
    writer.u8(id);
    fields(writer);
    std::array<std::byte, 300> framed;
    Writer frame{MutableBytes(framed)};
    frame.varint(static_cast<uint32_t>(writer.size()));
    frame.bytes(writer.written());
    return std::string(as_text(frame.written()));
}

void text(Writer& w, std::string_view s) {
    w.varint(static_cast<uint32_t>(s.size()));
    w.text(s);
}

std::string handshake() {
    return packet(0x00, [](Writer& w) {
        w.varint(47);
        text(w, "play.example.org");
        w.u16(25565);
        w.varint(2);
    });
}
std::string login_start(std::string_view name) {
    return packet(0x00, [&](Writer& w) { text(w, name); });
}
std::string login_success(std::string_view name) {
    return packet(0x02, [&](Writer& w) {
        text(w, "64833f4a-7a1e-3ab0-992b-7055dde7fa8f");
        text(w, name);
    });
}
std::string join_game() {
    return packet(0x01, [](Writer& w) {
        w.u32(7);  // Entity id, then survival, overworld, easy, 20 players, default, no debug.
        w.u8(0);
        w.u8(0);
        w.u8(1);
        w.u8(20);
        text(w, "default");
        w.boolean(false);
    });
}
std::string look(float pitch) {
    return packet(0x05, [&](Writer& w) {
        w.f32(0);
        w.f32(pitch);
        w.boolean(true);
    });
}

config::Config strict() {
    config::Config config = testing::configuration();
    config.policies[0].ladder = {{0.1, policy::Action::kick}};
    return config;
}

/// One client and one server, and a Worker's stages between them.
class Game {
public:
    explicit Game(config::Config c = strict())
        : config_(std::move(c)),
          rules_(policy::RuleSet::compile(config_)),
          counters_(std::make_unique<Counters>()),
          context_({config_, rules_.get(), *counters_, testing::pool(), 0, 1}),
          burst_(std::make_unique<Burst>()) {
        for (std::string_view name : stage_names()) stages_.push_back(make_stage(name, context_));
        pass(frame(true, tcp::syn, ""));
        to_server_ += 1;
        pass(frame(false, tcp::syn | tcp::ack, ""));
        to_client_ += 1;
        pass(frame(true, tcp::ack, ""));
    }

    /// True when it went on to the server.
    bool client_says(const std::string& bytes) {
        const bool passed = pass(frame(true, tcp::psh | tcp::ack, bytes));
        to_server_ += static_cast<uint32_t>(bytes.size());
        return passed;
    }
    bool server_says(const std::string& bytes) {
        const bool passed = pass(frame(false, tcp::psh | tcp::ack, bytes));
        to_client_ += static_cast<uint32_t>(bytes.size());
        return passed;
    }
    void log_in(std::string_view name = "Alice") {
        client_says(handshake() + login_start(name));
        server_says(login_success(name) + join_game());
    }
    void client_closes() {
        pass(frame(true, tcp::fin | tcp::ack, ""));
        to_server_ += 1;
        pass(frame(false, tcp::fin | tcp::ack, ""));
        to_client_ += 1;
        pass(frame(true, tcp::ack, ""));
    }

    /// What Control was told since the last call.
    std::vector<VerdictRecord> told() {
        std::vector<VerdictRecord> all;
        VerdictRecord record;
        while (context_.records.pop(record)) all.push_back(record);
        return all;
    }
    const Counters& counters() const { return *counters_; }
    uint64_t noticed(Notice n) const { return counters_->notices[static_cast<size_t>(n)].get(); }

    std::vector<testing::Sent> injected;

private:
    PacketBuilder frame(bool up, uint8_t flags, const std::string& bytes) const {
        const Seq seq(up ? 100 + to_server_ : 900 + to_client_);
        const Seq ack((flags & tcp::ack) == 0 ? 0 : up ? 900 + to_client_ : 100 + to_server_);
        return PacketBuilder{}
            .from(up ? client : server)
            .to(up ? server : client)
            .tcp(seq, ack, flags)
            .payload(as_bytes(bytes));
    }
    bool pass(const PacketBuilder& built) {
        now_ += 50ms;
        rte_mbuf* mbuf = built.make(testing::pool());
        burst_->clear(now_);
        const Packet& passing = burst_->add(mbuf, Side::outside, 0, now_);
        for (const auto& stage : stages_) stage->process(*burst_);
        const bool passed = passing.alive();
        for (const Burst::Injected& made : burst_->injected()) {
            testing::Sent& sent = injected.emplace_back();
            const auto* data = rte_pktmbuf_mtod(made.mbuf, const std::byte*);
            sent.bytes.assign(data, data + rte_pktmbuf_data_len(made.mbuf));
            sent.out = made.out;
            rte_pktmbuf_free(made.mbuf);
        }
        rte_pktmbuf_free(mbuf);
        return passed;
    }

    config::Config config_;
    std::unique_ptr<const policy::RuleSet> rules_;
    std::unique_ptr<Counters> counters_;
    WorkerContext context_;
    std::unique_ptr<Burst> burst_;
    std::vector<std::unique_ptr<Stage>> stages_;
    uint32_t to_server_ = 0, to_client_ = 0;
    Nanos now_ = 1000s;
};

bool reads(const Game& game, std::string_view words) {
    for (const testing::Sent& sent : game.injected) {
        const std::string_view all(reinterpret_cast<const char*>(sent.bytes.data()),
                                   sent.bytes.size());
        if (sent.out == Side::outside && all.find(words) != std::string_view::npos) return true;
    }
    return false;
}

TEST(Detect, TellsWhoComesAndWhoGoes) {
    Game game;
    game.log_in();
    std::vector<VerdictRecord> told = game.told();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].kind, Kind::login);
    EXPECT_EQ(told[0].player.name.view(), "Alice");
    EXPECT_EQ(told[0].player.version, 47);
    EXPECT_EQ(told[0].player.uuid[0], 0x64);
    EXPECT_EQ(told[0].client, client);
    EXPECT_EQ(game.counters().service[0].players.get(), 1u);

    game.client_closes();
    told = game.told();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].kind, Kind::disconnect);
    EXPECT_EQ(told[0].end, verdicts::EndReason::fin);
    EXPECT_EQ(game.counters().service[0].players.get(), 0u);
}

TEST(Detect, KicksWithTheReasonAndTheCheatNeverArrives) {
    Game game;
    game.log_in();
    EXPECT_TRUE(game.client_says(look(90)));
    game.told();
    EXPECT_FALSE(game.client_says(look(120)));
    const std::vector<VerdictRecord> told = game.told();
    ASSERT_EQ(told.size(), 2u);
    EXPECT_EQ(told[0].kind, Kind::verdict);
    EXPECT_EQ(policy::MinecraftSet::names[told[0].check], "packets.pitch");
    EXPECT_EQ(told[0].action, policy::Action::kick);
    EXPECT_EQ(told[0].observed, 120);
    EXPECT_EQ(told[0].limit, 90);
    EXPECT_TRUE(told[0].acts);
    EXPECT_EQ(told[1].kind, Kind::disconnect);
    EXPECT_EQ(told[1].end, verdicts::EndReason::kicked);
    EXPECT_TRUE(reads(game, "packets.pitch"));
    EXPECT_FALSE(game.client_says(look(0)));
}

TEST(Detect, TouchesNothingWhileObserving) {
    config::Config config = strict();
    config.mode = verdicts::Mode::observe;
    Game game(config);
    game.log_in();
    game.told();
    EXPECT_TRUE(game.client_says(look(120)));
    EXPECT_TRUE(game.client_says(look(0)));
    const std::vector<VerdictRecord> told = game.told();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].mode, verdicts::Mode::observe);
    EXPECT_EQ(told[0].action, policy::Action::kick);
    EXPECT_TRUE(game.injected.empty());
}

TEST(Detect, WritesDownButSparesTheExempt) {
    config::Config config = strict();
    config.policies[0].exempt_players = {"Alice"};
    Game game(config);
    game.log_in();
    game.told();
    EXPECT_TRUE(game.client_says(look(120)));
    const std::vector<VerdictRecord> told = game.told();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_FALSE(told[0].acts);
    EXPECT_TRUE(game.injected.empty());
}

TEST(Detect, WritesDownButDoesNotActBelowTheThreshold) {
    config::Config config = strict();
    config.policies[0].act_at_confidence = 1;
    Game game(config);
    game.log_in();
    game.told();
    EXPECT_TRUE(game.client_says(look(120)));
    const std::vector<VerdictRecord> told = game.told();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_FALSE(told[0].acts);
    EXPECT_EQ(told[0].action, policy::Action::log);
}

TEST(Detect, JudgesABrokenFrameBeforeAnyLogin) {
    Game game;
    EXPECT_TRUE(game.client_says(std::string("\xff\xff\xff\xff\xff\xff", 6)));
    const std::vector<VerdictRecord> told = game.told();
    ASSERT_FALSE(told.empty());
    EXPECT_EQ(policy::MinecraftSet::names[told[0].check], "packets.malformed");
    EXPECT_EQ(game.noticed(Notice::decoder_error), 1u);
    EXPECT_TRUE(game.client_says("anything")) << "a decoder that lost its way breaks no connection";
}

TEST(Detect, GoesOnWithoutAPlayerWhenTheirPlacesAreTaken) {
    config::Config config = strict();
    config.limits.players = 0;
    Game game(config);
    game.log_in();
    EXPECT_TRUE(game.client_says(look(120)));
    EXPECT_TRUE(game.told().empty());
    EXPECT_GT(game.noticed(Notice::session_pool_full), 0u);
}

}  // namespace
}  // namespace portcullis::stages
