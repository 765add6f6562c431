// Goal: a session goes through its life as the wire document has it; what breaks its
// rules is told by its name, and what only a bad line does is not.
// Method: a plain session spoken packet by packet.

#include "protocol/shadowland/decoder.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/shadowland/session_test_support.h"
#include "protocol/shadowland/tell_test_support.h"
#include "protocol/shadowland/vectors.h"

namespace portcullis::shadowland {
namespace {
TEST(Copies, AreCountedAsAnArrayWouldCountThem) {
    std::mt19937 random(7);
    std::array<uint8_t, ReplayWindow::size> naive{};
    Copies copies;
    for (int i = 0; i < 20'000; ++i) {
        if (random() % 4 == 0) {
            const uint64_t by = 1 + random() % (random() % 8 == 0 ? 80 : 20);
            copies.moved(by);
            for (size_t n = naive.size(); n-- > 0;) naive[n] = n >= by ? naive[n - by] : 0;
        } else {
            const size_t n = random() % naive.size();
            if (naive[n] < Copies::most) ++naive[n];
            EXPECT_EQ(copies.add(n), naive[n]);
        }
        for (size_t n = 0; n < naive.size(); ++n) ASSERT_EQ(copies.of(n), naive[n]) << i;
    }
}

TEST_F(Session_, ANetworksSecondCopyIsDroppedAndBlamesNobody) {
    const auto ping = control(ControlType::ping, Ping{1, 5}, Direction::to_client, 1);
    hears(Direction::to_client, ping);
    const auto pong = control(ControlType::pong, Pong{1, 5, 0}, Direction::to_server, 1);
    EXPECT_FALSE(hears(Direction::to_server, pong).drop);
    EXPECT_TRUE(ear.faults.empty());
    now += 100ms;
    EXPECT_TRUE(hears(Direction::to_server, pong).drop);
    EXPECT_TRUE(ear.faults.empty());
    for (int i = 0; i < 20; ++i) hears(Direction::to_server, pong);
    EXPECT_TRUE(blamed(Fault::replay_window));
}

TEST_F(Session_, AReliableRepeatGoesOnSinceItsReceiverAcknowledgesItAgain) {
    const CheckIntegrity challenge{.phase = 0, .challenge_id = 1, .index = 2, .key = {}};
    const auto one = control(ControlType::check_integrity, challenge, Direction::to_client, 1, 0,
                             Channel::reliable_ordered);
    hears(Direction::to_client, one);
    EXPECT_TRUE(ear.seen.fresh);
    now += 250ms;
    EXPECT_FALSE(hears(Direction::to_client, one).drop);
    EXPECT_FALSE(ear.seen.fresh);
}

TEST_F(Session_, WhoAcknowledgesWhatWasNeverSentIsFound) {
    std::array<std::byte, 8> sequence{std::byte{9}};
    Ack ack{.channel = 1, .count = 1, .raw = sequence};
    says(Direction::to_server, ControlType::ack, ack, 1, flag::acknowledgment);
    EXPECT_TRUE(blamed(Fault::reliable_abuse));
}

TEST_F(Session_, APongCountsOnceAndOnlyForAPing) {
    says(Direction::to_client, ControlType::ping, Ping{1, 77}, 1);
    now += 30ms;
    says(Direction::to_server, ControlType::pong, Pong{1, 77, 10}, 1);
    EXPECT_TRUE(ear.faults.empty());
    EXPECT_DOUBLE_EQ(decoder.session_of(link)->rtt_ms, 20);
    says(Direction::to_server, ControlType::pong, Pong{1, 77, 10}, 2);
    EXPECT_TRUE(blamed(Fault::heartbeat_forged));
    says(Direction::to_server, ControlType::pong, Pong{2, 77, 10}, 3);
    EXPECT_TRUE(blamed(Fault::heartbeat_forged));
}

TEST_F(Session_, APongForWhatIsForgottenIsLateOrForgedAsItsTimeSays) {
    uint64_t sequence = 0;
    for (uint16_t ping = 1; ping <= 40; ++ping) {
        says(Direction::to_client, ControlType::ping, Ping{ping, 1'000u + ping}, ++sequence);
    }
    says(Direction::to_server, ControlType::pong, Pong{3, 1'003, 0}, 1);
    EXPECT_TRUE(blamed(Fault::heartbeat_forged));
    EXPECT_LT(ear.confidence, 0.95f) << "it may have been on its way for long";
    says(Direction::to_server, ControlType::pong, Pong{99, 1'035, 0}, 2);
    EXPECT_EQ(ear.confidence, 1) << "of that time all are known";
}

TEST_F(Session_, WhatLeavesAReliablePacketBehindIsBeyondTheWindow) {
    const auto pong = [&](uint64_t sequence, Channel channel) {
        return hears(Direction::to_server,
                     packet(2, Pong{9, 9, 0}, Direction::to_server, sequence, 0, channel));
    };
    for (const Channel channel : {Channel::reliable_ordered, Channel::reliable_unordered}) {
        pong(1, channel);
        // The second is still on its way, and the window is full.
        for (uint64_t s = 3; s <= 65; ++s) {
            EXPECT_FALSE(pong(s, channel).drop) << s;
            EXPECT_FALSE(blamed(Fault::reliable_abuse)) << s;
        }
        EXPECT_TRUE(pong(66, channel).drop);
        EXPECT_TRUE(blamed(Fault::reliable_abuse));
        EXPECT_TRUE(pong(50'000, channel).drop);
        EXPECT_TRUE(blamed(Fault::reliable_abuse));
        // Neither has moved the window: what comes in its turn is read.
        EXPECT_FALSE(pong(2, channel).drop);
        EXPECT_TRUE(ear.seen.fresh);
        EXPECT_FALSE(pong(66, channel).drop);
        EXPECT_TRUE(ear.seen.fresh);
    }
}

TEST_F(Session_, SilenceIsNoMissingHeartbeatButSpeakingWithoutPongsIs) {
    says(Direction::to_client, ControlType::ping, Ping{1, 77}, 1);
    now += 16s;
    says(Direction::to_client, ControlType::ping, Ping{2, 78}, 2);
    EXPECT_FALSE(blamed(Fault::heartbeat_missing));
    SyncEntity sync;
    sync.fields.delta = delta::anim;
    hears(Direction::to_server, packet(0, sync, Direction::to_server, 1, 0, Channel::unreliable));
    hears(Direction::to_server, packet(0, sync, Direction::to_server, 2, 0, Channel::unreliable));
    EXPECT_TRUE(blamed(Fault::heartbeat_missing));
}

TEST_F(Session_, ARekeyResponseThatNobodyAskedForIsFound) {
    const std::array<std::byte, key_size> key{};
    says(Direction::to_server, ControlType::rekey_response, RekeyResponse{1, key}, 1, flag::rekey,
         Channel::reliable_ordered);
    EXPECT_TRUE(blamed(Fault::rekey_invalid));
    says(Direction::to_client, ControlType::rekey_request, RekeyRequest{1, key}, 1, flag::rekey,
         Channel::reliable_ordered);
    says(Direction::to_server, ControlType::rekey_response, RekeyResponse{1, key}, 2, flag::rekey,
         Channel::reliable_ordered);
    EXPECT_TRUE(ear.faults.empty());
}

TEST_F(Session_, FragmentsInAnyOrderMakeTheWhole) {
    std::vector<std::byte> nop(3'000, std::byte{0x41});
    nop[0] = std::byte{payload_type::nop};
    uint64_t sequence = 0;
    for (const size_t part : {2, 0, 1}) {
        const size_t at = part * fragment_data_size;
        const Bytes data = Bytes(nop).subspan(at, std::min(fragment_data_size, nop.size() - at));
        const Fragment fragment{5, static_cast<uint16_t>(at / fragment_unit),
                                static_cast<uint32_t>(nop.size()), data};
        says(Direction::to_server, ControlType::fragment, fragment, ++sequence, flag::fragment);
        EXPECT_EQ(ear.wholes.size(), part == 1 ? 1u : 0u);
    }
    EXPECT_EQ(ear.names.back(), "Nop");
}

TEST_F(Session_, FragmentsThatContradictEachOtherAreFound) {
    std::vector<std::byte> data(fragment_data_size, std::byte{0x41});
    const Fragment first{5, 0, 2'000, data};
    says(Direction::to_server, ControlType::fragment, first, 1, flag::fragment);
    says(Direction::to_server, ControlType::fragment, first, 2, flag::fragment);
    EXPECT_TRUE(ear.faults.empty());
    data[7] = std::byte{0x42};
    says(Direction::to_server, ControlType::fragment, first, 3, flag::fragment);
    EXPECT_TRUE(blamed(Fault::fragments_overlap));
}

TEST(Fragments_, AreTakenUpAsTheyWerePutDown) {
    const std::string data(fragment_data_size, 'x');
    const auto piece = [&](uint16_t id, size_t n, size_t size = fragment_data_size) {
        Fragment fragment;
        fragment.fragment_id = id;
        fragment.total_size = 2 * fragment_data_size + 100;
        fragment.offset = static_cast<uint16_t>(n * fragment_data_size / fragment_unit);
        fragment.data = as_bytes(data).first(size);
        return fragment;
    };
    const auto add = [](Fragments& to, FragmentSets& sets, const Fragment& fragment) {
        return to.add(sets, Direction::to_server, Channel::reliable_ordered, false, fragment, 5s);
    };
    Fragments before({8, 96}), after({8, 96});
    FragmentSets sets, again;
    add(before, sets, piece(1, 2, 100));
    add(before, sets, piece(2, 0));
    add(before, sets, piece(1, 0));
    std::vector<std::byte> bytes(10'000);
    Writer to{MutableBytes(bytes)};
    ASSERT_TRUE(before.put_down(sets, to));
    Reader from(to.written());
    ASSERT_TRUE(after.take_up(again, from));
    EXPECT_TRUE(from.empty());
    EXPECT_EQ(again.count, 2);
    EXPECT_EQ(add(after, again, piece(2, 0)).result, Fragments::Result::repeated);
    EXPECT_EQ(add(after, again, piece(1, 1)).result, Fragments::Result::complete);
    EXPECT_EQ(after.blocks_used(), 1u);
    EXPECT_TRUE(after.any_expired(again, 16s)) << "their age goes along";
    EXPECT_FALSE(after.any_expired(again, 14s));

    Writer small(MutableBytes(bytes).first(to.size() - 1));
    EXPECT_FALSE(before.put_down(sets, small));
    for (size_t size = 0; size < to.size(); ++size) {
        Fragments damaged({8, 96});
        FragmentSets none;
        Reader cut(to.written().first(size));
        EXPECT_FALSE(damaged.take_up(none, cut)) << size;
    }
}

TEST_F(Session_, ARefusedContradictionLeavesTheFirstStory) {
    std::vector<std::byte> nop(2'000, std::byte{0x41});
    nop[0] = std::byte{payload_type::nop};
    const auto fragment = [&](size_t at) {
        return Fragment{5, static_cast<uint16_t>(at / fragment_unit), 2'000,
                        Bytes(nop).subspan(at, std::min(fragment_data_size, nop.size() - at))};
    };
    says(Direction::to_server, ControlType::fragment, fragment(0), 1, flag::fragment);
    nop[7] = std::byte{0x42};
    EXPECT_TRUE(
        says(Direction::to_server, ControlType::fragment, fragment(0), 2, flag::fragment).drop);
    EXPECT_TRUE(blamed(Fault::fragments_overlap));
    says(Direction::to_server, ControlType::fragment, fragment(fragment_data_size), 3,
         flag::fragment);
    EXPECT_EQ(ear.wholes.size(), 1u) << "the server has the first, too";
}

TEST(Fragments, ClientsTogetherLeaveRoomForTheNext) {
    Fragments fragments({4'096, 1'024});
    std::vector<FragmentSets> greedy(200);
    const std::vector<std::byte> data(fragment_data_size);
    const auto add = [&](FragmentSets& sets, uint16_t id, size_t n, uint32_t total) {
        const auto offset = static_cast<uint16_t>(n * fragment_data_size / fragment_unit);
        const size_t size = std::min(fragment_data_size, total - n * fragment_data_size);
        return fragments
            .add(sets, Direction::to_server, Channel::unreliable, false,
                 {id, offset, total, Bytes(data).first(size)}, 1s)
            .result;
    };
    for (FragmentSets& sets : greedy) {
        for (uint16_t set = 0; set < 4; ++set) {
            for (size_t n = 0; n < 56; ++n) (void)add(sets, set, n, 65'536);
        }
    }
    FragmentSets honest;
    for (uint16_t set = 0; set < 100; ++set) {
        EXPECT_EQ(add(honest, set, 0, 2'000), Fragments::Result::kept);
        EXPECT_EQ(add(honest, set, 1, 2'000), Fragments::Result::complete);
    }
    // What there was no room for floods nobody and is missed by nobody.
    EXPECT_EQ(add(greedy.back(), 9, 0, 2'000), Fragments::Result::no_room);
    EXPECT_EQ(fragments.expire(greedy.back(), 20s), 0u);
    for (FragmentSets& sets : greedy) fragments.forget(sets);
    EXPECT_EQ(fragments.blocks_used(), 0u);
}

TEST_F(Session_, AFifthSetOfFragmentsIsAFlood) {
    const std::vector<std::byte> data(fragment_data_size, std::byte{0x41});
    for (uint16_t set = 0; set < 5; ++set) {
        says(Direction::to_server, ControlType::fragment, Fragment{set, 0, 2'000, data}, set + 1u,
             flag::fragment);
        EXPECT_EQ(blamed(Fault::fragments_flood), set == 4);
    }
}

TEST_F(Session_, TheIdOfAnothersSessionIsAHijack) {
    Link other{*parse_endpoint("10.88.0.9:50000"), link.server};
    const auto pong = control(ControlType::pong, Pong{1, 5, 0}, Direction::to_server, 1);
    ear = {};
    EXPECT_TRUE(decoder.receive(other, Direction::to_server, pong, now, ear).drop);
    EXPECT_TRUE(blamed(Fault::session_hijack));
}

TEST_F(Session_, WhoseAddressChangesIsNoThiefButWhoSpeaksBesideTheOwnerIs) {
    for (const bool moved : {true, false}) {
        Link other{*parse_endpoint(moved ? "10.88.0.9:50000" : "10.88.0.8:50000"), link.server};
        uint64_t sequence = moved ? 1 : 1'000;
        now += 60s;
        float most = 0;
        for (int i = 0; i < 100; ++i) {
            now += 50ms;
            const auto pong = [&] {
                return control(ControlType::pong, Pong{1, 5, 0}, Direction::to_server, ++sequence);
            };
            // What was on its way from the old address still comes for a while.
            if (!moved || i < 10) hears(Direction::to_server, pong());
            ear = {};
            EXPECT_TRUE(decoder.receive(other, Direction::to_server, pong(), now, ear).drop);
            ASSERT_TRUE(blamed(Fault::session_hijack));
            most = std::max(most, ear.confidence);
        }
        EXPECT_EQ(most >= 0.95f, !moved) << most;
    }
}

TEST_F(Session_, ALineThatStalledGivesBackMoreThanAFloodMay) {
    for (const bool flood : {false, true}) {
        SyncEntity sync;
        sync.fields.delta = delta::anim;
        sync.client_time_ms = 100'000;
        now += 60s;
        bool blames = false;
        for (int i = 0; i < 400; ++i) {  // Of more than six seconds, at once.
            sync.client_time_ms += flood ? 1 : 1'000 / 60;
            hears(Direction::to_server, packet(0, sync, Direction::to_server,
                                               i + (flood ? 1'001 : 1), 0, Channel::unreliable));
            blames |= blamed(Fault::rate_flood);
        }
        EXPECT_EQ(blames, flood);
    }
}

TEST_F(Session_, ConnectsWithCookiesAreLimitedToo) {
    const auto with_cookie = connect(std::vector<std::byte>(cookie_size));
    int dropped = 0;
    for (int i = 0; i < 4'000; ++i) dropped += hears(Direction::to_server, with_cookie).drop;
    EXPECT_EQ(dropped, 1'001);
}

TEST_F(Session_, TheSameIdAtAnotherServerIsNoHijack) {
    Link other{*parse_endpoint("10.88.0.9:50000"), *parse_endpoint("10.88.0.3:3565")};
    other.service = 1;
    const auto pong = control(ControlType::pong, Pong{1, 5, 0}, Direction::to_server, 1);
    const Outcome outcome = decoder.receive(other, Direction::to_server, pong, now, ear);
    EXPECT_TRUE(outcome.unknown);
    EXPECT_FALSE(outcome.drop);
}

TEST_F(Session_, WhatNeverCameIsCountedWhenTheWindowLeavesItBehind) {
    const auto pings = [&](uint64_t first, uint64_t last) {
        uint32_t lost = 0;
        for (uint64_t s = first; s <= last; ++s) {
            lost += says(Direction::to_client, ControlType::ping, Ping{1, 5}, s).lost;
        }
        return lost;
    };
    EXPECT_EQ(pings(1, 10), 0u);
    EXPECT_EQ(pings(13, 70), 0u);  // 11 and 12 may still come.
    EXPECT_EQ(pings(12, 12), 0u);
    EXPECT_EQ(pings(71, 80), 1u);
    EXPECT_EQ(pings(1'000, 1'000), 919u - 63u);
    EXPECT_EQ(pings(1'001, 1'100), 63u);
}

/// Two messages in a bundle, the first of which must not arrive.
std::vector<std::byte> two_messages() {
    return bundle_of(
        {message_bytes(5, ActionRequest{.request_id = 5, .action = 2}, Direction::to_server),
         message_bytes(2, Pong{1, 5, 0}, Direction::to_server)});
}

/// Makes the first message that it hears harmless.
struct Censor : Ear {
    Decoder& decoder;
    bool done = false;
    explicit Censor(Decoder& d) : decoder(d) {}
    using Ear::on;
    template <class M>
    void on(const M& message) {
        Ear::on(message);
        if constexpr (std::is_same_v<M, ActionRequest>) done = decoder.make_harmless();
    }
    void on(const Violation& violation) { Ear::on(violation); }
    void on(const RoundTrip&) {}
};

TEST_F(Session_, AMessageIsMadeHarmlessEachTimeItIsSent) {
    const auto datagram = plain(
        {.connection_id = id, .channel = Channel::reliable_ordered, .sequence = 1}, two_messages());
    std::vector<std::byte> first(datagram_size_max);
    for (int copy = 0; copy < 3; ++copy) {
        Censor censor(decoder);
        const Outcome outcome = decoder.receive(link, Direction::to_server, datagram, now, censor);
        EXPECT_FALSE(outcome.drop);
        ASSERT_TRUE(outcome.rewritten) << copy;
        std::vector<std::byte> changed(datagram_size_max);
        changed.resize(decoder.rewrite(changed));
        ASSERT_EQ(changed.size(), datagram.size());
        EXPECT_TRUE(crc_holds(changed));
        EXPECT_EQ(changed[header_size + 3], std::byte{payload_type::nop});
        if (copy == 0) first = changed;
        EXPECT_EQ(changed, first);
        now += 250ms;
    }
    // What comes after it is not touched, and its memory is given back.
    for (uint64_t s = 2; s < 80; ++s) {
        const auto pong =
            plain({.connection_id = id, .channel = Channel::reliable_ordered, .sequence = s},
                  message_bytes(5, ActionRequest{.request_id = 1}, Direction::to_server));
        EXPECT_FALSE(hears(Direction::to_server, pong).rewritten);
    }
    EXPECT_EQ(decoder.session_of(link)->harmless, Pool<Harmless>::none);
}

TEST_F(Session_, ABrokenMessageOfABundleIsMadeHarmlessAlone) {
    auto broken = message_bytes(5, ActionRequest{.request_id = 5}, Direction::to_server);
    broken.push_back(std::byte{0});
    const auto good = message_bytes(2, Pong{1, 5, 0}, Direction::to_server);
    const auto datagram = plain({.connection_id = id, .sequence = 1}, bundle_of({good, broken}));
    const Outcome outcome = hears(Direction::to_server, datagram);
    EXPECT_FALSE(outcome.drop);
    EXPECT_TRUE(outcome.rewritten);
    EXPECT_TRUE(blamed(Fault::message_malformed));
    std::array<std::byte, datagram_size_max> changed;
    const size_t size = decoder.rewrite(changed);
    EXPECT_EQ(changed[header_size + 1 + 2 + good.size() + 2], std::byte{payload_type::nop});
    EXPECT_EQ(changed[header_size + 3], std::byte{2});
    EXPECT_EQ(size, datagram.size());
}

TEST_F(Session_, ABrokenReliablePacketGoesOnAsANop) {
    const std::array<std::byte, 7> bomb = {std::byte{0}, std::byte{0}, std::byte{1}};
    const auto datagram = plain({.connection_id = id,
                                 .channel = Channel::reliable_unordered,
                                 .flags = flag::compressed,
                                 .sequence = 1},
                                bomb);
    const Outcome outcome = hears(Direction::to_server, datagram);
    EXPECT_FALSE(outcome.drop);
    ASSERT_TRUE(outcome.rewritten);
    std::vector<std::byte> changed(datagram_size_max);
    changed.resize(decoder.rewrite(changed));
    Decoder server{{.sessions = 4, .fragments = {8, 128}}, keys};
    EXPECT_TRUE(crc_holds(changed));
    const ReadHeader read = read_header(changed);
    EXPECT_EQ(read.error, Error::none);
    EXPECT_EQ(read.header.flags, 0);
    EXPECT_EQ(changed[header_size], std::byte{payload_type::nop});
}

TEST_F(Session_, UnknownTypesPassWhereTheServerHasItsOwn) {
    const std::array<std::byte, 2> own = {std::byte{0x33}, std::byte{1}};
    Outcome outcome = hears(Direction::to_server, plain({.connection_id = id, .sequence = 1}, own));
    EXPECT_TRUE(outcome.drop);
    EXPECT_EQ(outcome.error, Error::type);
    link.pass_unknown = true;
    outcome = hears(Direction::to_server, plain({.connection_id = id, .sequence = 2}, own));
    EXPECT_FALSE(outcome.drop);
    EXPECT_TRUE(ear.faults.empty());
}

TEST_F(Session_, OurGoodbyeIsOneThatBothSidesRead) {
    std::array<std::byte, 128> room;
    for (const Direction to : {Direction::to_client, Direction::to_server}) {
        const size_t size = decoder.write_disconnect(link, to, 7, "movement.speed", room);
        ASSERT_GT(size, 0u);
        const Outcome outcome = hears(to, Bytes(room).first(size));
        EXPECT_TRUE(outcome.ended);
        EXPECT_EQ(ear.names.back(), "Disconnect");
    }
}

TEST_F(Session_, OurGoodbyeIsCutBetweenCharacters) {
    std::array<std::byte, 128> room;
    for (size_t before = 0; before < 6; ++before) {
        std::string text(Disconnect::text_size_max - before, 'a');
        for (int i = 0; i < 4; ++i) text += "\xe2\x82\xac";
        const size_t size = decoder.write_disconnect(link, Direction::to_client, 7, text, room);
        ASSERT_GT(size, 0u);
        hears(Direction::to_client, Bytes(room).first(size));
        EXPECT_EQ(ear.names.back(), "Disconnect");
        const auto last = static_cast<uint8_t>(room[size - crc_size - 1]);
        EXPECT_EQ(last, before < 3 ? 'a' : 0xac) << before;
    }
}

TEST_F(Session_, NoTruncationAndNoFlippedBitIsReadWrong) {
    // Sealed and plain ones alike: sum or tag refuses each.  A read outside the bytes shows
    // under the sanitizers.
    for (const auto& vector : vectors::all) {
        const auto datagram = from_hex(vector.datagram);
        const Direction d = vector.to_server ? Direction::to_server : Direction::to_client;
        for (size_t size = 0; size <= datagram.size(); ++size) {
            const std::vector<std::byte> cut(datagram.begin(), datagram.begin() + ptrdiff_t(size));
            ear.names.clear();
            hears(d, cut);
            EXPECT_TRUE(ear.names.empty() || size == datagram.size()) << vector.name << size;
        }
        for (size_t bit = 0; bit < 8 * datagram.size(); ++bit) {
            auto flipped = datagram;
            flipped[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
            ear.names.clear();
            hears(d, flipped);
            EXPECT_TRUE(ear.names.empty()) << vector.name << bit;
            // With the sum mended, the body is what is read.
            if (flipped.size() >= plain_size_min) write_crc(flipped);
            hears(d, flipped);
        }
    }
}

}  // namespace
}  // namespace portcullis::shadowland
