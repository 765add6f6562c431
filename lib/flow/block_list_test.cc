// Goal: an address stays out while any of its prefixes does, no longer, and
// nobody else does.  Method: stories, then random prefixes against a plain list.

#include "flow/block_list.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace portcullis {
namespace {

IpAddress address(const char* text) { return *parse_address(text); }
IpPrefix prefix(const char* text) { return *parse_prefix(text); }

TEST(BlockList, KeepsOutWhatItIsTold) {
    BlockList list(16);
    EXPECT_TRUE(list.block(prefix("198.51.100.0/24"), 10s));
    EXPECT_TRUE(list.block(prefix("2001:db8::/33"), 10s));
    EXPECT_TRUE(list.blocks(address("198.51.100.255"), 9s));
    EXPECT_FALSE(list.blocks(address("198.51.101.0"), 9s));
    EXPECT_TRUE(list.blocks(address("2001:db8:7fff::1"), 9s));
    EXPECT_FALSE(list.blocks(address("2001:db8:8000::1"), 9s));
    EXPECT_FALSE(list.blocks(address("198.51.100.255"), 10s));
    list.unblock(prefix("198.51.100.9/24"));
    EXPECT_FALSE(list.blocks(address("198.51.100.255"), 9s));
}

// IPv4 is kept in its mapped form, ::ffff:0:0/96, which lies in many a short prefix.
TEST(BlockList, AShortPrefixOfIpv6KeepsNobodyOutWhoComesByIpv4) {
    for (const char* wide : {"::/0", "::/16", "::/64", "::/95"}) {
        BlockList list(16);
        EXPECT_TRUE(list.block(prefix(wide), 10s));
        EXPECT_FALSE(list.blocks(address("198.51.100.7"), 9s)) << wide;
        EXPECT_TRUE(list.blocks(address("::1"), 9s)) << wide;
        EXPECT_FALSE(prefix(wide).contains(address("198.51.100.7"))) << wide;
        EXPECT_TRUE(prefix(wide).contains(address("::1"))) << wide;
    }
    EXPECT_TRUE(prefix("0.0.0.0/0").contains(address("198.51.100.7")));
}

TEST(BlockList, TellsThatSomethingIsNew) {
    BlockList list(8);
    const uint32_t before = list.blocks_made();
    list.block(*parse_prefix("10.0.0.1"), 1s);
    EXPECT_NE(list.blocks_made(), before);
}

TEST(BlockList, SaysWhenItIsFull) {
    BlockList list(2);
    EXPECT_TRUE(list.block(prefix("10.0.0.1"), 1s));
    EXPECT_TRUE(list.block(prefix("10.0.0.2"), 1s));
    EXPECT_TRUE(list.block(prefix("10.0.0.1"), 5s));  // Known: only the end moves.
    EXPECT_FALSE(list.block(prefix("10.0.0.3"), 1s));
    EXPECT_TRUE(list.blocks(address("10.0.0.1"), 4s));
}

TEST(BlockList, ForgetsWhatIsOver) {
    BlockList list(100);
    for (uint32_t i = 0; i < 100; ++i) list.block({IpAddress::v4(i), 128}, i < 50 ? 1s : 100s);
    for (int i = 0; i < 10; ++i) list.keep_house(2s);
    EXPECT_EQ(list.size(), 50u);
    for (uint32_t i = 0; i < 100; ++i) EXPECT_EQ(list.blocks(IpAddress::v4(i), 2s), i >= 50);
}

TEST(BlockList, AgreesWithAPlainList) {
    constexpr unsigned seed = 11;
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const auto any_prefix = [&] {
        const auto bits = static_cast<uint8_t>(random() % 3 == 0 ? 128 : 116 + random() % 13);
        return IpPrefix{IpAddress::v4(0x0a000000 | (random() & 0xfff)), bits};
    };
    BlockList list(64);
    std::vector<IpPrefix> plain;
    for (int step = 0; step < 5000; ++step) {
        const IpPrefix p = any_prefix();
        if (random() % 2 == 0) {
            if (list.block(p, 1s)) plain.push_back(p);
        } else {
            list.unblock(p);
            std::erase_if(plain, [&](const IpPrefix& q) {
                return q.bits == p.bits && p.contains(q.address);
            });
        }
        const IpAddress a = IpAddress::v4(0x0a000000 | (random() & 0xfff));
        bool expected = false;
        for (const IpPrefix& q : plain) expected = expected || q.contains(a);
        ASSERT_EQ(list.blocks(a, 0s), expected) << step;
    }
}

}  // namespace
}  // namespace portcullis
