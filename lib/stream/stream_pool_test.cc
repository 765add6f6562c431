// Goal: blocks never overlap, come back, and are refused as promised when full.
// Method: take and give back at random, each block filled with its own mark.

#include "stream/stream_pool.h"

#include <cstdio>
#include <cstring>
#include <random>

#include <gtest/gtest.h>

namespace portcullis::stream {
namespace {

using Use = StreamPool::Use;

TEST(StreamPool, BlocksAreAtLeastAsLargeAsAskedAndNeverOverlap) {
    StreamPool pool(4 << 20, 65536);
    const uint32_t seed = 7;
    std::printf("seed %u\n", seed);
    std::mt19937 random(seed);
    struct Held {
        StreamPool::Block block;
        std::byte mark;
    };
    std::vector<Held> held;
    uint64_t refused = 0;
    for (int turn = 0; turn < 200000; ++turn) {
        if (random() % 2 == 0 || held.empty()) {
            const size_t size = 1 + random() % (size_t{1} << random() % 18);
            const StreamPool::Block block = pool.take(size, Use::in_order);
            if (block == StreamPool::none) {
                ++refused;
                continue;
            }
            ASSERT_GE(StreamPool::size(block), size);
            const auto mark = static_cast<std::byte>(random());
            std::memset(pool.data(block), static_cast<int>(mark), StreamPool::size(block));
            held.push_back({block, mark});
        } else {
            const size_t index = random() % held.size();
            const Held one = held[index];
            const std::byte* const data = pool.data(one.block);
            for (size_t i = 0; i < StreamPool::size(one.block); i += 61) {
                ASSERT_EQ(data[i], one.mark);
            }
            pool.give_back(one.block);
            held[index] = held.back();
            held.pop_back();
        }
    }
    EXPECT_GT(refused, 0u) << "The pool was never full: nothing was tested.";
    for (const Held& one : held) pool.give_back(one.block);
    EXPECT_EQ(pool.bytes_used(), 0u);
}

TEST(StreamPool, IsWholeAgainWhenAllCameBack) {
    StreamPool pool(2 << 20, 65536);
    const auto fill = [&](size_t size) {
        std::vector<StreamPool::Block> blocks;
        while (auto block = pool.take(size, Use::in_order)) blocks.push_back(block);
        for (auto block : blocks) pool.give_back(block);
        return blocks.size();
    };
    const size_t large = fill(131072);
    EXPECT_GT(large, 0u);
    EXPECT_EQ(fill(256), pool.bytes_total() / 256);
    EXPECT_GE(fill(131072), large - 1) << "The small ones may keep one slab cut.";
}

TEST(StreamPool, KeepsTheLastEighthForSmallBlocksAndHalfForBytesInOrder) {
    StreamPool pool(16 << 20, 65536);
    const auto fill = [&](size_t size, Use use) {
        const uint64_t before = pool.bytes_used();
        while (pool.take(size, use) != StreamPool::none) {
        }
        return pool.bytes_used() - before;
    };
    EXPECT_EQ(fill(131072, Use::out_of_order), pool.bytes_total() / 2);
    EXPECT_EQ(fill(131072, Use::in_order), pool.bytes_total() * 3 / 8);
    EXPECT_EQ(fill(256, Use::out_of_order), 0u);
    EXPECT_EQ(fill(256, Use::in_order), pool.bytes_total() / 8);
    EXPECT_EQ(pool.take(1, Use::in_order), StreamPool::none);
}

TEST(StreamPool, RefusesWhatIsLargerThanTheLargest) {
    StreamPool pool(0, 65536);
    EXPECT_NE(pool.take(131072, Use::in_order), StreamPool::none);
    EXPECT_EQ(pool.take(131073, Use::in_order), StreamPool::none);
}

}  // namespace
}  // namespace portcullis::stream
