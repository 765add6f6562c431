// Goal: both directions of a flow reach the same Worker, whatever the addresses, tags and
// headers, and flows spread evenly.  Method: random tuples from a printed seed, each written as
// a frame in both directions; for small frames, every cut length under the sanitizer's eyes.
#include "port/symmetric_hash.h"

#include <array>
#include <iostream>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "packet/headers.h"

namespace portcullis::port {
namespace {

constexpr int tuples = 20'000;
constexpr unsigned seed = 20261120;

/// Of eight bytes each; a fragment header that is the only fragment is none (RFC 6946).
constexpr std::array<uint8_t, 8> extension_types = {0, 43, 44, 51, 60, 135, 139, 140};

struct Tuple {
    bool v6 = false;
    unsigned tags = 0;
    std::vector<uint8_t> extensions;  ///< Their types, in the direction that is written.
    bool fragment = false;
    uint8_t protocol = 6;
    std::array<uint8_t, 16> source{}, destination{};
    uint16_t source_port = 0, destination_port = 0;

    uint32_t hash_of_endpoints() const {
        const auto address = [this](const std::array<uint8_t, 16>& octets) {
            if (v6) return IpAddress{octets};
            return IpAddress::v4(uint32_t{octets[0]} << 24 | uint32_t{octets[1]} << 16 |
                                 uint32_t{octets[2]} << 8 | octets[3]);
        };
        return symmetric_hash(Endpoint{address(source), source_port},
                              Endpoint{address(destination), destination_port});
    }
    Tuple turned() const {
        Tuple other = *this;
        std::swap(other.source, other.destination);
        std::swap(other.source_port, other.destination_port);
        return other;
    }
};

class Frame {
public:
    explicit Frame(const Tuple& tuple) {
        bytes_.resize(12);
        for (unsigned i = 0; i < tuple.tags; ++i)
            put({i == 0 && tuple.tags > 1 ? uint8_t{0x88} : uint8_t{0x81},
                 i == 0 && tuple.tags > 1 ? uint8_t{0xa8} : uint8_t{0}, 0, 7});
        tuple.v6 ? write_v6(tuple) : write_v4(tuple);
        put16(tuple.source_port);
        put16(tuple.destination_port);
        bytes_.resize(bytes_.size() + 16);
    }
    Bytes bytes() const { return as_bytes(bytes_.data(), bytes_.size()); }
    size_t size() const { return bytes_.size(); }

private:
    void write_v4(const Tuple& tuple) {
        put({0x08, 0x00, 0x45, 0, 0, 60, 0, 1});
        put16(tuple.fragment ? 0x2000 : 0x4000);
        put({64, tuple.protocol, 0, 0});
        bytes_.insert(bytes_.end(), tuple.source.begin(), tuple.source.begin() + 4);
        bytes_.insert(bytes_.end(), tuple.destination.begin(), tuple.destination.begin() + 4);
    }
    void write_v6(const Tuple& tuple) {
        put({0x86, 0xdd, 0x60, 0, 0, 0, 0, 20});
        std::vector<uint8_t> types = tuple.extensions;
        if (tuple.fragment) types.push_back(44);
        types.push_back(tuple.protocol);
        put({types[0], 64});
        bytes_.insert(bytes_.end(), tuple.source.begin(), tuple.source.end());
        bytes_.insert(bytes_.end(), tuple.destination.begin(), tuple.destination.end());
        for (size_t i = 0; i + 1 < types.size(); ++i) {
            const bool last = i + 2 == types.size();
            const uint8_t more = tuple.fragment && last ? 1 : 0;
            put({types[i + 1], 0, 0, more, 0, 0, 0, 9});
        }
    }
    void put(std::initializer_list<uint8_t> more) { bytes_.insert(bytes_.end(), more); }
    void put16(unsigned value) {
        put({static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)});
    }

