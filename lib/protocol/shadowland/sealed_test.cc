// Goal: a key that comes late still opens what its server said before; what it does not open
// blames nobody, and the listener learns that something is missing.
// Method: a sealed session spoken packet by packet, with keys given when the story wants them.
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/shadowland/decoder.h"
#include "protocol/shadowland/speak_test_support.h"

namespace portcullis::shadowland {
namespace {

struct Ear {
    PacketSeen seen;
    Direction direction{};
    std::vector<std::string> told;  ///< Of the server's, with an arrow before it.
    std::vector<Fault> faults;
    std::optional<Missed> missed;

    void packet(const PacketSeen& s) { seen = s; }
    void turn(Direction d) { direction = d; }
    void on(const Violation& violation) { faults.push_back(violation.fault); }
    void on(const RoundTrip&) {}
    void on(const Missed& m) {
        missed = m;
        told.emplace_back("missed");
    }
    template <class M>
    void on(const M&) {
        told.push_back((direction == Direction::to_client ? "<" : ">") + std::string(M::name));
    }
    void on_form(Form) {}
    void on_broken(Error) {}
    void on_inflated(size_t) {}
    void on_whole(uint16_t, size_t) {}
    void on_error(Error) {}
};

class SealedSession : public testing::Test {
protected:
    static constexpr uint32_t id = 7;
    using Told = std::vector<std::string>;

    SealedSession() {
        Connect ask;
        ask.options = 1;
        ask.build = 100;
        ask.public_key = zero_key;
        ask.has_cookie = 1;
        ask.cookie = no_cookie;
        hears(Direction::to_server, control(ControlType::connect, ask, Direction::to_server));
        ConnectionAccepted yes;
        yes.mode = 1;
        yes.public_key = zero_key;
        yes.heartbeat_timeout_ms = 15'000;
        hears(Direction::to_client, control(ControlType::connection_accepted, yes,
                                            Direction::to_client, {.connection_id = id}));
        EXPECT_NE(link.session, Pool<Session>::none);
    }

    keys::ShadowlandKey key_of(uint32_t number) {
        keys::ShadowlandKey key{};
        key.client = link.client;
        key.server = link.server;
        key.connection_id = id;
        key.epoch = number;
        key.to_server.fill(static_cast<std::byte>(2 * number + 1));
        key.to_client.fill(static_cast<std::byte>(2 * number + 2));
        return key;
    }
    void give_key(uint32_t number) { keys.add(key_of(number)); }

    Outcome hears(Direction d, Bytes datagram) {
        ear = {};
        ear.direction = d;
        now += 10ms;
        return decoder.receive(link, d, datagram, now, ear);
    }
    /// Sealed with the key of `epoch`; channels count for themselves.
    Outcome says(Direction d, uint8_t flags, uint8_t type, auto message, Channel channel) {
        const std::vector<std::byte> body = message_bytes(type, message, d);
        std::vector<std::byte> out(header_size + body.size() + tag_size);
        Header header;
        header.connection_id = id;
        header.flags = static_cast<uint8_t>(flags | flag::sealed);
        header.channel = channel;
        header.key_phase = (epoch & 1) != 0;
        header.sequence = ++sequences[index_of(d)][index_of(channel)];
        write_header(header, out);
        std::ranges::copy(body, out.begin() + header_size);
        const keys::ShadowlandKey key = key_of(epoch);
        Cipher::seal(header, out, d == Direction::to_server ? key.to_server : key.to_client);
        last = out;
        return hears(d, out);
    }
    Outcome says(Direction d, ControlType type, auto message, uint8_t purpose = 0) {
        const Channel channel = purpose == flag::rekey || type == ControlType::check_integrity
                                    ? Channel::reliable_ordered
                                    : Channel::unreliable;
        return says(d, flag::control | purpose, static_cast<uint8_t>(type), message, channel);
    }
    Outcome update(Channel channel) {
        UpdateEntity message;
        message.entity = 5;
        message.fields.delta = delta::anim;
        return says(Direction::to_client, 0, 2, message, channel);
    }
    Outcome sync() {
        SyncEntity message;
        message.fields.delta = delta::anim;
        return says(Direction::to_server, 0, 0, message, Channel::unreliable);
    }
    void rekey(uint32_t next) {
        says(Direction::to_client, ControlType::rekey_request, RekeyRequest{next, zero_key},
             flag::rekey);
        says(Direction::to_server, ControlType::rekey_response, RekeyResponse{next, zero_key},
             flag::rekey);
        epoch = next;
    }

