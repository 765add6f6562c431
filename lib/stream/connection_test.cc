// Goal: however the bytes are cut, shuffled or repeated, the decoder and the
// server read the same stream; a sender that changes its story is dropped; and
// what honest hosts do passes.
// Method: a Wire one can talk to, one story a test.

#include "stream/connection.h"

#include <gtest/gtest.h>

#include "stream/testing/wire.h"

namespace portcullis::stream {
namespace {

using protocol::Direction;
using protocol::Progress;

TEST(Stream, ReordersWithoutHoldingAnyPacketBack) {
    Wire wire;
    const Outcome ahead = wire.sends(4, "WORLD");
    EXPECT_TRUE(passed(ahead));
    EXPECT_TRUE(ahead.out_of_order);
    EXPECT_EQ(wire.read(), "");
    EXPECT_TRUE(wire.sends(0, "HEY ").new_bytes);
    EXPECT_EQ(wire.read(), "HEY WORLD");
}

TEST(Stream, KeepsTheFirstStoryAndDropsTheSecond) {
    Wire wire;
    EXPECT_TRUE(passed(wire.sends(0, "GOOD")));
    EXPECT_EQ(wire.sends(0, "EVIL").drop, DropReason::conflicting_overlap);
    EXPECT_EQ(wire.sends(2, "XX more").drop, DropReason::conflicting_overlap);
    EXPECT_EQ(wire.read(), "GOOD");
    EXPECT_TRUE(passed(wire.sends(2, "OD more")));
    EXPECT_EQ(wire.read(), "GOOD more");
}

TEST(Stream, HoldsASenderToWhatItSentAheadToo) {
    Wire wire;
    wire.sends(10, "LATER");
    EXPECT_EQ(wire.sends(8, "xxOTHER").drop, DropReason::conflicting_overlap);
    EXPECT_TRUE(passed(wire.sends(8, "xxLATER")));
    EXPECT_TRUE(passed(wire.sends(0, "12345678")));
    EXPECT_EQ(wire.read(), "12345678xxLATER");
}

TEST(Stream, RemembersUntilTheServerHasItNotUntilItIsDecoded) {
    Wire wire;
    wire.sends(0, "GOOD");
    ASSERT_EQ(wire.read(), "GOOD");
    wire.acked(2);
    EXPECT_EQ(wire.sends(0, "EVIL").drop, DropReason::conflicting_overlap);
    EXPECT_TRUE(passed(wire.sends(0, "EVOD"))) << "The server has the first two.";
    wire.acked(4);
    EXPECT_TRUE(passed(wire.sends(0, "EVIL"))) << "It throws that away.";
    EXPECT_EQ(wire.read(), "GOOD");
    EXPECT_EQ(wire.pool().bytes_used(), 0u);
}

// Who does not see the connection can guess its ports, and hardly what it acknowledges.
TEST(Stream, TakesNothingFromASegmentWhoseAckItsReceiverDoesNotBelieve) {
    Wire wire;
    const auto sends = [&](uint32_t acks, std::string_view text, uint8_t flags) {
        Segment segment = wire.from_client(0, text, flags);
        segment.ack = Wire::server_isn + 1 + acks;
        return wire.accept(Direction::to_server, segment).drop;
    };
    EXPECT_EQ(sends(2, "FORGED", tcp::ack), DropReason::out_of_window) << "nothing was sent";
    EXPECT_EQ(sends(UINT32_MAX, "FORGED", tcp::ack), DropReason::out_of_window);
    EXPECT_EQ(sends(0x4000'0000, "", tcp::ack | tcp::fin), DropReason::out_of_window);
    EXPECT_EQ(sends(0, "HONEST", tcp::ack), DropReason::none);
    EXPECT_EQ(wire.read(), "HONEST");
}

TEST(Stream, BelievesAnAckAsOldAsTheLargestWindow) {
    Wire wire;
    const std::string data(4'000, 'x');
    const auto old_ack = [&](uint32_t at, uint32_t acks) {
        Segment segment = wire.from_client(at, "a", tcp::ack);
        segment.ack = Wire::server_isn + 1 + acks;
        return wire.accept(Direction::to_server, segment).drop;
    };
    for (uint32_t sent = 0; sent < 160'000; sent += 4'000) {
        ASSERT_TRUE(passed(wire.answers(sent, data)));
        ASSERT_TRUE(passed(wire.receipt(sent + 4'000)));
    }
    EXPECT_EQ(old_ack(0, 160'000 - 65'535), DropReason::none) << "it was overtaken on its way";
    EXPECT_EQ(old_ack(1, 160'000 - 65'536), DropReason::out_of_window);
    EXPECT_EQ(wire.read(), "a");
}

TEST(Stream, ReadsOfASegmentThatBeginsBeforeTheFirstByteWhatTheServerReads) {
    Wire wire({.client_isn = Seq(5)});
    EXPECT_TRUE(passed(wire.sends(0u - 4, "xxxxGOOD")));
    EXPECT_EQ(wire.read(), "GOOD");
    EXPECT_EQ(wire.sends(0, "EVIL").drop, DropReason::conflicting_overlap);
}

TEST(Stream, AForgedAcknowledgementOverAHoleBlindsNobodyToTheServer) {
    Wire wire;
    wire.answers(4, "WORLD");
    EXPECT_FALSE(wire.receipt(9).gap);
    wire.answers(0, "HEY ");
    EXPECT_EQ(wire.read_by_client(), "HEY WORLD");
    EXPECT_EQ(wire.connection().acked_bytes(Direction::to_client), 9u);
}

TEST(Stream, WaitsForAHoleOnlyAsLongAsThereIsRoom) {
    Wire wire({.stream_bytes = 16});
    wire.answers(4, "WORLD");
    wire.receipt(9);
    EXPECT_TRUE(wire.answers(14, "again").gap) << "Neither side will send it again.";
    EXPECT_FALSE(wire.connection().inspected(Direction::to_client));
    EXPECT_TRUE(passed(wire.answers(20, "and on")));
    EXPECT_EQ(wire.pool().bytes_used(), 0u);
}

TEST(Stream, HoldsSoManyIslandsAndNoMore) {
    Wire wire;
    uint32_t kept = 0;
    for (uint32_t i = 1; i <= Islands::islands_max + 5; ++i) {
        if (passed(wire.sends(2 * i, "x"))) ++kept;
    }
    EXPECT_EQ(kept, Islands::islands_max);
    std::string filler(2 * Islands::islands_max + 1, 'x');
    EXPECT_TRUE(passed(wire.sends(0, filler)));
    EXPECT_EQ(wire.read(), filler);
    wire.acked(static_cast<uint32_t>(filler.size()));
    EXPECT_EQ(wire.pool().bytes_used(), 0u);
}

TEST(Stream, ForgivesAKeepaliveItsGarbageByte) {
    Wire wire;
    wire.sends(0, "GOOD");
    wire.acked(4);
    const Outcome garbage = wire.sends(3, "?");  // RFC 1122 4.2.3.6
    EXPECT_TRUE(passed(garbage));
    EXPECT_TRUE(garbage.keepalive);
    EXPECT_TRUE(wire.sends(3, "").keepalive);
    EXPECT_EQ(wire.read(), "GOOD");
}

TEST(Stream, PassesWhatIsSentAgainAfterALostAcknowledgement) {
    Wire wire;
    wire.sends(0, "GOOD");
    EXPECT_TRUE(wire.sends(0, "GOOD").retransmission);
    wire.acked(4);
    EXPECT_TRUE(passed(wire.sends(0, "GOOD")));
    EXPECT_EQ(wire.read(), "GOOD");
}

TEST(Stream, DropsWhatThereIsNoRoomToKeepUntilThereIs) {
    Wire wire({.stream_bytes = 8});
    EXPECT_TRUE(passed(wire.sends(0, "12345678")));
    EXPECT_EQ(wire.sends(8, "9").drop, DropReason::no_buffer);
    EXPECT_EQ(wire.sends(20, "far").drop, DropReason::no_buffer);
    wire.acked(4);
    EXPECT_TRUE(passed(wire.sends(8, "9")));
    EXPECT_EQ(wire.read(), "123456789");
}

TEST(Stream, AFullPoolCostsTimeAndNeverTruth) {
    Wire wire({.stream_bytes = 65536, .pool_bytes = 0});
    std::vector<StreamPool::Block> others;
    while (auto block = wire.pool().take(256, StreamPool::Use::in_order)) others.push_back(block);
    const Outcome refused = wire.sends(0, "GOOD");
    EXPECT_EQ(refused.drop, DropReason::no_buffer);
    EXPECT_TRUE(refused.pool_full);
    EXPECT_EQ(wire.sends(4, "GOOD").drop, DropReason::no_buffer);
    for (auto block : others) wire.pool().give_back(block);
    EXPECT_TRUE(passed(wire.sends(0, "EVIL"))) << "Nothing went by before.";
    EXPECT_EQ(wire.read(), "EVIL");
}

TEST(Stream, CrossesTheEndOfTheNumbers) {
    Wire wire({.client_isn = Seq(UINT32_MAX - 3)});
    wire.sends(4, "WORLD");
    wire.sends(0, "HEY ");
    EXPECT_EQ(wire.sends(2, "??").drop, DropReason::conflicting_overlap);
    EXPECT_EQ(wire.read(), "HEY WORLD");
    wire.acked(9);
    EXPECT_EQ(wire.connection().acked_bytes(Direction::to_server), 9u);
    EXPECT_EQ(wire.pool().bytes_used(), 0u);
}

TEST(Stream, EndsAtOnePlaceOnly) {
    Wire wire;
    wire.sends(0, "BYE");
    EXPECT_EQ(wire.ends(2).drop, DropReason::conflicting_overlap) << "A byte is there.";
    EXPECT_TRUE(passed(wire.ends(3)));
    EXPECT_EQ(wire.sends(3, "more").drop, DropReason::conflicting_overlap);
    EXPECT_EQ(wire.ends(5).drop, DropReason::conflicting_overlap);
    EXPECT_TRUE(wire.ends(3).retransmission);
    EXPECT_TRUE(wire.ends(1, "YE").retransmission);
    EXPECT_EQ(wire.read(), "BYE");
}

TEST(Stream, AFinAheadOfItsBytesWaitsForThem) {
    Wire wire;
    EXPECT_TRUE(wire.ends(3).out_of_order);
    EXPECT_EQ(wire.sends(0, "LONG").drop, DropReason::conflicting_overlap);
    EXPECT_TRUE(passed(wire.sends(0, "BYE")));
    EXPECT_EQ(wire.connection().next_seq(Direction::to_server), Wire::client_isn + 1 + 4);
}

TEST(Stream, GivesUpOnAStreamWhoseBytesWentAnotherWay) {
    Wire wire;
    wire.sends(4, "WORLD");
    EXPECT_TRUE(wire.acked(9).gap);
    EXPECT_FALSE(wire.connection().inspected(Direction::to_server));
    EXPECT_TRUE(passed(wire.sends(9, "!")));
    EXPECT_EQ(wire.read(), "");
    EXPECT_EQ(wire.pool().bytes_used(), 0u);
}

TEST(Stream, BelievesNoAcknowledgementOfWhatWasNeverSent) {
    Wire wire;
    wire.sends(0, "GOOD");
    wire.acked(400);
    EXPECT_EQ(wire.sends(0, "EVIL").drop, DropReason::conflicting_overlap);
}

TEST(Window, NothingBeginsBehindIt) {
    Wire wire({.server_window = 10});
    EXPECT_EQ(wire.sends(11, "far").drop, DropReason::out_of_window);
    EXPECT_TRUE(passed(wire.sends(0, "0123456789")));
    wire.acked(10, 0);
    EXPECT_TRUE(wire.sends(10, "!").window_probe);
    EXPECT_EQ(wire.sends(11, "!").drop, DropReason::out_of_window);
    wire.acked(11, 5);
    EXPECT_TRUE(passed(wire.sends(11, "!")));
    EXPECT_EQ(wire.read(), "0123456789!!");
}

TEST(Window, IsScaledAsTheHandshakeSaid) {
    Wire wire({.server_window = 10, .server_scale = 3});
    wire.acked(0, 100);
    EXPECT_TRUE(passed(wire.sends(800, "edge")));
    EXPECT_EQ(wire.sends(801, "late").drop, DropReason::out_of_window);
    EXPECT_EQ(wire.connection().window(Direction::to_server), 800u);
}

TEST(Timestamps, OldOnesAreRefusedUnlessTheyOnlyRepeat) {
    Wire wire({.timestamps = true});
    const auto at_time = [&](uint32_t at, std::string_view text, uint32_t time) {
        Segment segment = wire.from_client(at, text, tcp::ack);
        segment.options.has_timestamps = true;
        segment.options.timestamp = time;
        return wire.accept(Direction::to_server, segment);
    };
    EXPECT_EQ(at_time(0, "OLD", 99).drop, DropReason::out_of_window);
    EXPECT_TRUE(passed(at_time(0, "NEW", 200)));
    EXPECT_EQ(at_time(3, "OLD", 150).drop, DropReason::out_of_window);
    EXPECT_TRUE(passed(at_time(0, "NEW", 150)));
    EXPECT_TRUE(passed(wire.sends(3, "BARE"))) << "Hosts take segments without one.";
    EXPECT_EQ(wire.read(), "NEWBARE");
}

// A frame of our own with an older timestamp than the last pure ACK's would be
// thrown away by its receiver (RFC 7323 5.3).
TEST(Timestamps, TheNewestIsKnownForFramesOfOurOwn) {
    Wire wire({.timestamps = true});
    Segment segment = wire.from_server(0, "", tcp::ack);
    segment.options.has_timestamps = true;
    for (uint32_t time : {300u, 900u, 700u}) {
        segment.options.timestamp = time;
        wire.accept(Direction::to_client, segment);
    }
    EXPECT_EQ(wire.connection().timestamp(Direction::to_client), 900u);
}

TEST(Connection, BelievesAResetOnlyAtTheExactNumber) {
    Wire wire;
    wire.sends(0, "GOOD");
    EXPECT_FALSE(wire.resets(3).reset);
    EXPECT_FALSE(wire.resets(5).reset);
    EXPECT_FALSE(wire.connection().over());
    EXPECT_TRUE(wire.resets(4).reset);
    EXPECT_TRUE(wire.connection().over());
}

TEST(Connection, AResetThatNeverArrivedBlindsNobody) {
    Wire wire;
    wire.sends(0, "GOOD");
    wire.resets(4);
    EXPECT_EQ(wire.sends(0, "EVIL").drop, DropReason::conflicting_overlap);
    wire.sends(4, " AND MORE");
    EXPECT_EQ(wire.read(), "GOOD AND MORE");
    EXPECT_FALSE(wire.connection().over());
}

TEST(Connection, ASynOutOfTheBlueChangesNothing) {
    Wire wire;
    wire.sends(0, "GOOD");
    EXPECT_TRUE(wire.sends(100, "", tcp::syn).syn);
    EXPECT_EQ(wire.sends(100, "data", tcp::syn).drop, DropReason::no_buffer);
    EXPECT_EQ(wire.sends(4, "", tcp::syn | tcp::fin).drop, DropReason::bad_header);
    EXPECT_TRUE(passed(wire.sends(4, " STILL")));
    EXPECT_EQ(wire.read(), "GOOD STILL");
}

TEST(Connection, DropsWhatNoHostTakes) {
    Wire wire;
    EXPECT_EQ(wire.sends(0, "BARE", 0).drop, DropReason::bad_header);
    EXPECT_EQ(wire.sends(0, "BARE", tcp::fin | tcp::psh | tcp::urg).drop, DropReason::bad_header);
    EXPECT_EQ(wire.read(), "");
}

TEST(Connection, SaysThatDataIsUrgent) {
    Wire wire;
    EXPECT_TRUE(wire.sends(0, "NOW", tcp::ack | tcp::urg).urgent);
}

TEST(Connection, ClosesWhenBothFinsAreAcknowledged) {
    Wire wire;
    wire.sends(0, "BYE");
    wire.ends(3);
    wire.acked(4);
    EXPECT_FALSE(wire.connection().over());
    EXPECT_TRUE(passed(wire.answers(0, "half closed")));
    wire.answers(11, "", tcp::ack | tcp::fin);
    EXPECT_TRUE(wire.receipt(12).closed);
    EXPECT_TRUE(wire.connection().over());
    EXPECT_EQ(wire.read_by_client(), "half closed");
}

TEST(Connection, NamesTheNumberForAResetInPlaceOfASegment) {
    Wire wire;
    wire.sends(0, "GOOD");
    EXPECT_EQ(wire.sends(4, "EVIL").expected_before, Wire::client_isn + 1 + 4);
    EXPECT_EQ(wire.connection().next_seq(Direction::to_server), Wire::client_isn + 1 + 8);
    EXPECT_EQ(wire.connection().acked(Direction::to_server), Wire::client_isn + 1);
}

TEST(Connection, CountsWhatTheClientSurelyHas) {
    Wire wire;
    wire.answers(0, "0123456789");
    EXPECT_EQ(wire.connection().delivered_bytes(Direction::to_client), 10u);
    EXPECT_EQ(wire.connection().acked_bytes(Direction::to_client), 0u);
    wire.receipt(7);
    EXPECT_EQ(wire.connection().acked_bytes(Direction::to_client), 7u);
    EXPECT_EQ(wire.connection().window(Direction::to_client), 60000u - 3);
}

TEST(Midstream, EverythingPassesAndOnlyNumbersAreKept) {
    StreamPool pool(0, 1024);
    Connection connection = Connection::midstream();
    const auto never = [](Direction, Bytes) {
        ADD_FAILURE() << "Nothing is offered.";
        return Progress{};
    };
    Wire wire;
    for (std::string_view text : {"GOOD", "EVIL", ""}) {
        const Segment segment = wire.from_client(5, text, tcp::ack);
        const Outcome o = connection.accept(Direction::to_server, segment, pool, never);
        EXPECT_TRUE(passed(o));
        EXPECT_TRUE(o.midstream);
    }
    EXPECT_EQ(connection.next_seq(Direction::to_server), Wire::client_isn + 1 + 9);
    EXPECT_EQ(connection.next_seq(Direction::to_client), Wire::server_isn + 1);
    EXPECT_EQ(pool.bytes_used(), 0u);
}

}  // namespace
}  // namespace portcullis::stream
