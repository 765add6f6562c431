// Goal: all fragments of a datagram come to one Worker, and to that of their flow when the first
// one comes first; also while there is no place to remember them.  Method: datagrams of random
// flows cut up, from a printed seed, in order and turned round.

#include "pipeline/fragment_owners.h"

#include <algorithm>
#include <iostream>
#include <random>

#include <gtest/gtest.h>

#include "flow/fragments.h"
#include "packet/testing/fragmenting.h"
#include "port/symmetric_hash.h"

namespace portcullis::pipeline {
namespace {

using namespace std::chrono_literals;
using portcullis::testing::built;
using portcullis::testing::Frame;
using portcullis::testing::in_pieces;

constexpr unsigned seed = 20261129;
constexpr uint32_t capacity = 64;

class Network {
public:
    PacketBuilder segment() {
        const bool v4 = random_() % 2 == 0;
        const auto address = [&](uint8_t net) {
            IpAddress a = IpAddress::v4(uint32_t{net} << 24 | static_cast<uint8_t>(random_()));
            if (!v4) a.octets = {0x20, 1, 0xd, 0xb8, net, static_cast<uint8_t>(random_())};
            return a;
        };
        return PacketBuilder{}
            .from({address(10), static_cast<uint16_t>(random_())})
            .to({address(11), static_cast<uint16_t>(random_())})
            .tcp(Seq(1), Seq(1), stream::tcp::ack)
            .payload(as_bytes(text_));
    }
    uint32_t hash(const Frame& piece) {
        return owners.hash_of(piece, Side::outside, port::symmetric_hash(piece), now);
    }

    FragmentOwners owners{capacity, seed};
    Nanos now = 1000s;

private:
    std::mt19937 random_{seed};
    const std::string text_ = std::string(100, 'x');
};

TEST(FragmentOwners, TheFirstNamesTheFlowForAllOfThem) {
    std::cout << "seed " << seed << "\n";
    Network network;
    for (uint32_t id = 0; id < 1000; ++id) {
        const PacketBuilder segment = network.segment();
        const uint32_t flow = port::symmetric_hash(built(segment));
        for (const Frame& piece : in_pieces(segment, 24, id)) {
            EXPECT_EQ(network.hash(piece), flow) << id;
        }
        network.now += Fragments::lifetime / (capacity / 2);
    }
}

TEST(FragmentOwners, WhateverComesFirstDecides) {
    Network network;
    for (uint32_t id = 0; id < capacity; ++id) {
        std::vector<Frame> pieces = in_pieces(network.segment(), 24, id);
        std::ranges::reverse(pieces);
        for (const Frame& piece : pieces) {
            EXPECT_EQ(network.hash(piece), port::symmetric_hash(pieces[0])) << id;
        }
    }
}

TEST(FragmentOwners, OneWithoutAPlaceIsNotLearntHalfWay) {
    Network network;
    for (uint32_t id = 0; id < capacity; ++id)
        network.hash(in_pieces(network.segment(), 24, id)[0]);
    network.now += Fragments::lifetime - 1s;
    const std::vector<Frame> pieces = in_pieces(network.segment(), 24, capacity);
    EXPECT_EQ(network.hash(pieces[0]), port::symmetric_hash(pieces[0]));
    network.now += 2s;  // By now there is room, but its first fragment went elsewhere.
    EXPECT_EQ(network.hash(pieces[0]), port::symmetric_hash(pieces[0]));
    EXPECT_EQ(network.hash(pieces[1]), port::symmetric_hash(pieces[0]));
    network.now += 2 * Fragments::lifetime;
    EXPECT_NE(network.hash(pieces[0]), port::symmetric_hash(pieces[0]));
}

TEST(FragmentOwners, OneSourceFillsHisShareOnly) {
    Network network;
    const auto of = [](uint32_t source) {
        return PacketBuilder{}
            .from({IpAddress::v4(0x0c000000 + source), 1000})
            .to({IpAddress::v4(0x0b000001), 25'565})
            .udp()
            .payload(as_bytes("0123456789012345678901234567890123456789"));
    };
    for (uint32_t id = 0; id < 10'000; ++id) network.hash(in_pieces(of(1), 24, id)[0]);
    for (uint32_t source = 2; source < 2 + capacity - capacity / FragmentOwners::share; ++source) {
        const uint32_t flow = port::symmetric_hash(built(of(source)));
        for (const Frame& piece : in_pieces(of(source), 24)) EXPECT_EQ(network.hash(piece), flow);
    }
}

TEST(FragmentOwners, TakesWhateverComes) {
    Network network;
    const Frame piece = in_pieces(network.segment(), 24)[1];
    for (size_t size = 0; size < piece.size(); ++size) {
        const Frame cut(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_EQ(network.owners.hash_of(cut, Side::outside, 7, network.now), 7u);
    }
}

}  // namespace
}  // namespace portcullis::pipeline