    std::vector<uint8_t> bytes_;
};

class Tuples {
public:
    Tuple next() {
        Tuple tuple;
        tuple.v6 = chance(2);
        tuple.tags = static_cast<unsigned>(random_() % 4);
        tuple.fragment = chance(8);
        tuple.protocol = std::array<uint8_t, 4>{6, 6, 17, 1}[random_() % 4];
        for (uint8_t& octet : tuple.source) octet = static_cast<uint8_t>(random_());
        for (uint8_t& octet : tuple.destination) octet = static_cast<uint8_t>(random_());
        tuple.source_port = static_cast<uint16_t>(random_());
        tuple.destination_port = static_cast<uint16_t>(random_());
        return tuple;
    }
    /// As many as a packet may have.
    std::vector<uint8_t> extensions() {
        std::vector<uint8_t> types(random_() % (ipv6_headers_max + 1));
        for (uint8_t& type : types) type = extension_types[random_() % extension_types.size()];
        return types;
    }
    bool chance(unsigned one_in) { return random_() % one_in == 0; }

private:
    std::mt19937_64 random_{seed};
};

TEST(SymmetricHash, BringsBothDirectionsToTheSameWorker) {
    std::cout << "seed " << seed << "\n";
    Tuples random;
    for (int i = 0; i < tuples; ++i) {
        Tuple tuple = random.next();
        Tuple answer = tuple.turned();
        // One direction alone may carry extension headers or tags.
        if (tuple.v6 && random.chance(2)) tuple.extensions = random.extensions();
        answer.tags = random.chance(4) ? 0 : tuple.tags;
        ASSERT_EQ(symmetric_hash(Frame(tuple).bytes()), symmetric_hash(Frame(answer).bytes()))
            << "tuple " << i;
        const bool opened = tuple.extensions.size() < ipv6_headers_max;
        ASSERT_EQ(symmetric_hash_of(Frame(tuple).bytes()).fragment, tuple.fragment && opened);
        if (tuple.protocol != 1 && !tuple.fragment) {
            ASSERT_EQ(symmetric_hash(Frame(tuple).bytes()), tuple.hash_of_endpoints());
        }
    }
}

TEST(SymmetricHash, SpreadsClientsOfOneServerEvenly) {
    for (const uint16_t workers : std::initializer_list<uint16_t>{2, 3, 4, 7, 16}) {
        std::vector<int> load(workers);
        for (int i = 0; i < tuples; ++i) {
            Tuple tuple;
            tuple.source = {198, 51, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)};
            tuple.destination = {10, 0, 0, 2};
            tuple.source_port = static_cast<uint16_t>(32768 + i * 7 % 28000);
            tuple.destination_port = 25565;
            ++load[worker_of(symmetric_hash(Frame(tuple).bytes()), workers)];
        }
        for (int packets : load) {
            EXPECT_GT(packets, tuples / workers * 9 / 10);
            EXPECT_LT(packets, tuples / workers * 11 / 10);
        }
    }
}

TEST(SymmetricHash, SpreadsThePortsOfOneClient) {
    std::vector<int> load(4);
    for (int i = 0; i < tuples; ++i) {
        Tuple tuple;
        tuple.source = {198, 51, 100, 7};
        tuple.destination = {10, 0, 0, 2};
        tuple.source_port = static_cast<uint16_t>(1024 + i);
        tuple.destination_port = 25565;
        ++load[worker_of(symmetric_hash(Frame(tuple).bytes()), 4)];
    }
    for (int packets : load) EXPECT_GT(packets, tuples / 4 * 9 / 10);
}

TEST(SymmetricHash, ReadsNothingBehindTheEnd) {
    Tuples random;
    for (int i = 0; i < 500; ++i) {
        Tuple tuple = random.next();
        if (tuple.v6) tuple.extensions = random.extensions();
        const Frame frame(tuple);
        for (size_t size = 0; size <= frame.size(); ++size) {
            // A copy of the exact size, so that a sanitizer sees a byte too much.
            const std::vector<std::byte> cut(frame.bytes().begin(),
                                             frame.bytes().begin() + static_cast<ptrdiff_t>(size));
            const uint32_t hash = symmetric_hash(cut);
            if (size < 14) {
                ASSERT_EQ(hash, 0u);
            }
        }
    }
}

}  // namespace
}  // namespace portcullis::port
