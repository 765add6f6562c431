// Goal: a ring gives back what was put in, in order, and says when it is full.
// Method: fill, drain, wrap, also with two threads.

#include "packet/ring.h"

#include <array>
#include <thread>

#include <gtest/gtest.h>

namespace portcullis {
namespace {

struct Record {
    uint32_t number;
    std::array<uint32_t, 57> rest;
};

TEST(Ring, HoldsWhatItSays) {
    Ring<Record> ring("small", 10);
    EXPECT_EQ(ring.capacity(), 10u);
    for (uint32_t i = 0; i < 10; ++i) EXPECT_TRUE(ring.push({i, {}}));
    EXPECT_FALSE(ring.push({99, {}}));
    std::array<Record, 16> out;
    ASSERT_EQ(ring.pop(std::span<Record>(out)), 10u);
    for (uint32_t i = 0; i < 10; ++i) EXPECT_EQ(out[i].number, i);
    Record none{};
    EXPECT_FALSE(ring.pop(none));
}

TEST(Ring, CarriesFromOneThreadToAnother) {
    constexpr uint32_t count = 100'000;
    Ring<Record> ring("threads", 64);
    std::thread writer([&] {
        for (uint32_t i = 0; i < count; ++i) {
            while (!ring.push({i, {}})) std::this_thread::yield();
        }
    });
    uint32_t expected = 0;
    while (expected < count) {
        Record record{};
        if (!ring.pop(record)) {
            std::this_thread::yield();
            continue;
        }
        ASSERT_EQ(record.number, expected);
        ++expected;
    }
    writer.join();
}

TEST(Ring, RefusesAnImpossibleSize) { EXPECT_THROW(Ring<Record>("huge", 0xfffffff0u), SetupError); }

}  // namespace
}  // namespace portcullis
