// Goal: whatever is made of fragments was seen whole, in one version only, and what
// is kept for it is bounded.
// Method: frames cut in pieces, shown in every order and with lies among them; all
// is read from exact buffers.

#include "flow/fragments.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "packet/testing/fragmenting.h"

namespace portcullis {
namespace {

using testing::Frame;
using testing::in_pieces;
using testing::piece_of;
using Fate = Fragments::Fate;

const std::string text = "The quick brown fox jumps over the lazy dog, twice.";

/// From one of many addresses.
PacketBuilder segment_of(uint32_t source, std::string_view says = text) {
    return PacketBuilder{}
        .from({IpAddress::v4(0x0a000000 + source), 50'122})
        .to(*parse_endpoint("10.0.0.2:25565"))
        .tcp(Seq(1), Seq(2), stream::tcp::ack)
        .payload(as_bytes(says));
}

PacketBuilder segment(bool v4 = true, std::string_view says = text) {
    return PacketBuilder{}
        .from(*parse_endpoint(v4 ? "198.51.100.7:50122" : "[2001:db8::7]:50122"))
        .to(*parse_endpoint(v4 ? "10.0.0.2:25565" : "[2001:db8::2]:25565"))
        .tcp(Seq(1), Seq(2), stream::tcp::ack)
        .payload(as_bytes(says));
}

struct FragmentsTest : ::testing::Test {
    Fate sees(const Frame& frame, bool foreign = false) {
        bytes = std::make_unique<std::byte[]>(frame.size());
        std::ranges::copy(frame, bytes.get());
        packet = Packet{};
        packet.frame = bytes.get();
        packet.frame_size = static_cast<uint32_t>(frame.size());
        packet.time = now;
        packet.side = side;
        read_headers(packet);
        EXPECT_TRUE(packet.fragment);
        return fragments.take(packet, foreign);
    }
    static constexpr uint32_t capacity = 16;
    Fragments fragments{capacity, 7};
    std::unique_ptr<std::byte[]> bytes;
    Packet packet;
    Nanos now = 1000s;
    Side side = Side::outside;
};

TEST_F(FragmentsTest, AreReadAsTheDatagramInEveryOrder) {
    for (const bool v4 : {true, false}) {
        uint32_t id = 1;
        std::vector<size_t> order(3);
        std::iota(order.begin(), order.end(), 0);
        do {
            now += Fragments::lifetime * 2;
            const auto pieces = in_pieces(segment(v4), 24, ++id);
            ASSERT_EQ(pieces.size(), order.size());
            for (size_t i = 0; i < order.size(); ++i) {
                const Fate fate = sees(pieces[order[i]]);
                EXPECT_EQ(fate, i + 1 == order.size() ? Fate::whole : Fate::waits);
            }
            EXPECT_EQ(as_text(packet.payload()), text);
            EXPECT_EQ(packet.fault, DropReason::none);
            EXPECT_FALSE(packet.fragment);
            EXPECT_TRUE(checksums_hold(packet));
            EXPECT_EQ(packet.destination.port, 25565);
        } while (std::ranges::next_permutation(order).found);
    }
}

TEST_F(FragmentsTest, SentAgainAreTheSameAgain) {
    const auto pieces = in_pieces(segment(), 24);
    sees(pieces[0]);
    EXPECT_EQ(sees(pieces[0]), Fate::waits);
    for (size_t i = 1; i < pieces.size(); ++i) sees(pieces[i]);
    for (const Frame& piece : pieces) {
        EXPECT_EQ(sees(piece), Fate::whole);
        EXPECT_EQ(as_text(packet.payload()), text);
    }
}

// A first fragment that the receiver never gets must not hide the others.
TEST_F(FragmentsTest, HaveOneFirstOneWhichSaysForWhomTheyAre) {
    const auto pieces = in_pieces(segment(), 24, 1);
    EXPECT_EQ(sees(pieces[0], true), Fate::foreign);
    EXPECT_EQ(sees(pieces[1]), Fate::foreign);
    EXPECT_EQ(sees(pieces[0]), Fate::contradicts);
    EXPECT_EQ(sees(pieces[2]), Fate::contradicts);

    const auto others = in_pieces(segment(), 24, 2);
    EXPECT_EQ(sees(others[0]), Fate::waits);
    EXPECT_EQ(sees(others[0], true), Fate::contradicts);
    EXPECT_EQ(sees(others[1]), Fate::contradicts);
}

// A receiver may still hold one half of the first datagram when the second comes.
TEST_F(FragmentsTest, AreNotTakenForAnotherDatagramOfTheSameName) {
    const std::string other(text.size(), 'x');
    const auto pieces = in_pieces(segment(), 24);
    const auto lies = in_pieces(segment(true, other), 24);
    for (const Frame& piece : pieces) sees(piece);
    EXPECT_EQ(sees(lies[2]), Fate::contradicts);
    EXPECT_EQ(sees(pieces[2]), Fate::contradicts);  // Nothing more of this name goes on.
    now += Fragments::lifetime + 1s;
    for (size_t i = 0; i < lies.size(); ++i) {
        EXPECT_EQ(sees(lies[i]), i + 1 < lies.size() ? Fate::waits : Fate::whole);
    }
    EXPECT_EQ(as_text(packet.payload()), other);
}

TEST_F(FragmentsTest, MayOverlapOnlyWithTheSameBytes) {
    const Frame whole = testing::built(segment());
    const size_t size = 20 + text.size();
    Frame lie = piece_of(whole, {16, 48, false});
    lie.back() ^= std::byte{1};
    EXPECT_EQ(sees(piece_of(whole, {0, 32, false})), Fate::waits);
    EXPECT_EQ(sees(piece_of(whole, {24, 48, false})), Fate::waits);
    EXPECT_EQ(sees(piece_of(whole, {48, size, true})), Fate::whole);
    EXPECT_EQ(sees(lie), Fate::contradicts);
}

TEST_F(FragmentsTest, HaveOneEndOnly) {
    const Frame whole = testing::built(segment());
    const size_t size = 20 + text.size();
    sees(piece_of(whole, {48, size, true}));
    EXPECT_EQ(sees(piece_of(whole, {48, 56, true})), Fate::contradicts);
    now += Fragments::lifetime + 1s;
    sees(piece_of(whole, {48, 56, false}));
    EXPECT_EQ(sees(piece_of(whole, {40, 48, true})), Fate::contradicts);
    now += Fragments::lifetime + 1s;
    sees(piece_of(whole, {40, 48, true}));
    EXPECT_EQ(sees(piece_of(whole, {48, 56, false})), Fate::contradicts);
}

TEST_F(FragmentsTest, OfSizesThatNoHostTakesAreRefused) {
    const Frame whole = testing::built(segment());
    EXPECT_EQ(sees(piece_of(whole, {0, 20, false})), Fate::contradicts);  // Not a multiple of 8.
    EXPECT_EQ(sees(piece_of(whole, {8, 8, false})), Fate::contradicts);   // Empty.
    Frame far = piece_of(whole, {0, 16, true});
    store_be16(far.data() + ethernet_size + 6, 0x1fff);  // Beyond what IP can say.
    EXPECT_EQ(sees(far), Fate::contradicts);
    store_be16(far.data() + ethernet_size + 6, 0x1000);  // Beyond what we keep.
    EXPECT_EQ(sees(far), Fate::no_room);
}

TEST_F(FragmentsTest, OfOneSourcePushOutNobodyElse) {
    constexpr uint32_t honest = 1, flood = 2;
    const auto early = in_pieces(segment_of(honest), 40, 1);
    EXPECT_EQ(sees(early[0]), Fate::waits);
    for (uint32_t id = 0; id < 10'000; ++id) {
        sees(in_pieces(segment_of(flood), 40, id)[0]);
        now += 1ms;
    }
    EXPECT_EQ(sees(early[1]), Fate::whole);
    for (uint32_t source = 10; source < 10 + capacity - capacity / Fragments::share - 1; ++source) {
        EXPECT_EQ(sees(in_pieces(segment_of(source), 40)[0]), Fate::waits) << source;
    }
    for (uint32_t source = 10; source < 10 + capacity - capacity / Fragments::share - 1; ++source) {
        EXPECT_EQ(sees(in_pieces(segment_of(source), 40)[1]), Fate::whole) << source;
    }
}

TEST_F(FragmentsTest, OfManySourcesLeaveRoomForWhoSendsAllAtOnce) {
    int whole = 0;
    constexpr int datagrams = 1'000;
    for (uint32_t i = 0; i < datagrams; ++i) {
        for (uint32_t n = 0; n < 10; ++n) sees(in_pieces(segment_of(1'000 + 10 * i + n), 40)[0]);
        const auto honest = in_pieces(segment_of(i % 10), 40, i);
        const Fate first = sees(honest[0]);
        whole += first == Fate::waits && sees(honest[1]) == Fate::whole;
        now += 6ms;
    }
    EXPECT_GT(whole, datagrams * 98 / 100);
}

// Its receiver may hold what went on.
TEST_F(FragmentsTest, ThatGaveWayGoOnNoMore) {
    const auto pieces = in_pieces(segment_of(1), 40, 1);
    EXPECT_EQ(sees(pieces[0]), Fate::waits);
    for (uint32_t id = 2; id < 2 + capacity; ++id) sees(in_pieces(segment_of(1), 40, id)[0]);
    EXPECT_EQ(sees(pieces[1]), Fate::no_room);
    now += Fragments::lifetime - 1s;
    EXPECT_EQ(sees(pieces[1]), Fate::no_room);
    now += 3s;
    EXPECT_EQ(sees(pieces[0]), Fate::waits);
    EXPECT_EQ(sees(pieces[1]), Fate::whole);
}

// Who writes a server's address outside has no part in what comes from inside.
TEST_F(FragmentsTest, OfTheOtherSideAreAnotherDatagrams) {
    const auto real = in_pieces(segment(), 40), lie = in_pieces(segment(true, "!" + text), 40);
    EXPECT_EQ(sees(real[0]), Fate::waits);
    side = Side::inside;
    EXPECT_EQ(sees(lie[0]), Fate::waits);
    side = Side::outside;
    EXPECT_EQ(sees(real[1]), Fate::whole);
}

// Goal: however many names and stories, and whoever is pushed out, no receiver has a whole that
// was not told, nor two stories.
TEST_F(FragmentsTest, NeverLetAWholeGoByUnseen) {
    constexpr unsigned seed = 20261130;
    std::cout << "seed " << seed << "\n";
    std::mt19937 random(seed);
    const std::string other(text.size(), 'x');
    struct Received {
        int story[2] = {-1, -1};
        Nanos latest{};
    };
    std::map<std::pair<uint32_t, uint32_t>, Received> received;
    size_t wholes = 0, refused = 0;
    for (int i = 0; i < 200'000; ++i) {
        const auto source = static_cast<uint32_t>(random() % 24);
        const auto id = static_cast<uint32_t>(random() % 4);
        const int story = random() % 8 == 0 ? 1 : 0;
        const size_t part = random() % 2;
        now += std::chrono::milliseconds(random() % 64);
        const auto pieces = in_pieces(segment_of(source, story == 0 ? text : other), 40, id);
        const Fate fate = sees(pieces[part]);
        if (fate != Fate::waits && fate != Fate::whole) {
            ++refused;
            continue;
        }
        Received& r = received[{source, id}];
        if (now - r.latest > Fragments::lifetime) r = {};
        r.latest = now;
        if (r.story[part] >= 0) {
            ASSERT_EQ(r.story[part], story) << i;
        }
        r.story[part] = story;
        const bool has_all = r.story[0] >= 0 && r.story[1] >= 0;
        ASSERT_EQ(has_all, fate == Fate::whole) << i;
        wholes += has_all ? 1 : 0;
    }
    EXPECT_GT(wholes, 1'000u);
    EXPECT_GT(refused, 1'000u);
}

TEST_F(FragmentsTest, ForNoServiceMakeRoom) {
    for (uint32_t id = 1; id < 100; ++id) {
        const auto pieces = in_pieces(segment(), 40, id);
        EXPECT_EQ(sees(pieces[0], true), Fate::foreign);
        EXPECT_EQ(sees(pieces[1]), Fate::foreign);
    }
    EXPECT_EQ(sees(in_pieces(segment(), 40, 1000)[0]), Fate::waits);
}

TEST(NoFragments, WithoutRoomForAnyAllAreRefused) {
    Fragments none(0, 7);
    const Frame piece = in_pieces(segment(), 40)[0];
    Packet packet;
    Frame bytes = piece;
    packet.frame = bytes.data();
    packet.frame_size = static_cast<uint32_t>(bytes.size());
    read_headers(packet);
    EXPECT_EQ(none.take(packet, false), Fate::no_room);
    EXPECT_EQ(none.take(packet, true), Fate::foreign);
}

}  // namespace
}  // namespace portcullis
