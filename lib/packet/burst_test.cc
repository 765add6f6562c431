// Goal: a frame of several segments is changed where it leaves; a Burst keeps
// its order and its bounds.
// Method: real mbufs.

#include "packet/burst.h"

#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include <rte_mbuf.h>

#include "packet/packet_builder.h"

namespace portcullis {
namespace {

rte_mempool* pool() {
    static rte_mempool* made =
        rte_pktmbuf_pool_create("burst_test", 63, 0, 0, RTE_PKTMBUF_HEADROOM + 256, 0);
    return made;
}

std::string contents(rte_mbuf* mbuf) {
    std::string all;
    for (rte_mbuf* m = mbuf; m != nullptr; m = m->next) {
        all.append(rte_pktmbuf_mtod(m, const char*), m->data_len);
    }
    return all;
}

rte_mbuf* segment(std::string_view text) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(pool());
    std::memcpy(rte_pktmbuf_append(mbuf, static_cast<uint16_t>(text.size())), text.data(),
                text.size());
    return mbuf;
}

TEST(Packet, WritesAcrossSegments) {
    rte_mbuf* mbuf = segment("abcd");
    rte_pktmbuf_chain(mbuf, segment("ef"));
    rte_pktmbuf_chain(mbuf, segment("ghij"));
    std::string copy = contents(mbuf);
    Packet packet;
    packet.mbuf = mbuf;
    packet.frame = reinterpret_cast<std::byte*>(copy.data());
    packet.copied = true;
    packet.write(3, as_bytes("WXYZ"));
    EXPECT_EQ(copy, "abcWXYZhij");
    EXPECT_EQ(contents(mbuf), "abcWXYZhij");
    rte_pktmbuf_free(mbuf);
}

TEST(PacketBuilder, SaysWhenThereIsNoRoom) {
    const std::string big(400, 'x');
    PacketBuilder builder;
    builder.from(*parse_endpoint("10.0.0.1:1")).to(*parse_endpoint("10.0.0.2:2"));
    EXPECT_EQ(builder.payload(as_bytes(big)).make(pool()), nullptr);
    std::array<std::byte, 20> small;
    EXPECT_EQ(builder.build(small), 0u);
    EXPECT_EQ(rte_mempool_in_use_count(pool()), 0u);
}

TEST(Burst, TheFirstRefusalIsTheReason) {
    Burst burst;
    burst.clear(5ms);
    for (int i = 0; i < 3; ++i) burst.add(nullptr, Side::outside, 0, 1ms);
    burst[1].refuse(DropReason::verdict);
    burst[1].refuse(DropReason::blocked);
    EXPECT_EQ(burst[1].drop, DropReason::verdict);
    EXPECT_TRUE(burst[0].alive() && !burst[1].alive() && burst[2].alive());
}

TEST(Burst, BoundsWhatIsInjected) {
    Burst burst;
    burst.clear({});
    for (size_t i = 0; i < Burst::injected_max; ++i) EXPECT_TRUE(burst.inject({}));
    EXPECT_FALSE(burst.inject({}));
}

}  // namespace
}  // namespace portcullis