    keys::ShadowlandKeys keys{16};
    Decoder decoder{{.sessions = 4, .fragments = {8, 128}, .kept_max = 256}, keys};
    Link link{*parse_endpoint("10.88.0.1:50000"), *parse_endpoint("10.88.0.2:3565")};
    Nanos now = 1'000s;
    uint32_t epoch = 0;
    std::array<std::array<uint64_t, channels>, 2> sequences{};
    std::vector<std::byte> last;
    Ear ear;
};

/// Nothing proves where a client's sequences are, so nothing of its own is dropped for it.
TEST_F(SealedSession, WithoutAKeyALineThatWasDeadForLongGoesOn) {
    uint64_t& sequence = sequences[index_of(Direction::to_server)][0];
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(sync().drop);
    sequence += ReplayWindow::unproven_jump_max + 100;
    for (int i = 0; i < 300; ++i) EXPECT_FALSE(sync().drop) << i;
    EXPECT_TRUE(ear.faults.empty()) << "that is its place by now";
    EXPECT_TRUE(hears(Direction::to_server, last).drop);
    // What is older may be the client's own, and what came newest a stranger's.
    sequence -= 200;
    EXPECT_FALSE(sync().drop);
}

TEST_F(SealedSession, ALateKeyOpensWhatTheServerSaidBefore) {
    CreateEntity self;
    self.entity = 3;
    self.bits = CreateEntity::is_self;
    self.symbol.text = "Alice";
    says(Direction::to_client, 0, 1, self, Channel::reliable_ordered);
    EXPECT_TRUE(ear.told.empty());
    update(Channel::reliable_unordered);
    update(Channel::unreliable);
    give_key(0);
    now += 100ms;
    // Whoever speaks first: what came before is told first.
    sync();
    EXPECT_EQ(ear.told, (Told{"<CreateEntity", "<UpdateEntity", "missed", ">SyncEntity"}));
    ASSERT_TRUE(ear.missed);
    EXPECT_FALSE(ear.missed->reliable) << "but updates on channel 0 are gone";
    sync();
    EXPECT_EQ(ear.told, (Told{">SyncEntity"}));
}

TEST_F(SealedSession, AKeyThatComesTooLateLeavesTheListenerKnowingThatItMissedSomething) {
    for (int i = 0; i < 3; ++i) update(Channel::reliable_ordered);
    now += 11s;
    const Outcome outcome = sync();
    EXPECT_TRUE(outcome.opaque);
    EXPECT_FALSE(sync().opaque) << "said once";
    give_key(0);
    now += 100ms;
    sync();
    EXPECT_EQ(ear.told, (Told{"missed", ">SyncEntity"}));
    ASSERT_TRUE(ear.missed);
    EXPECT_TRUE(ear.missed->reliable);
    update(Channel::reliable_ordered);
    EXPECT_EQ(ear.told, (Told{"<UpdateEntity"}));
}

TEST_F(SealedSession, MoreThanASessionsShareIsNotKept) {
    for (int i = 0; i < Kept::of_session_max; ++i) {
        EXPECT_FALSE(update(Channel::reliable_ordered).opaque);
    }
    EXPECT_TRUE(update(Channel::reliable_ordered).opaque);
    give_key(0);
    now += 100ms;
    sync();
    EXPECT_EQ(ear.told, (Told{"missed", ">SyncEntity"}));
    EXPECT_TRUE(ear.missed->reliable);
}

TEST_F(SealedSession, AClientsOwnRubbishFillsNoList) {
    for (int i = 0; i < 1'000; ++i) {
        std::vector<std::byte> rubbish(100);
        write_header({.connection_id = id,
                      .channel = Channel::reliable_ordered,
                      .flags = flag::sealed,
                      .sequence = static_cast<uint64_t>(i) + 1},
                     rubbish);
        hears(Direction::to_server, rubbish);
    }
    update(Channel::reliable_ordered);
    give_key(0);
    now += 100ms;
    update(Channel::reliable_ordered);
    EXPECT_EQ(ear.told, (Told{"<UpdateEntity", "<UpdateEntity"}));
}

TEST_F(SealedSession, TheKeyOfALaterEpochMayBeLateToo) {
    give_key(0);
    update(Channel::reliable_ordered);
    rekey(1);
    update(Channel::reliable_ordered);
    EXPECT_FALSE(ear.seen.opened);
    EXPECT_TRUE(ear.faults.empty());
    sync();
    EXPECT_TRUE(ear.faults.empty());
    give_key(1);
    now += 100ms;
    const Outcome outcome = sync();
    EXPECT_TRUE(outcome.epoch_changed);
    EXPECT_EQ(ear.told, (Told{"<UpdateEntity", ">SyncEntity"}));
}

TEST_F(SealedSession, AnEpochWhoseKeyNeverCameMakesNoForgerOfAnybody) {
    give_key(0);
    sync();
    rekey(1);
    for (int i = 0; i < 100; ++i) {
        now += 1s;
        sync();
        EXPECT_TRUE(ear.faults.empty());
    }
    rekey(2);
    for (int i = 0; i < 10; ++i) {
        EXPECT_FALSE(sync().drop) << "nobody can say";
        EXPECT_TRUE(ear.faults.empty());
    }
    give_key(2);
    sync();
    EXPECT_TRUE(ear.seen.opened);
    EXPECT_EQ(ear.seen.epoch, 2u);
}

TEST_F(SealedSession, WhereAllWasReadAnotherPhaseIsForged) {
    give_key(0);
    sync();
    const uint32_t before = epoch;
    epoch = 1;
    EXPECT_TRUE(sync().drop);
    EXPECT_EQ(ear.faults, std::vector{Fault::crypto_forged});
    epoch = before;
    EXPECT_FALSE(sync().drop);
}

TEST_F(SealedSession, WhoAnswersWhatWeCouldNotReadIsNotBlamed) {
    says(Direction::to_client, ControlType::ping, Ping{1, 5});
    EXPECT_FALSE(ear.seen.opened);
    give_key(0);
    now += 1s;
    says(Direction::to_server, ControlType::pong, Pong{1, 5, 0});
    EXPECT_TRUE(ear.seen.opened);
    EXPECT_TRUE(ear.faults.empty());
    says(Direction::to_server, ControlType::rekey_response, RekeyResponse{1, zero_key},
         flag::rekey);
    EXPECT_TRUE(ear.faults.empty());

    now += 60s;  // By now whatever it was is answered.
    says(Direction::to_client, ControlType::ping, Ping{2, 6});
    says(Direction::to_server, ControlType::pong, Pong{3, 6, 0});
    EXPECT_EQ(ear.faults, std::vector{Fault::heartbeat_forged});
}

TEST_F(SealedSession, WhoseAnswersWeCouldNotReadIsNotBlamedForNoneEither) {
    give_key(0);
    says(Direction::to_client, ControlType::ping, Ping{1, 5});
    says(Direction::to_server, ControlType::pong, Pong{1, 5, 0});
    rekey(1);
    for (uint16_t second = 0; second < 25; ++second) {
        now += 1s;
        says(Direction::to_client, ControlType::ping, Ping{second, 100u + second});
        says(Direction::to_server, ControlType::pong, Pong{second, 100u + second, 0});
        EXPECT_TRUE(ear.faults.empty());
    }
    give_key(1);
    for (int i = 0; i < 20; ++i) {
        now += 1s;
        sync();
        EXPECT_TRUE(ear.faults.empty()) << i;
    }
    EXPECT_TRUE(ear.seen.opened);
}

}  // namespace
}  // namespace portcullis::shadowland
