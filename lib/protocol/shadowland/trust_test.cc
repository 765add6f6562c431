// Goal: what nobody proves, or the server does not take, moves nothing and blames no player; what
// only a bad line does is told below what acts.
// Method: a plain session spoken packet by packet.

#include "protocol/shadowland/session_test_support.h"

namespace portcullis::shadowland {
namespace {

TEST_F(Session_, WhatComesBeforeASessionIsNobodysProven) {
    Connect wrong_options;
    wrong_options.public_key = zero_key;
    wrong_options.cookie = no_cookie;
    auto options = message_bytes(static_cast<uint8_t>(ControlType::connect), wrong_options,
                                 Direction::to_server);
    options[3] = std::byte{0xff};
    Cookie cookie;
    cookie.cookie = no_cookie;
    const std::vector<std::byte> spoofed[] = {
        plain({.flags = flag::control}, std::vector<std::byte>{std::byte{99}}),
        shadowland::control(ControlType::cookie, cookie, Direction::to_server), accepted(id),
        accepted(77), plain({.flags = flag::control}, options)};
    for (const auto& datagram : spoofed) {
        hears(Direction::to_server, datagram);
        EXPECT_FALSE(ear.faults.empty());
        EXPECT_FALSE(ear.proven);
    }
    hears(Direction::to_server,
          plain({.connection_id = id, .sequence = 1}, std::vector<std::byte>{std::byte{99}}));
    EXPECT_TRUE(ear.proven) << "who knows the id";
}

TEST_F(Session_, StrangersUseUpNothingOfTheClients) {
    const auto junk = plain({.connection_id = 12'345, .sequence = 7}, std::vector(1, std::byte{1}));
    uint64_t sequence = 0;
    for (int i = 0; i < 2'000; ++i) {
        for (int n = 0; n < 5; ++n) hears(Direction::to_server, junk);
        if (i % 50 == 0) {
            says(Direction::to_client, ControlType::ping, Ping{1, 77}, ++sequence);
            EXPECT_FALSE(
                says(Direction::to_server, ControlType::pong, Pong{1, 77, 0}, sequence).drop);
        }
        now += 1ms;
    }
}

TEST_F(Session_, ALineThatCopiesFloodsNobody) {
    SyncEntity sync;
    sync.fields.delta = delta::anim;
    for (uint64_t s = 1; s <= 1'200; ++s) {
        sync.client_time_ms += 16;
        const auto one = packet(0, sync, Direction::to_server, s, 0, Channel::unreliable);
        for (int copy = 0; copy < 4; ++copy) {
            EXPECT_EQ(hears(Direction::to_server, one).drop, copy > 0);
            EXPECT_FALSE(blamed(Fault::rate_flood));
        }
        now += 16ms;
    }
}

TEST_F(Session_, WhatTheServerHoldsBackChangesNothing) {
    says(Direction::to_client, ControlType::ping, Ping{1, 77}, 1);
    // The first on channel 1 never comes.
    const Outcome outcome = says(Direction::to_server, ControlType::disconnect, Disconnect{}, 2, 0,
                                 Channel::reliable_ordered);
    EXPECT_FALSE(outcome.ended);
    EXPECT_FALSE(outcome.drop);
    EXPECT_TRUE(ear.taken.empty());
    says(Direction::to_server, ControlType::pong, Pong{1, 77, 0}, 3, 0, Channel::reliable_ordered);
    EXPECT_EQ(decoder.session_of(link)->pongs, 0u);
    // An action will not be heard of again, so it is told.
    hears(Direction::to_server, packet(5, ActionRequest{.request_id = 1}, Direction::to_server, 4,
                                       0, Channel::reliable_ordered));
    EXPECT_EQ(ear.taken.size(), 1u);
    // With the gap closed nothing waits any more.
    hears(Direction::to_server, packet(5, ActionRequest{.request_id = 2}, Direction::to_server, 1,
                                       0, Channel::reliable_ordered));
    EXPECT_TRUE(says(Direction::to_server, ControlType::disconnect, Disconnect{}, 5, 0,
                     Channel::reliable_ordered)
                    .ended);
}

TEST_F(Session_, ASyncThatIsToBeAcknowledgedIsNone) {
    SyncEntity sync;
    sync.fields.delta = delta::anim;
    for (const Channel channel : {Channel::reliable_ordered, Channel::reliable_unordered}) {
        const Outcome outcome =
            hears(Direction::to_server, packet(0, sync, Direction::to_server, 1, 0, channel));
        EXPECT_TRUE(outcome.rewritten);
        EXPECT_TRUE(blamed(Fault::message_malformed));
        EXPECT_TRUE(ear.taken.empty());
    }
}

TEST_F(Session_, OfAPacketThatDoesNotGoOnNothingIsTaken) {
    SyncEntity sync;
    sync.fields.delta = delta::anim;
    const auto message = message_bytes(0, sync, Direction::to_server);
    std::vector<std::vector<std::byte>> parts(Harmless::messages_max + 1,
                                              std::vector(2, std::byte{77}));
    parts.insert(parts.begin(), message);
    Outcome outcome =
        hears(Direction::to_server, plain({.connection_id = id, .sequence = 1}, bundle_of(parts)));
    EXPECT_TRUE(outcome.drop);
    EXPECT_EQ(ear.names.size(), 1u);
    EXPECT_TRUE(ear.taken.empty());
    // More syncs than anybody may send: none of the packet that is one too many counts.
    uint64_t sequence = 1;
    do {
        outcome = hears(Direction::to_server, plain({.connection_id = id, .sequence = ++sequence},
                                                    bundle_of(std::vector(40, message))));
        EXPECT_EQ(ear.taken.size(), outcome.drop ? 0u : 40u);
    } while (!outcome.drop && sequence < 20);
    EXPECT_TRUE(blamed(Fault::rate_flood));
    EXPECT_TRUE(
        hears(Direction::to_server, plain({.connection_id = id, .sequence = ++sequence}, message))
            .drop);
    EXPECT_TRUE(ear.taken.empty());
}

TEST_F(Session_, TheSameIdAtAnotherTimeIsAnotherSession) {
    const auto pong = control(ControlType::pong, Pong{1, 5, 0}, Direction::to_server, 1);
    hears(Direction::to_server, pong);
    EXPECT_FALSE(hears(Direction::to_client, accepted(id)).begun) << "said again";
    EXPECT_TRUE(hears(Direction::to_server, pong).drop);
    hears(Direction::to_server, connect(std::vector<std::byte>(cookie_size)));
    EXPECT_TRUE(hears(Direction::to_client, accepted(id, 5'000)).begun);
    EXPECT_FALSE(hears(Direction::to_server, pong).drop);
}

TEST_F(Session_, WhatALineHeldBackForLongIsDroppedAndBlamesNobody) {
    const auto pong = [&](uint64_t s) {
        return control(ControlType::pong, Pong{9, 9, 0}, Direction::to_server, s);
    };
    for (uint64_t s = 100; s <= 1'000; ++s) {
        hears(Direction::to_server, pong(s));
        now += 16ms;
        if (s % 10 != 0) continue;
        EXPECT_TRUE(hears(Direction::to_server, pong(s - 90)).drop);
        EXPECT_FALSE(blamed(Fault::replay_window));
    }
}

TEST_F(Session_, WhatIsOlderThanAnHonestRepeatDoesNotReachTheServer) {
    const auto action = [&](uint64_t s) {
        return packet(5, ActionRequest{.request_id = 1}, Direction::to_server, s, 0,
                      Channel::reliable_unordered);
    };
    for (uint64_t s = 1; s <= 128; ++s) hears(Direction::to_server, action(s));
    EXPECT_TRUE(hears(Direction::to_server, action(1)).drop);
    EXPECT_FALSE(hears(Direction::to_server, action(100)).drop);
}

TEST_F(Session_, WhoseLineStoodStillWasNotSilentOnPurpose) {
    for (const bool stands_still : {true, false}) {
        const Channel channel =
            stands_still ? Channel::reliable_ordered : Channel::reliable_unordered;
        const auto id_of_ping = static_cast<uint16_t>(++down);
        says(Direction::to_client, ControlType::ping, Ping{id_of_ping, 77}, down);
        says(Direction::to_server, ControlType::pong, Pong{id_of_ping, 77, 0}, ++up);
        UpdateEntity update;
        update.entity = 5;
        update.fields.delta = delta::anim;
        const auto reliable = packet(2, update, Direction::to_client, 1, 0, channel);
        float most = 0;
        for (int copy = 0; copy < 11; ++copy) {
            for (int i = 0; i < 5; ++i) {
                now += 50ms;
                if (stands_still && copy < 9) continue;
                says(Direction::to_server, ControlType::pong, Pong{99, 9, 0}, ++up);
            }
            hears(Direction::to_client, reliable);
            if (blamed(Fault::reliable_abuse)) most = std::max(most, ear.confidence);
        }
        EXPECT_GT(most, 0);
        EXPECT_EQ(most >= 0.95f, !stands_still) << most;
    }
}

TEST_F(Session_, OnlyAnAnswerInTimeMakesTheServersWordProof) {
    for (const bool answers : {false, true}) {
        const CheckIntegrity challenge{.phase = 0, .challenge_id = 1, .index = 2, .key = {}};
        says(Direction::to_client, ControlType::check_integrity, challenge, 1 + answers, 0,
             Channel::reliable_ordered);
        now += 100ms;
        if (answers) {
            const std::array<std::byte, 16> key{};
            const CheckIntegrity answer{.phase = 1, .challenge_id = 1, .index = 2, .key = key};
            says(Direction::to_server, ControlType::check_integrity, answer, 1, 0,
                 Channel::reliable_ordered);
        }
        const Disconnect goodbye{6, {}};
        says(Direction::to_client, ControlType::disconnect, goodbye, 1 + answers);
        EXPECT_TRUE(blamed(Fault::integrity_failed));
        EXPECT_EQ(ear.confidence >= 0.95f, answers);
        // And another session.
        hears(Direction::to_server, connect(std::vector<std::byte>(cookie_size)));
        EXPECT_TRUE(hears(Direction::to_client, accepted(id, 9 + answers)).begun);
    }
}

TEST_F(Session_, BuildZeroIsOne) {
    keys::ShadowlandSecrets secrets{};
    secrets.server = link.server;
    secrets.integrity_size = 1;
    keys.add(secrets);
    hears(Direction::to_server, connect(std::vector<std::byte>(cookie_size), 0));
    hears(Direction::to_client, accepted(id, 8));
    // It had said another one, and which of the two holds nobody knows.
    EXPECT_FALSE(decoder.session_of(link)->build_known);
    now += 20s;
    hears(Direction::to_server, connect(std::vector<std::byte>(cookie_size), 0));
    hears(Direction::to_client, accepted(id, 9));
    const CheckIntegrity challenge{.phase = 0, .challenge_id = 1, .index = 2, .key = {}};
    says(Direction::to_client, ControlType::check_integrity, challenge, 1, 0,
         Channel::reliable_ordered);
    const std::array<std::byte, 16> key{};
    const CheckIntegrity answer{.phase = 1, .challenge_id = 1, .index = 2, .key = key};
    says(Direction::to_server, ControlType::check_integrity, answer, 1, 0,
         Channel::reliable_ordered);
    EXPECT_TRUE(blamed(Fault::integrity_failed));
}

TEST_F(Session_, TheServersAcceptanceIsEnough) {
    Link other{*parse_endpoint("10.88.0.9:50000"), link.server};
    ear = {};
    EXPECT_TRUE(decoder.receive(other, Direction::to_client, accepted(9), now, ear).begun);
    EXPECT_FALSE(decoder.session_of(other)->build_known);
}

TEST_F(Session_, AServerThatHungMissesNobodysHeartbeat) {
    for (const bool asks : {false, true}) {
        hears(Direction::to_client, accepted(id, 1 + asks));
        uint64_t sequence = 0;
        says(Direction::to_client, ControlType::ping, Ping{1, 77}, 1);
        says(Direction::to_server, ControlType::pong, Pong{1, 77, 0}, ++sequence);
        SyncEntity sync;
        sync.fields.delta = delta::anim;
        bool missed = false;
        for (uint16_t second = 1; second < 20; ++second) {
            now += 1s;
            if (asks && second > 4) {
                says(Direction::to_client, ControlType::ping, Ping{second, 77}, second);
                missed |= blamed(Fault::heartbeat_missing);
            }
            sync.client_time_ms += 1'000;
            hears(Direction::to_server,
                  packet(0, sync, Direction::to_server, ++sequence, 0, Channel::unreliable));
            missed |= blamed(Fault::heartbeat_missing);
        }
        EXPECT_EQ(missed, asks);
        says(Direction::to_client, ControlType::disconnect, Disconnect{2, {}}, 30);
        EXPECT_EQ(blamed(Fault::heartbeat_missing), !asks) << "said once";
        EXPECT_LT(ear.confidence, 0.95f);
    }
}

TEST_F(Session_, WhoWasGivenACookieMayComeThroughAFlood) {
    const auto with_cookie = connect(std::vector<std::byte>(cookie_size));
    for (int i = 0; i < 4'000; ++i) hears(Direction::to_server, with_cookie);
    Link other{*parse_endpoint("10.88.0.1:50009"), link.server};
    ear = {};
    EXPECT_TRUE(decoder.receive(other, Direction::to_server, with_cookie, now, ear).drop);
    Cookie cookie;
    cookie.cookie = no_cookie;
    decoder.receive(other, Direction::to_client,
                    shadowland::control(ControlType::cookie, cookie, Direction::to_client), now,
                    ear);
    EXPECT_FALSE(decoder.receive(other, Direction::to_server, with_cookie, now, ear).drop);
}

}  // namespace
}  // namespace portcullis::shadowland
