// Goal: whatever id DeflateHead finds, zlib finds; what zlib would refuse, it does not take.
// Method: bytes of all kinds, compressed in every way that zlib knows, whole, cut and with bits
// turned over; zlib is asked for as many bytes as were found.
#include "protocol/minecraft/deflate_head.h"

#include <iostream>
#include <random>
#include <string>

#include <gtest/gtest.h>
#include <zlib.h>

namespace portcullis::minecraft {
namespace {

constexpr unsigned seed = 20261120;
constexpr int strategies[] = {Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED};

std::string compressed(const std::string& plain, int level, int strategy) {
    z_stream z{};
    EXPECT_EQ(deflateInit2(&z, level, Z_DEFLATED, 15, 8, strategy), Z_OK);
    std::string out(deflateBound(&z, plain.size()) + 64, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    z.avail_in = static_cast<uInt>(plain.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
}

/// As many first bytes as zlib gives before the end or an error, at most `size`.
std::string by_zlib(const std::string& in, size_t size) {
    z_stream z{};
    EXPECT_EQ(inflateInit(&z), Z_OK);
    std::string out(size, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    z.avail_in = static_cast<uInt>(in.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(size);
    (void)inflate(&z, Z_SYNC_FLUSH);
    out.resize(z.total_out);
    inflateEnd(&z);
    return out;
}

/// A packet: an id, then what packets hold: numbers, texts, terrain, noise.
std::string packet(std::mt19937& random) {
    std::string plain;
    if (random() % 4 == 0) plain += static_cast<char>(0x80 | random() % 128);
    plain += static_cast<char>(random() % 128);
    const size_t size = 1 + random() % (random() % 8 == 0 ? 20'000 : 600);
    const unsigned kinds = 1 + random() % 256;
    while (plain.size() < size) {
        const auto c = static_cast<char>(random() % kinds);
        plain.append(random() % 3 == 0 ? random() % 40 : 1, c);
    }
    return plain;
}

void expect_as_zlib(const std::string& stream) {
    const DeflateHead head = DeflateHead::read(as_bytes(stream));
    EXPECT_EQ(std::string(as_text(head.id())), by_zlib(stream, head.size));
}

TEST(DeflateHead, FindsTheIdsThatZlibFinds) {
    std::cout << "seed " << seed << "\n";
    std::mt19937 random(seed);
    int found = 0, looked = 0;
    for (int round = 0; round < 300; ++round) {
        const std::string plain = packet(random);
        for (const int strategy : strategies) {
            const std::string stream =
                compressed(plain, 1 + static_cast<int>(random() % 9), strategy);
            const DeflateHead head = DeflateHead::read(as_bytes(stream));
            EXPECT_EQ(std::string(as_text(head.id())), plain.substr(0, head.size));
            found += head.size > 0 ? 1 : 0;
            ++looked;
        }
    }
    // Others are a stored block, a run of one byte, or codes that are not complete.
    EXPECT_GT(found, looked * 8 / 10);
}

TEST(DeflateHead, NeverBelievesMoreThanIsThere) {
    std::mt19937 random(seed);
    for (int round = 0; round < 40; ++round) {
        const std::string stream = compressed(packet(random), 6, strategies[round % 5]);
        for (size_t size = 0; size < std::min<size_t>(stream.size(), 200); ++size) {
            expect_as_zlib(stream.substr(0, size));
        }
    }
}

TEST(DeflateHead, TakesNothingThatZlibRefuses) {
    std::mt19937 random(seed);
    for (int round = 0; round < 20'000; ++round) {
        static std::string stream;
        if (round % 50 == 0) stream = compressed(packet(random), 6, strategies[round / 50 % 5]);
        std::string broken = stream;
        for (auto flips = 1 + random() % 3; flips > 0; --flips) {
            const size_t bit = random() % (8 * std::min<size_t>(broken.size(), 120));
            broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ 1 << bit % 8);
        }
        expect_as_zlib(broken);
    }
}

}  // namespace
}  // namespace portcullis::minecraft
