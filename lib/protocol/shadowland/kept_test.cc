// Goal: what waits for its key comes out as it went in and in its order, costs no more than its
// share, and leaves nothing behind.
// Method: a few lists in a pool that is too small for all of them.
#include "protocol/shadowland/kept.h"

#include <vector>

#include <gtest/gtest.h>

namespace portcullis::shadowland {
namespace {

std::vector<std::byte> datagram(size_t n) {
    return std::vector<std::byte>(1 + n % datagram_size_max, static_cast<std::byte>(n));
}

TEST(Kept, GivesBackInOrderWhatItWasGiven) {
    Kept kept(16);
    uint32_t one = Kept::none, other = Kept::none;
    for (size_t n = 0; n < 8; ++n) {
        EXPECT_TRUE(kept.add(one, datagram(n), Nanos(1s) * (n + 1)));
        EXPECT_TRUE(kept.add(other, datagram(1'190 + n), 9s));
    }
    EXPECT_FALSE(kept.add(one, datagram(0), 9s)) << "the pool is full";
    for (size_t n = 0; n < 8; ++n) {
        EXPECT_EQ(kept.since(one), 1s) << "of the whole list";
        EXPECT_TRUE(std::ranges::equal(kept.front(one), datagram(n)));
        kept.drop_front(one);
    }
    EXPECT_EQ(one, Kept::none);
    EXPECT_TRUE(kept.add(one, datagram(5), 20s));
    EXPECT_EQ(kept.since(one), 20s);
    kept.drop_all(one);
    kept.drop_all(other);
    EXPECT_EQ(kept.used(), 0u);
}

TEST(Kept, ASessionHasNoMoreThanItsShare) {
    Kept kept(1'000);
    uint32_t list = Kept::none;
    for (size_t n = 0; n < Kept::of_session_max; ++n) EXPECT_TRUE(kept.add(list, datagram(n), 1s));
    EXPECT_FALSE(kept.add(list, datagram(0), 1s));
    kept.drop_front(list);
    EXPECT_TRUE(kept.add(list, datagram(0), 1s));
}

TEST(Kept, NothingIsKeptWhereNoKeyWillCome) {
    Kept kept(0);
    uint32_t list = Kept::none;
    EXPECT_FALSE(kept.add(list, datagram(0), 1s));
    EXPECT_EQ(list, Kept::none);
}

}  // namespace
}  // namespace portcullis::shadowland
