// Goal: what proves a verdict is kept from the packet on that raised the suspicion,
// in places that never grow; nobody waits, and what has no place is counted.
// Method: a client and a server talk by hand through the real stages; Control's end
// of the rings is ours.

#include "stages/evidence/recorder.h"

#include "stages/testing/game.h"

namespace portcullis::stages {
namespace {

using namespace testing;

config::Config watchful(verdicts::Mode mode = verdicts::Mode::observe) {
    config::Config config = testing::configuration();
    config.mode = mode;
    config.policies[0].ladder = {{0.1, policy::Action::kick}};
    config.verdict_log.evidence = {
        .from = policy::Action::kick, .players = 2, .kib = 64, .retention_days = 1, .disk_mib = 1};
    return config;
}

/// What Control was told of pitches.
std::vector<VerdictRecord> verdicts_of(Game& game) {
    std::vector<VerdictRecord> verdicts = game.told();
    std::erase_if(verdicts, [](const VerdictRecord& record) {
        return record.kind != VerdictRecord::Kind::verdict;
    });
    return verdicts;
}

uint32_t frames_in(const Capture& capture) {
    uint32_t frames = 0;
    for (const CapturePart& part : capture.parts) frames += part.begun() ? part.frames() : 0;
    return frames;
}

TEST(Recorder, KeepsThePacketOfAFirstFindingAndTheStateBeforeIt) {
    Game game(watchful(verdicts::Mode::enforce));
    game.log_in();
    game.client_says(look(0));
    EvidenceRecorder& recorder = game.context.evidence;
    EXPECT_EQ(recorder.take(), nullptr) << "nobody is suspected yet";
    game.client_says(look(120));

    const auto told = verdicts_of(game);
    ASSERT_EQ(told.size(), 1u);
    Capture* capture = recorder.take();
    ASSERT_NE(capture, nullptr) << "he was kicked, so it is handed over at once";
    ASSERT_EQ(capture->proven_size, 1u);
    EXPECT_EQ(capture->proven[0].record.id_low, told[0].id_low);
    const CapturePart& part = capture->parts[capture->proven[0].part];
    EXPECT_EQ(part.frames(), 1u);
    EXPECT_EQ(part.snapshot.watched.player.rotation().pitch, 0) << "not what he said with it";
    part.each([&](const KeptFrame& kept, Bytes) { EXPECT_EQ(kept.time, told[0].time); });
    recorder.give_back(capture);
    EXPECT_EQ(recorder.take(), nullptr);
    EXPECT_EQ(game.noticed(Notice::evidence_lost), 0u);
}

TEST(Recorder, RecordsNobodyWithoutAFinding) {
    Game game(watchful());
    game.log_in();
    for (int i = 0; i < 100; ++i) game.client_says(look(static_cast<float>(i % 90)));
    game.context.evidence.finish();
    EXPECT_EQ(game.context.evidence.take(), nullptr);
}

TEST(Recorder, SparesTheExemptItsPlaces) {
    config::Config config = watchful();
    config.policies[0].exempt_players = {"Alice"};
    Game game(config);
    game.log_in();
    game.client_says(look(120));
    EXPECT_EQ(verdicts_of(game).size(), 1u);
    game.context.evidence.finish();
    EXPECT_EQ(game.context.evidence.take(), nullptr);
    EXPECT_EQ(game.noticed(Notice::suspect_not_recorded), 0u);
}

TEST(Recorder, HandsOverAfterASecondAndGoesOnInAnotherPlace) {
    Game game(watchful());
    game.log_in();
    EvidenceRecorder& recorder = game.context.evidence;
    for (int round = 0; round < 6; ++round) {
        game.client_says(look(120));
        const auto told = verdicts_of(game);
        ASSERT_EQ(told.size(), 1u) << "one of a kind a second";
        recorder.keep_house(told[0].time + 500ms);
        EXPECT_EQ(recorder.take(), nullptr);
        recorder.keep_house(told[0].time + 1s);
        Capture* capture = recorder.take();
        ASSERT_NE(capture, nullptr);
        ASSERT_EQ(capture->proven_size, 1u);
        EXPECT_EQ(capture->proven[0].record.id_low, told[0].id_low);
        recorder.give_back(capture);
        for (int i = 0; i < 20; ++i) game.client_says(look(0));
        EXPECT_TRUE(verdicts_of(game).empty());
    }
    EXPECT_EQ(game.noticed(Notice::evidence_lost), 0u);
}

TEST(Recorder, LetsTheOldestPacketsGive) {
    config::Config config = watchful();
    config.verdict_log.evidence.from = policy::Action::block;  // Nothing proves anything,
    Game game(config);
    game.log_in();
    game.client_says(look(120));
    for (int i = 0; i < 3000; ++i) game.client_says(look(0));
    EvidenceRecorder& recorder = game.context.evidence;
    recorder.finish();
    EXPECT_EQ(recorder.take(), nullptr);  // so nothing is handed over.

    Game longer(watchful());
    longer.log_in();
    longer.client_says(look(95));
    longer.context.evidence.keep_house(5000s);
    longer.context.evidence.give_back(longer.context.evidence.take());
    const std::string keep_alive = packet(0x00, [](Writer& w) { w.varint(1); });
    for (int i = 0; i < 3000; ++i) {
        longer.client_says(look(0));
        // What nobody acknowledges fills the stream, and then no more is read.
        if (i % 500 == 0) longer.server_says(keep_alive);
    }
    longer.client_says(look(95));
    longer.context.evidence.finish();
    const Capture* capture = longer.context.evidence.take();
    ASSERT_NE(capture, nullptr);
    EXPECT_TRUE(capture->parts[0].begun() && capture->parts[1].begun());
    EXPECT_GT(frames_in(*capture), 64u * 1024 / 2 / 200);
    EXPECT_LT(frames_in(*capture), 64u * 1024 / 64);
    const uint8_t newest = 1 - capture->oldest;
    EXPECT_LT(capture->parts[capture->oldest].snapshot.time, capture->parts[newest].snapshot.time);
    ASSERT_EQ(capture->proven_size, 1u);
    EXPECT_EQ(capture->proven[0].part, newest);
}

/// Suspects without a game: flows, and a state that nobody reads.
struct Crowd {
    config::Config config = watchful();
    std::unique_ptr<const policy::RuleSet> rules = policy::RuleSet::compile(config);
    std::unique_ptr<Counters> counters = std::make_unique<Counters>();
    stream::StreamPool streams{1 << 20, 16'384};
    EvidenceRecorder recorder{config, 0, *counters, streams};
    minecraft::Session session;
    Watched watched;
    std::array<std::byte, 60> frame{};

    uint64_t noticed(Notice n) const { return counters->notices[static_cast<size_t>(n)].get(); }
    void sends(Flow& flow, Nanos now) {
        Packet packet;
        packet.flow = &flow;
        packet.frame = frame.data();
        packet.frame_size = static_cast<uint32_t>(frame.size());
        packet.time = now;
        recorder.packet({flow, session, watched, rules->policy_of(0), now}, packet);
    }
    void is_judged(Flow& flow, Nanos now, uint64_t id) {
        VerdictRecord record;
        record.id_low = id;
        record.time = now;
        recorder.owe(flow, record);
    }
};

TEST(Recorder, CountsWhoHasNoPlaceAndGivesHimTheNextOne) {
    Crowd crowd;
    Flow first, second, third;
    for (Flow* flow : {&first, &second, &third}) {
        crowd.recorder.suspect(*flow, 1s);
        crowd.sends(*flow, 1s);
        crowd.is_judged(*flow, 1s, 7);
    }
    EXPECT_FALSE(third.suspect);
    EXPECT_EQ(crowd.noticed(Notice::suspect_not_recorded), 1u);
    EXPECT_EQ(crowd.noticed(Notice::evidence_lost), 1u);

    crowd.recorder.flow_ended(first);
    Capture* capture = crowd.recorder.take();
    ASSERT_NE(capture, nullptr);
    crowd.recorder.suspect(third, 2s);
    EXPECT_FALSE(third.suspect) << "Control has the place";
    crowd.recorder.give_back(capture);
    crowd.recorder.suspect(third, 2s);
    EXPECT_TRUE(third.suspect);
}

TEST(Recorder, LeavesNoKeyOfWhoHadThePlaceBefore) {
    Crowd crowd;
    minecraft::Cfb8::Secret secret;
    for (size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<std::byte>(0xa0 + i);
    crowd.session.take_key(secret);
    Flow first, second;
    crowd.recorder.suspect(first, 1s);
    crowd.sends(first, 1s);
    crowd.recorder.flow_ended(first);

    second.key = FlowKey::of(client, game_server, ip_protocol_udp);
    shadowland::EntityPool entities(4);
    const shadowland::Maps maps{config::Shadowland()};
    ShadowlandWatched watched(entities, maps);
    watched.player.known.make(7)->put({1, 2, 3});
    const shadowland::Session session;
    const keys::ShadowlandKeys keys(0);
    const shadowland::Decoder decoder({.sessions = 1, .fragments = {4, 4}}, keys);
    const policy::RuleSet::Service& service = crowd.rules->service(0);
    Packet packet;
    packet.flow = &second;
    packet.frame = crowd.frame.data();
    packet.frame_size = static_cast<uint32_t>(crowd.frame.size());
    crowd.recorder.suspect(second, 2s);
    crowd.recorder.packet(
        {second, {session, watched, decoder, service}, crowd.rules->policy_of(0), 2s}, packet);
    crowd.is_judged(second, 2s, 1);
    crowd.recorder.flow_ended(second);

    const Capture* capture = crowd.recorder.take();
    ASSERT_NE(capture, nullptr);
    const Snapshot& snapshot = capture->parts[0].snapshot;
    EXPECT_EQ(snapshot.protocol, protocol::Protocol::shadowland);
    EXPECT_EQ(snapshot.shadowland.entities, 1u);
    const Bytes all = as_bytes(&snapshot, sizeof snapshot);
    EXPECT_EQ(as_text(all).find(as_text(secret)), std::string_view::npos);
}

TEST(Recorder, TakesThePlaceOfWhomNothingWasFoundOfForAMinute) {
    Crowd crowd;
    Flow first, second, third, fourth;
    crowd.recorder.suspect(first, 1s);
    crowd.recorder.suspect(second, 20s);
    crowd.recorder.suspect(third, 60s);
    EXPECT_FALSE(third.suspect);
    crowd.recorder.suspect(third, 62s);
    EXPECT_TRUE(third.suspect);
    EXPECT_FALSE(first.suspect);
    EXPECT_TRUE(second.suspect);
    // Whoever has proofs in his place keeps it.
    crowd.sends(second, 63s);
    crowd.is_judged(second, 63s, 1);
    crowd.recorder.found(third, 200s);
    crowd.recorder.suspect(fourth, 210s);
    EXPECT_FALSE(fourth.suspect);
}

}  // namespace
}  // namespace portcullis::stages
