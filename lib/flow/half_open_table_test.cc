// Goal: a Flow is made of exactly what server and client agreed on, and a flood
// of lone SYNs costs nothing but other lone SYNs.
// Method: handshakes as a wire sees them, honest, odd and hostile.

#include "flow/half_open_table.h"

#include <gtest/gtest.h>

#include "flow/flow_key.h"

namespace portcullis {
namespace {

constexpr uint64_t flow = 0x1234'5678'9abc'def0;

TcpFields syn(uint32_t isn, int scale = -1) {
    TcpFields fields;
    fields.seq = Seq(isn);
    fields.window = 64240;
    fields.options.has_window_scale = scale >= 0;
    fields.options.window_scale = static_cast<uint8_t>(scale < 0 ? 0 : scale);
    return fields;
}
TcpFields syn_ack(uint32_t isn, uint32_t ack, int scale = -1) {
    TcpFields fields = syn(isn, scale);
    fields.ack = Seq(ack);
    return fields;
}
TcpFields ack(uint32_t seq, uint32_t number) {
    TcpFields fields;
    fields.seq = Seq(seq);
    fields.ack = Seq(number);
    return fields;
}

struct Handshakes : testing::Test {
    HalfOpenTable table{64, 30s};
};

TEST_F(Handshakes, AgreesOnWhatBothSaid) {
    table.client_offers(flow, syn(100, 7), 0s);
    EXPECT_TRUE(table.server_offers(flow, syn_ack(900, 101, 5), true, 1ms));
    const auto agreed = table.complete(flow, ack(101, 901));
    ASSERT_TRUE(agreed);
    EXPECT_EQ(agreed->client_isn, Seq(100));
    EXPECT_EQ(agreed->server_isn, Seq(900));
    EXPECT_EQ(agreed->client_scale, 7);
    EXPECT_EQ(agreed->server_scale, 5);
    EXPECT_EQ(agreed->client_window, 64240);
    EXPECT_EQ(table.size(), 0u);
    EXPECT_FALSE(table.complete(flow, ack(101, 901)));
}

TEST_F(Handshakes, TheServerKnowsWhenAConnectionIsOpen) {
    table.client_offers(flow, syn(100), 0s);
    table.server_offers(flow, syn_ack(900, 101), true, 1ms);
    // Of another life of these ports, or of somebody who only guesses.
    EXPECT_FALSE(table.complete_by_server(flow, ack(0, 101)));
    EXPECT_FALSE(table.complete_by_server(flow, ack(901, 102)));
    EXPECT_TRUE(table.contains(flow, 2ms));
    const auto agreed = table.complete_by_server(flow, ack(901, 101));
    ASSERT_TRUE(agreed);
    EXPECT_EQ(agreed->client_isn, Seq(100));
    EXPECT_EQ(agreed->server_isn, Seq(900));
    EXPECT_FALSE(table.contains(flow, 2ms));
}

TEST_F(Handshakes, ScalesNothingUnlessBothDo) {
    table.client_offers(flow, syn(100, 7), 0s);
    table.server_offers(flow, syn_ack(900, 101), true, 1ms);
    const auto agreed = table.complete(flow, ack(101, 901));
    ASSERT_TRUE(agreed);
    EXPECT_EQ(agreed->client_scale, 0);
}

TEST_F(Handshakes, NeedsTheServersNumber) {
    table.client_offers(flow, syn(100), 0s);
    EXPECT_FALSE(table.complete(flow, ack(101, 0)));  // No answer yet.
    table.server_offers(flow, syn_ack(900, 101), true, 1ms);
    EXPECT_FALSE(table.complete(flow, ack(101, 900)));
    EXPECT_FALSE(table.complete(flow, ack(101, 902)));
    EXPECT_TRUE(table.complete(flow, ack(101, 901)));
}

// A server takes the part of it that lies in its window, so must we.
TEST_F(Handshakes, DataMayBeginBeforeTheFirstByte) {
    table.client_offers(flow, syn(100), 0s);
    table.server_offers(flow, syn_ack(900, 101), true, 1ms);
    EXPECT_TRUE(table.complete(flow, ack(60, 901)));
}

TEST_F(Handshakes, DataMayOvertakeTheFirstAck) {
    table.client_offers(flow, syn(0xfffffff0), 0s);
    table.server_offers(flow, syn_ack(900, 0xfffffff1), true, 1ms);
    EXPECT_TRUE(table.complete(flow, ack(0x20, 901)));  // Behind the wrap.
}

TEST_F(Handshakes, TheServerSaysWhichSynItTook) {
    table.client_offers(flow, syn(100), 0s);
    table.client_offers(flow, syn(5000), 1ms);  // To mislead us.
    table.server_offers(flow, syn_ack(900, 101), true, 2ms);
    const auto agreed = table.complete(flow, ack(101, 901));
    ASSERT_TRUE(agreed);
    EXPECT_EQ(agreed->client_isn, Seq(100));
}

TEST_F(Handshakes, TheAckPicksOneOfTwoAnswers) {
    for (const uint32_t chosen : {900u, 4000u}) {
        table.client_offers(flow, syn(100), 0s);
        table.server_offers(flow, syn_ack(900, 101), true, 1ms);
        table.server_offers(flow, syn_ack(4000, 101), true, 2ms);
        table.server_offers(flow, syn_ack(4000, 101), true, 3ms);  // Sent again.
        const auto agreed = table.complete(flow, ack(101, chosen + 1));
        ASSERT_TRUE(agreed);
        EXPECT_EQ(agreed->server_isn, Seq(chosen));
    }
}

TEST_F(Handshakes, BothMayOpen) {
    table.client_offers(flow, syn(100), 0s);
    EXPECT_TRUE(table.server_offers(flow, syn(900), false, 1ms));
    EXPECT_TRUE(table.complete(flow, ack(100, 901)));  // The client's SYN/ACK.
    EXPECT_FALSE(table.server_offers(flow, syn(900), false, 3ms));
}

TEST_F(Handshakes, AnAnswerWithoutItsSynIsBelieved) {
    EXPECT_TRUE(table.server_offers(flow, syn_ack(900, 101, 5), true, 0s));
    const auto agreed = table.complete(flow, ack(101, 901));
    ASSERT_TRUE(agreed);
    EXPECT_EQ(agreed->client_scale, stream::TcpOptions::scale_max);
}

TEST_F(Handshakes, ASynWaitsNoLongerThanItWasTold) {
    table.client_offers(flow, syn(100), 0s);
    EXPECT_TRUE(table.contains(flow, 30s));
    EXPECT_FALSE(table.contains(flow, 31s));
    for (uint32_t i = 0; i <= HalfOpenTable::sweep_calls; ++i) table.keep_house(31s);
    EXPECT_EQ(table.size(), 0u) << "the gauge is of handshakes under way";
}

// Linux sends its last answer after 31 s, and waits as long again.
TEST_F(Handshakes, AnAnswerWaitsAsLongAsAServerMay) {
    table.client_offers(flow, syn(100), 0s);
    table.server_offers(flow, syn_ack(900, 101), true, 1ms);
    for (uint32_t i = 0; i <= HalfOpenTable::sweep_calls; ++i) table.keep_house(100s);
    EXPECT_TRUE(table.answered(flow));
    EXPECT_TRUE(table.complete(flow, ack(101, 901)));
}

TEST_F(Handshakes, ASynAfterTheAnswerChangesNothingOfIt) {
    table.client_offers(flow, syn(100, 7), 0s);
    table.server_offers(flow, syn_ack(900, 101, 5), true, 1ms);
    TcpFields forged = syn(7000);
    forged.window = 1;
    forged.options.timestamp = 0x7fff'ffff;
    table.client_offers(flow, forged, 2ms);
    const auto agreed = table.complete(flow, ack(101, 901));
    ASSERT_TRUE(agreed);
    EXPECT_EQ(agreed->client_scale, 7);
    EXPECT_EQ(agreed->client_window, 64240);
    EXPECT_EQ(agreed->client_timestamp, 0u);
}

// Else a SYN that was not seen, or a forged one, would decide what PAWS drops.
TEST_F(Handshakes, TheServerSaysWhichTimestampItTook) {
    TcpFields answer = syn_ack(900, 101);
    answer.options.has_timestamps = true;
    answer.options.timestamp_echo = 0x9000'0000;
    table.server_offers(flow, answer, true, 1ms);
    const auto agreed = table.complete(flow, ack(101, 901));
    ASSERT_TRUE(agreed);
    EXPECT_EQ(agreed->client_timestamp, 0x9000'0000u);
}

TEST_F(Handshakes, AFloodPushesOutTheOldestUnanswered) {
    HalfOpenTable set(8, 30s);
    for (uint64_t i = 1; i <= 8; ++i) {
        EXPECT_FALSE(set.client_offers(i, syn(uint32_t(i)), std::chrono::milliseconds(i)));
    }
    set.server_offers(1, syn_ack(900, 2), true, 9ms);
    EXPECT_TRUE(set.client_offers(100, syn(1), 10ms));
    EXPECT_FALSE(set.contains(2, 10ms));
    EXPECT_TRUE(set.contains(1, 10ms));  // Answered: only when no lone SYN is left.
    for (uint64_t i = 200; i < 1000; ++i) set.client_offers(i, syn(1), 11ms);
    EXPECT_TRUE(set.contains(1, 11ms));
    EXPECT_EQ(set.size(), 8u);
}

TEST(HalfOpenTable, MemoryStaysFlatInAFlood) {
    HalfOpenTable table(65'536, 30s);
    const size_t before = table.memory();
    const FlowHash hash(1);
    FlowKey key;
    for (uint32_t i = 0; i < 1'000'000; ++i) {
        key.low = {IpAddress::v4(i), 1};
        table.client_offers(hash(key), syn(i), std::chrono::microseconds(i));
    }
    EXPECT_LE(table.size(), table.capacity());
    EXPECT_EQ(table.memory(), before);
    EXPECT_LE(before / table.capacity(), 64u);
}

}  // namespace
}  // namespace portcullis
