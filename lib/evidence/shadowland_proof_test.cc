// Goal: a verdict on a player of Shadowland comes out of its evidence again to the last bit,
// wherever in a session the first finding is made; what others had to do with has no evidence;
// no key of the session and no secret of the server is in it.
// Method: stories played by hand through a Worker's stages, each written, read and replayed.

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "checks/all.h"
#include "evidence/file.h"
#include "evidence/replay.h"
#include "stages/testing/shadowland_game.h"

namespace portcullis::evidence {
namespace {

using namespace shadowland;
using stages::Capture;
using stages::CapturePart;
using stages::testing::Datagram;
using stages::testing::SealedSession;
using Game = stages::testing::ShadowlandGame;

constexpr std::string_view services[] = {"survival", "shadow"};
constexpr verdicts::Names names{checks::check_names, services};
constexpr auto up = Direction::to_server;
constexpr auto down = Direction::to_client;
constexpr uint8_t sync_type = 0;  ///< Of a client's messages.

config::Config watchful() {
    config::Config config = stages::testing::shadowland_configuration();
    config.mode = verdicts::Mode::observe;
    config.policies[0].ladder = {{0.1f, policy::Action::kick}};
    config.verdict_log.evidence = {
        .from = policy::Action::kick, .players = 4, .kib = 256, .retention_days = 1, .disk_mib = 1};
    return config;
}

pipeline::ReplayWire& wire() {
    // Never ended: at exit EAL, whose rings it would free, has gone before it.
    static pipeline::ReplayWire& wire = *new pipeline::ReplayWire;
    return wire;
}

/// At rest near where he was put, `x` beyond it.
SyncEntity sync(uint32_t client_time_ms, float x = 0) {
    SyncEntity sync;
    sync.client_time_ms = client_time_ms;
    sync.fields.delta = delta::position;
    sync.fields.position = {409'700 + x, 409'000, 1'000};
    return sync;
}
/// He says that he is dead: that is the server's word.
SyncEntity forged(uint32_t client_time_ms) {
    SyncEntity sync;
    sync.client_time_ms = client_time_ms;
    sync.fields.delta = delta::flags;
    sync.fields.flags.state = state::stunned;
    return sync;
}

void leaps_in_a_bundle(Game& game) {
    game.let_in();
    uint64_t sequence = 0;
    for (uint32_t ms = 0; ms < 9'000; ms += 500) {  // Until no correction is in force.
        game.now += 500ms;
        game.up(Game::game(sync_type, sync(ms), up, ++sequence));
    }
    game.now += 50ms;
    game.up(plain({.connection_id = Game::id, .sequence = ++sequence},
                  bundle_of({message_bytes(sync_type, sync(9'030, 10), up),
                             message_bytes(sync_type, sync(9'050, 9'000), up)})));
}

void lies_once_the_key_is_there(Game& game) {
    SealedSession session(game);
    session.enter();
    game.context.shadowland_keys.add(session.key);
    game.now += 6s;
    session.say(up, sync_type, forged(10), Channel::unreliable);
}

void lies_after_a_gap(Game& game) {
    SealedSession session(game);
    session.enter();
    game.now += 11s;
    session.say(up, sync_type, sync(10), Channel::unreliable);
    game.context.shadowland_keys.add(session.key);
    game.now += 1s;
    session.say(up, sync_type, forged(1'020), Channel::unreliable);
}

void lies_with_new_keys(Game& game) {
    SealedSession session(game);
    game.context.shadowland_keys.add(session.key);
    session.enter();
    session.say(up, sync_type, forged(10), Channel::unreliable);
    session.say(up, sync_type, sync(60), Channel::unreliable);
    session.key.epoch = 1;
    session.key.to_server.fill(std::byte{3});
    session.key.to_client.fill(std::byte{4});
    game.context.shadowland_keys.add(session.key);
    game.now += 1s;
    session.say(up, sync_type, forged(1'100), Channel::unreliable);
    game.now += 1s;
    session.say(up, sync_type, forged(2'200), Channel::unreliable);
}

void answers_no_ping(Game& game) {
    game.let_in();
    game.down(
        control(ControlType::ping, Ping{1, 5}, down, {.connection_id = Game::id, .sequence = 1}));
    for (uint64_t s = 1; s <= 40; ++s) {
        game.now += 500ms;
        game.up(Game::game(sync_type, sync(uint32_t(s) * 500), up, s));
    }
}

void answers_wrongly(Game& game) {
    game.secrets.server = stages::testing::game_server;
    game.secrets.integrity.fill(std::byte{0x44});
    game.secrets.integrity_size = 32;
    game.context.shadowland_keys.add(game.secrets);
    game.let_in();
    Authenticator authenticator;
    for (uint16_t n = 1; n <= 3; ++n) {
        auto key = authenticator.integrity_key(Bytes(game.secrets.integrity).first(32), 100, n);
        game.down(control(ControlType::check_integrity, CheckIntegrity{0, n, n, {}}, down,
                          {.connection_id = Game::id, .sequence = n}));
        game.now += 50ms;
        if (n != 2) key[0] ^= std::byte{1};
        game.up(control(ControlType::check_integrity, CheckIntegrity{1, n, n, key}, up,
                        {.connection_id = Game::id, .sequence = n}));
        game.now += 2s;
    }
}

struct Story {
    std::string_view name;
    void (*play)(Game& game);
    std::string_view check;
    size_t verdicts;
};
const Story stories[] = {
    {"leaps in a bundle", leaps_in_a_bundle, "movement.teleport", 1},
    {"lies once the key is there", lies_once_the_key_is_there, "state.forged", 1},
    {"lies after a gap", lies_after_a_gap, "state.forged", 1},
    {"lies with new keys", lies_with_new_keys, "state.forged", 3},
    {"answers no Ping", answers_no_ping, "heartbeat.missing", 1},
    {"answers wrongly", answers_wrongly, "integrity.failed", 2},
};

/// Everything that a reader of the file gets.
std::string all_in(const File& file) {
    std::string all = file.shadowland();
    for (const CapturePart& part : file.capture().parts) {
        if (!part.begun()) continue;
        all += as_text(as_bytes(&part.snapshot, sizeof part.snapshot));
        all += as_text(part.undecoded(up));
        part.each([&](const stages::KeptFrame&, Bytes frame) { all += as_text(frame); });
    }
    return all;
}

TEST(ShadowlandProof, SaysTheSameOnceMore) {
    const std::string path = (std::filesystem::temp_directory_path() /
                              ("portcullis-proof-" + std::to_string(getpid()) + ".pcapng"))
                                 .string();
    for (const Story& story : stories) {
        SCOPED_TRACE(story.name);
        Game game(watchful());
        story.play(game);
        EXPECT_EQ(game.noticed(stages::Notice::evidence_lost), 0u);
        game.context.evidence.finish();
        size_t proved = 0;
        while (Capture* capture = game.context.evidence.take()) {
            decipher(*capture);
            std::ofstream(path, std::ios::binary)
                << written(*capture, names, said_in(config::Config()));
            game.context.evidence.give_back(capture);
            const File file(path);
            for (const Retold& retold : replay(file, wire())) {
                EXPECT_TRUE(retold.same()) << checks::check_names[retold.stored.check]
                                           << (retold.found ? "" : " not found");
                proved += checks::check_names[retold.stored.check] == story.check ? 1 : 0;
            }
            const std::string all = all_in(file);
            for (const char of : {'\1', '\2', '\3', '\4', '3', 'D'}) {
                EXPECT_EQ(all.find(std::string(32, of)), std::string::npos) << int(of);
            }
        }
        EXPECT_EQ(proved, story.verdicts);
    }
    std::filesystem::remove(path);
}

TEST(ShadowlandProof, ThereIsNoneOfWhatOthersHaveToDoWith) {
    config::Config config = watchful();
    config.shadowland.source_packets_per_s = 50;
    Game game(config);
    game.let_in();
    const Endpoint another{stages::testing::client.address, 50'123};
    game.let_in(another, 8);
    // With the id of the first, and with ids of nobody.
    game.up(Game::game(sync_type, sync(10), up, 1), another);
    for (uint32_t i = 0; i < 400; ++i) {
        game.up(Game::game(sync_type, sync(20), up, 1, Channel::unreliable, 1'000 + i), another);
    }
    EXPECT_EQ(game.found("session.hijack"), 1u);
    EXPECT_GT(game.found("rate.flood"), 0u);
    EXPECT_FALSE(game.flow(another)->suspect);
    EXPECT_EQ(game.noticed(stages::Notice::evidence_lost), 0u);
    game.context.evidence.finish();
    EXPECT_EQ(game.context.evidence.take(), nullptr);
}

}  // namespace
}  // namespace portcullis::evidence
