// Goal: a consumer sees the same bytes however they were cut, shuffled and
// repeated; what it leaves comes again in one piece; it is shown them where they
// lie when they can be; and what it wants too much of passes without it.
// Method: consumers with one habit each.

#include <algorithm>
#include <cstdio>
#include <random>

#include <gtest/gtest.h>

#include "stream/connection.h"
#include "stream/testing/wire.h"

namespace portcullis::stream {
namespace {

using protocol::Direction;
using protocol::Progress;

/// Takes whole messages: a length byte, then that many bytes.
struct Messages {
    std::vector<std::string> seen;

    Progress operator()(Direction, Bytes offered) noexcept {
        size_t at = 0;
        while (at < offered.size()) {
            const size_t size = 1 + std::to_integer<size_t>(offered[at]);
            if (offered.size() - at < size) break;
            seen.emplace_back(as_text(offered.subspan(at + 1, size - 1)));
            at += size;
        }
        return {.consumed = at};
    }
};

TEST(Consumer, GetsALeftoverAgainInOnePiece) {
    for (Direction direction : {Direction::to_server, Direction::to_client}) {
        Wire wire;
        Messages messages;
        const auto send = [&](uint32_t at, std::string_view text) {
            const Segment segment = direction == Direction::to_server
                                        ? wire.from_client(at, text, tcp::ack)
                                        : wire.from_server(at, text, tcp::ack);
            return wire.connection().accept(direction, segment, wire.pool(), messages);
        };
        send(0,
             "\x03"
             "ab");
        EXPECT_FALSE(wire.connection().at_message_boundary(direction));
        send(3,
             "c\x02"
             "d");
        send(6, "e");
        EXPECT_TRUE(wire.connection().at_message_boundary(direction));
        EXPECT_EQ(messages.seen, (std::vector<std::string>{"abc", "de"}));
    }
}

TEST(Consumer, SeesWholeMessagesWhereTheyLie) {
    Wire wire;
    const std::string_view text = "lies here";
    const std::byte* seen = nullptr;
    const auto look = [&](Direction, Bytes offered) noexcept {
        seen = offered.data();
        return Progress{.consumed = offered.size()};
    };
    const Segment up = wire.from_client(0, text, tcp::ack);
    wire.connection().accept(Direction::to_server, up, wire.pool(), look);
    EXPECT_EQ(seen, up.payload.data());
    EXPECT_EQ(wire.pool().bytes_used(), 256u) << "One copy, until the server has it.";
    wire.acked(9);

    const Segment down = wire.from_server(0, text, tcp::ack);
    wire.connection().accept(Direction::to_client, down, wire.pool(), look);
    EXPECT_EQ(seen, down.payload.data());
    EXPECT_EQ(wire.pool().bytes_used(), 0u) << "Toward the client none.";
}

TEST(Consumer, SkipsWithoutAnythingBeingKept) {
    Wire wire({.stream_bytes = 64});
    std::string shown;
    const auto skipping = [&](Direction, Bytes offered) noexcept {
        shown += as_text(offered.first(1));
        return Progress{.consumed = 1, .skip = 99};
    };
    const auto answer = [&](uint32_t at, std::string_view text) {
        return wire.connection().accept(Direction::to_client, wire.from_server(at, text, tcp::ack),
                                        wire.pool(), skipping);
    };
    const std::string filler(40, '.');
    EXPECT_TRUE(passed(answer(0, "a" + filler)));
    EXPECT_TRUE(passed(answer(41, filler)));
    EXPECT_EQ(wire.pool().bytes_used(), 0u);
    EXPECT_FALSE(wire.connection().at_message_boundary(Direction::to_client));
    EXPECT_TRUE(passed(answer(81, filler.substr(0, 19) + "b" + filler)));
    EXPECT_EQ(shown, "ab");
    EXPECT_TRUE(passed(answer(181, filler.substr(0, 19) + "c"))) << "Ahead: kept, then skipped.";
    EXPECT_TRUE(passed(answer(141, filler)));
    EXPECT_EQ(shown, "abc");
    EXPECT_EQ(wire.pool().bytes_used(), 0u);
}

TEST(Consumer, IsToldNothingAfterItFinished) {
    Wire wire;
    int offers = 0;
    const auto once = [&](Direction, Bytes) noexcept {
        ++offers;
        return Progress{.finished = true};
    };
    for (uint32_t at : {0u, 4u}) {
        const Segment segment = wire.from_client(at, "WORD", tcp::ack);
        wire.connection().accept(Direction::to_server, segment, wire.pool(), once);
    }
    EXPECT_EQ(offers, 1);
    EXPECT_EQ(wire.pool().bytes_used(), 0u);
    EXPECT_EQ(wire.connection().next_seq(Direction::to_server), Wire::client_isn + 1 + 8);
}

TEST(Consumer, WhoWantsMoreThanTheLimitLosesTheStream) {
    for (Direction direction : {Direction::to_server, Direction::to_client}) {
        Wire wire({.stream_bytes = 100});
        const auto greedy = [](Direction, Bytes) noexcept { return Progress{}; };
        const std::string text(60, 'x');
        const auto send = [&](uint32_t at) {
            const Segment segment = direction == Direction::to_server
                                        ? wire.from_client(at, text, tcp::ack)
                                        : wire.from_server(at, text, tcp::ack);
            return wire.connection().accept(direction, segment, wire.pool(), greedy);
        };
        EXPECT_FALSE(send(0).over_limit);
        const Outcome over = send(60);
        EXPECT_TRUE(over.over_limit);
        EXPECT_TRUE(passed(over));
        EXPECT_FALSE(wire.connection().inspected(direction));
        EXPECT_EQ(wire.pool().bytes_used(), 0u);
        EXPECT_EQ(wire.connection().delivered_bytes(direction), 120u);
    }
}

TEST(Consumer, ALeftoverWithoutRoomComesAgainWithItsSegment) {
    Wire wire({.pool_bytes = 0});
    std::vector<StreamPool::Block> others;
    while (auto block = wire.pool().take(256, StreamPool::Use::in_order)) others.push_back(block);
    Messages messages;
    const Segment segment = wire.from_server(0,
                                             "\x02"
                                             "ab"
                                             "\x03"
                                             "cd",
                                             tcp::ack);
    const auto accept = [&](const Segment& s) {
        return wire.connection().accept(Direction::to_client, s, wire.pool(), messages);
    };
    EXPECT_EQ(accept(segment).drop, DropReason::no_buffer);
    EXPECT_EQ(wire.connection().delivered_bytes(Direction::to_client), 3u);
    for (auto block : others) wire.pool().give_back(block);
    EXPECT_TRUE(passed(accept(segment)));
    EXPECT_TRUE(passed(accept(wire.from_server(6, "e", tcp::ack))));
    EXPECT_EQ(messages.seen, (std::vector<std::string>{"ab", "cde"}));
}

TEST(Rewrite, EveryCopyCarriesIt) {
    Wire wire;
    Connection& connection = wire.connection();
    const auto rewriting = [&](Direction d, Bytes offered) noexcept {
        const Seq at = connection.offered_seq(d);
        EXPECT_TRUE(connection.rewrite(d, at + 5, as_bytes("GOOD"), wire.pool()));
        return Progress{.consumed = offered.size()};
    };
    const Segment first = wire.from_client(0, "I am EVIL now", tcp::ack);
    EXPECT_TRUE(passed(connection.accept(Direction::to_server, first, wire.pool(), rewriting)));

    const Outcome again = wire.sends(0, "I am EVIL now");
    EXPECT_TRUE(passed(again));
    EXPECT_EQ(again.patch_offset, 5u);
    EXPECT_EQ(as_text(again.patch), "GOOD");
    const Outcome part = wire.sends(7, "IL now and then");
    EXPECT_TRUE(passed(part));
    EXPECT_EQ(part.patch_offset, 0u);
    EXPECT_EQ(as_text(part.patch), "OD");
    EXPECT_EQ(wire.sends(0, "I was EVIL").drop, DropReason::conflicting_overlap);

    wire.acked(22);
    EXPECT_TRUE(wire.sends(0, "I am EVIL now").patch.empty()) << "The server throws that away.";
    EXPECT_EQ(wire.pool().bytes_used(), 0u);
}

TEST(Rewrite, RefusesWhatWentByBefore) {
    Wire wire;
    wire.sends(0, "0123");
    wire.sends(6, "67");
    const auto rewrite = [&](uint32_t at, std::string_view text) {
        return wire.connection().rewrite(Direction::to_server, Wire::client_isn + 1 + at,
                                         as_bytes(text), wire.pool());
    };
    const auto trying = [&](Direction, Bytes offered) noexcept {
        EXPECT_FALSE(rewrite(3, "xx")) << "Sent before.";
        EXPECT_FALSE(rewrite(5, "xx")) << "Sent ahead.";
        EXPECT_TRUE(rewrite(4, "xx"));
        return Progress{.consumed = offered.size()};
    };
    const Segment segment = wire.from_client(2, "2345678", tcp::ack);
    wire.connection().accept(Direction::to_server, segment, wire.pool(), trying);
    EXPECT_FALSE(rewrite(4, "yy")) << "It is gone.";
    EXPECT_EQ(as_text(wire.sends(0, "0123456789").patch), "xx");
}

TEST(Rewrite, IsRememberedThoughTheConsumerFinished) {
    Wire wire;
    Connection& connection = wire.connection();
    const auto last_words = [&](Direction d, Bytes) noexcept {
        connection.rewrite(d, connection.offered_seq(d), as_bytes("GOOD"), wire.pool());
        return Progress{.finished = true};
    };
    const Segment segment = wire.from_client(0, "EVIL", tcp::ack);
    connection.accept(Direction::to_server, segment, wire.pool(), last_words);
    EXPECT_EQ(as_text(wire.sends(0, "EVIL").patch), "GOOD");
    wire.acked(4);
    const Segment next = wire.from_client(4, "more", tcp::ack);
    connection.accept(Direction::to_server, next, wire.pool(), last_words);
    EXPECT_FALSE(connection.inspected(Direction::to_server));
    EXPECT_EQ(wire.pool().bytes_used(), 0u);
}

/// Numbers that a seed gives, again and again.
class Random {
public:
    explicit Random(uint32_t seed) : engine_(seed) {}
    uint32_t below(uint32_t limit) { return static_cast<uint32_t>(engine_() % limit); }

private:
    std::mt19937 engine_;
};

struct Cut {
    uint32_t begin, end;
};

/// Covers [0, size) with pieces of at most `largest`, some twice, some overlapping.
std::vector<Cut> cuts_of(uint32_t size, uint32_t largest, Random& random) {
    std::vector<Cut> cuts;
    for (uint32_t at = 0; at < size;) {
        const uint32_t end = std::min(size, at + 1 + random.below(largest));
        const uint32_t back = random.below(4) == 0 ? std::min(at, random.below(20)) : 0;
        cuts.push_back({at - back, end});
        if (random.below(8) == 0)
            cuts.push_back(cuts[random.below(static_cast<uint32_t>(cuts.size()))]);
        at = end;
    }
    return cuts;
}

TEST(Consumer, SeesTheSameMessagesHoweverTheyWereCut) {
    const uint32_t seed = 20261120;
    std::printf("seed %u\n", seed);
    Random random(seed);
    for (int round = 0; round < 400; ++round) {
        std::string text;
        std::vector<std::string> sent;
        while (text.size() < 1500) {
            const uint32_t size = random.below(256);
            std::string body(size, '\0');
            for (char& c : body) c = static_cast<char>(random.below(256));
            text += static_cast<char>(size) + body;
            sent.push_back(std::move(body));
        }
        const auto size = static_cast<uint32_t>(text.size());
        const uint32_t largest = round % 4 == 0 ? 1 : 1u << random.below(11);
        std::vector<Cut> cuts = cuts_of(size, largest, random);
        // Within what the islands hold: mix neighbours, not everything.
        const uint32_t reach = 1 + random.below(30);
        for (size_t i = 0; i + 1 < cuts.size(); ++i) {
            std::swap(cuts[i], cuts[std::min(cuts.size() - 1, i + random.below(reach))]);
        }
        const auto direction = static_cast<Direction>(round % 2);
        Wire wire({.client_isn = Seq(random.below(UINT32_MAX))});
        Messages messages;
        for (const Cut& cut : cuts) {
            const std::string_view part =
                std::string_view(text).substr(cut.begin, cut.end - cut.begin);
            const Segment segment = direction == Direction::to_server
                                        ? wire.from_client(cut.begin, part, tcp::ack)
                                        : wire.from_server(cut.begin, part, tcp::ack);
            const Outcome o = wire.connection().accept(direction, segment, wire.pool(), messages);
            ASSERT_TRUE(passed(o)) << "round " << round;
        }
        ASSERT_EQ(messages.seen, sent) << "round " << round;
        if (direction == Direction::to_server) wire.acked(size);
        ASSERT_EQ(wire.pool().bytes_used(), 0u) << "round " << round;
    }
}

}  // namespace
}  // namespace portcullis::stream
