// Goal: whatever is made of fragments was seen whole, in one version only, and what
// is kept for it is bounded.
// Method: frames cut in pieces, shown in every order and with lies among them; all
// is read from exact buffers.

#include "flow/fragments.h"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "packet/testing/fragmenting.h"

namespace portcullis {
namespace {

using testing::Frame;
using testing::in_pieces;
using testing::piece_of;
using Fate = Fragments::Fate;

const std::string text = "The quick brown fox jumps over the lazy dog, twice.";

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
        read_headers(packet);
        EXPECT_TRUE(packet.fragment);
        return fragments.take(packet, foreign);
    }
    Fragments fragments{4};
    std::unique_ptr<std::byte[]> bytes;
    Packet packet;
    Nanos now = 1000s;
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

TEST_F(FragmentsTest, PushNobodyOut) {
    const auto honest = in_pieces(segment(), 40, 1);
    sees(honest[0]);
    size_t refused = 0;
    for (uint32_t id = 2; id < 10'000; ++id) {
        refused += sees(in_pieces(segment(), 40, id)[0]) == Fate::no_room ? 1 : 0;
    }
    EXPECT_EQ(refused, 9'998u - 3);
    EXPECT_EQ(sees(honest[1]), Fate::whole);
    now += Fragments::lifetime + 1s;
    EXPECT_EQ(sees(in_pieces(segment(), 40, 3)[0]), Fate::waits);
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
    Fragments none(0);
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
