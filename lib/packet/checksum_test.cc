// Goal: sums are those of RFC 1071, however the bytes lie, and a sum mended
// after a change is the sum made anew.
// Method: a sum of 16-bit words as the RFC writes it, against ours, over random
// bytes of all small sizes.

#include "packet/checksum.h"

#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "packet/wire_order.h"

namespace portcullis {
namespace {

constexpr unsigned seed = 20261120;

uint16_t by_the_book(Bytes bytes) {
    uint32_t sum = 0;
    for (size_t i = 0; i < bytes.size(); i += 2) {
        const uint32_t high = std::to_integer<uint32_t>(bytes[i]);
        const uint32_t low = i + 1 < bytes.size() ? std::to_integer<uint32_t>(bytes[i + 1]) : 0;
        sum += high << 8 | low;
    }
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<uint16_t>(sum);
}

std::vector<std::byte> random_bytes(std::mt19937& random, size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::byte& b : bytes) b = static_cast<std::byte>(random());
    return bytes;
}

uint16_t in_wire_order(uint16_t native) { return std::byteswap(native); }

TEST(Checksum, IsTheSumOfTheBook) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    for (size_t size = 0; size <= 200; ++size) {
        const auto bytes = random_bytes(random, size);
        ChecksumSum sum;
        sum.add(bytes);
        EXPECT_EQ(in_wire_order(sum.folded()), by_the_book(bytes)) << size;
    }
}

TEST(Checksum, KnowsTheExampleOfRfc1071) {
    const std::array bytes = {std::byte{0x00}, std::byte{0x01}, std::byte{0xf2}, std::byte{0x03},
                              std::byte{0xf4}, std::byte{0xf5}, std::byte{0xf6}, std::byte{0xf7}};
    ChecksumSum sum;
    sum.add(bytes);
    EXPECT_EQ(in_wire_order(sum.folded()), 0xddf2);
}

TEST(Checksum, HoldsAfterAChangeAnywhere) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 2000; ++round) {
        auto bytes = random_bytes(random, 64);
        ChecksumSum whole;
        whole.add(bytes);
        const size_t at = random() % 60, size = 1 + random() % (64 - at);
        const std::vector<std::byte> before(bytes.begin() + long(at),
                                            bytes.begin() + long(at + size));
        const auto after = random_bytes(random, size);
        const uint16_t mended = adjusted_checksum(whole.field(), before, after, at % 2 != 0);
        std::copy(after.begin(), after.end(), bytes.begin() + long(at));
        ChecksumSum anew;
        anew.add(bytes);
        EXPECT_EQ(mended, anew.field()) << at << " " << size;
    }
}

}  // namespace
}  // namespace portcullis
