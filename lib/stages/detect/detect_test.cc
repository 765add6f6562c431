// Goal: what a client does in the game becomes, through all stages, the right
// words to Control and the right frames on the wire; and nothing at all while
// only observing, for the exempt, or below the threshold.
// Method: a protocol 47 client and server talk by hand through the real stages.

#include "stages/detect/detect.h"

#include "stages/testing/game.h"

namespace portcullis::stages {
namespace {

using namespace testing;
using Kind = VerdictRecord::Kind;

config::Config strict() {
    config::Config config = testing::configuration();
    config.policies[0].ladder = {{0.1, policy::Action::kick}};
    return config;
}

bool reads(const Game& game, std::string_view words) {
    for (const testing::Sent& sent : game.injected) {
        const std::string_view all(reinterpret_cast<const char*>(sent.bytes.data()),
                                   sent.bytes.size());
        if (sent.out == Side::outside && all.find(words) != std::string_view::npos) return true;
    }
    return false;
}

TEST(Detect, TellsWhoComesAndWhoGoes) {
    Game game(strict());
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

TEST(Detect, CountsTheFindingsOfAnEventThatFindNoRoom) {
    Game game(strict());
    Account account;
    checks::Findings findings;
    for (size_t i = 0; i < checks::Findings::findings_max + 3; ++i) findings.add(0.5f, {});
    game.context.detect->weigh({.flow = nullptr,
                                .service = 0,
                                .client = client,
                                .server = server,
                                .account = account,
                                .packet = PendingAction::no_packet,
                                .time = {}},
                               findings);
    EXPECT_EQ(game.noticed(Notice::findings_lost), 3u);
    EXPECT_EQ(findings.lost(), 0u);
}

TEST(Detect, WhoResetsHasLeft) {
    Game game(strict());
    game.log_in();
    game.told();
    const auto& playing = game.counters().service[0].players;
    game.client_resets();
    std::vector<VerdictRecord> told = game.told();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].end, verdicts::EndReason::reset);
    EXPECT_EQ(playing.get(), 0u);
    // The server has not heard of it yet.
    game.server_says(packet(0x00, [](Writer& w) { w.varint(1); }));
    game.wait(Track::reset_linger + 1s);
    EXPECT_TRUE(game.told().empty());
    EXPECT_EQ(playing.get(), 0u);
}

// A reset need not be believed where it goes to, so he may play on: then he is there again.
// Whoever did it once is not told of a second time, or he could fill the log.
TEST(Detect, WhoPlaysOnAfterAResetHasNotLeft) {
    for (const bool closes : {true, false}) {
        SCOPED_TRACE(closes ? "closes" : "resets");
        Game game(strict());
        game.log_in();
        game.client_resets();
        game.told();
        const auto& service = game.counters().service[0];
        EXPECT_TRUE(game.client_says(look(0)));
        std::vector<VerdictRecord> told = game.told();
        ASSERT_EQ(told.size(), 1u);
        EXPECT_EQ(told[0].kind, Kind::login);
        EXPECT_EQ(told[0].player.name.view(), "Alice");
        EXPECT_EQ(service.players.get(), 1u);
        EXPECT_EQ(service.logins.get(), 1u);

        game.client_resets();
        EXPECT_TRUE(game.client_says(look(1)));
        EXPECT_TRUE(game.told().empty());
        EXPECT_EQ(service.players.get(), 1u);

        closes ? game.client_closes() : game.client_resets();
        game.wait(Track::reset_linger + 1s);
        told = game.told();
        ASSERT_EQ(told.size(), 1u);
        EXPECT_EQ(told[0].kind, Kind::disconnect);
        EXPECT_EQ(told[0].end, closes ? verdicts::EndReason::fin : verdicts::EndReason::reset);
        EXPECT_EQ(service.players.get(), 0u);
    }
}

TEST(Detect, DescribesThePlayerItIsAskedAbout) {
    Game game(strict());
    EXPECT_TRUE(game.described().empty());  // Nobody logged in yet.
    game.log_in();
    game.client_says(packet(0x06, [](Writer& w) {  // Position and look.
        w.f64(1.5);
        w.f64(64);
        w.f64(-3.25);
        w.f32(90);
        w.f32(-10);
        w.boolean(true);
    }));
    game.server_says(packet(0x1d, [](Writer& w) {  // Speed II for ten seconds.
        w.varint(7);
        w.u8(1);
        w.u8(1);
        w.varint(200);
        w.boolean(false);
    }));
    const auto told = game.described();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].client, client);
    EXPECT_TRUE(told[0].placed && told[0].on_ground && told[0].alive);
    EXPECT_EQ(told[0].position.x, 1.5);
    EXPECT_EQ(told[0].position.z, -3.25);
    EXPECT_EQ(told[0].rotation.pitch, -10);
    EXPECT_EQ(told[0].mode.high, protocol::GameMode::survival);
    EXPECT_EQ(told[0].effects[0].high, 2);
    EXPECT_EQ(told[0].effects[0].low, 0);  // He may not have read it yet.
    EXPECT_FALSE(told[0].measured);
    Endpoint other = client;
    other.port ^= 1;
    EXPECT_TRUE(game.described(other).empty());
}

TEST(Detect, KicksWithTheReasonAndTheCheatNeverArrives) {
    Game game(strict());
    game.log_in();
    EXPECT_TRUE(game.client_says(look(90)));
    game.told();
    EXPECT_FALSE(game.client_says(look(120)));
    std::vector<VerdictRecord> told = game.told();
    const auto is_outcome = [](const VerdictRecord& record) {
        return record.kind == Kind::outcome;
    };
    EXPECT_EQ(std::erase_if(told, is_outcome), 1u) << "how the kick ended";
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

/// Creative slot of protocol 47 whose item's NBT nests beyond what a server's parser takes.
std::string nested_item() {
    std::string body("\x10\x00\x01\x00\x01\x01\x00\x00", 8);
    for (int level = 0; level < 520; ++level) body += std::string("\x0a\0\0", 3);
    std::array<std::byte, 8> length;
    Writer writer{MutableBytes(length)};
    writer.varint(static_cast<uint32_t>(body.size()));
    return std::string(as_text(writer.written())) + body;
}

TEST(Detect, ABombGoesNoFurtherUnlessThePolicySaysSo) {
    struct Case {
        const char* what;
        verdicts::Mode mode;
        std::vector<config::Rung> ladder;
        bool arrives, stays;
    };
    using enum policy::Action;
    const Case cases[] = {
        {"kick", verdicts::Mode::enforce, {{0.1, kick}}, false, false},
        {"sever", verdicts::Mode::enforce, {{0.1, sever}}, false, false},
        {"alert", verdicts::Mode::enforce, {{0.1, alert}}, true, true},
        {"observing", verdicts::Mode::observe, {{0.1, kick}}, true, true},
    };
    for (const Case& c : cases) {
        config::Config config = strict();
        config.mode = c.mode;
        config.policies[0].ladder = c.ladder;
        Game game(config);
        game.log_in();
        game.told();
        EXPECT_EQ(game.client_says(nested_item()), c.arrives) << c.what;
        const std::vector<VerdictRecord> told = game.told();
        ASSERT_FALSE(told.empty()) << c.what;
        EXPECT_EQ(policy::MinecraftSet::names[told[0].check], "exploit.bomb") << c.what;
        EXPECT_EQ(game.client_says(look(0)), c.stays) << c.what;
    }
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
    Game game(strict());
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
