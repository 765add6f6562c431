// Goal: the table gives back the Flow that was put in, for as many as it was
// made for, and never another's; it costs what it says.
// Method: fill, look up alone and in bulk, erase at random against a std::map.

#include "flow/flow_table.h"

#include <array>
#include <map>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace portcullis {
namespace {

constexpr FlowHash hash(20261120);

HashedKey key_of(uint32_t n) {
    const Endpoint client{IpAddress::v4(0xc6336400u + n / 60000), static_cast<uint16_t>(n % 60000)};
    const Endpoint server{IpAddress::v4(0x0a000002), 25565};
    const FlowKey key = FlowKey::of(client, server, 6);
    return {key, hash(key)};
}

TEST(FlowKey, IsTheSameBothWays) {
    const Endpoint a = *parse_endpoint("198.51.100.7:50122"), b = *parse_endpoint("10.0.0.2:25565");
    EXPECT_EQ(FlowKey::of(a, b, 6), FlowKey::of(b, a, 6));
    EXPECT_FALSE(FlowKey::of(a, b, 6) == FlowKey::of(a, b, 17));
    EXPECT_EQ(hash(FlowKey::of(a, b, 6)), hash(FlowKey::of(b, a, 6)));
}

TEST(FlowTable, HoldsAllThatItWasMadeFor) {
    for (const uint32_t capacity : {1u, 2u, 7u, 8u, 100u, 1000u, 65'536u, 1'000'000u}) {
        FlowTable table(capacity);
        for (uint32_t n = 0; n < capacity; ++n) {
            ASSERT_NE(table.insert(key_of(n)), nullptr) << n << " of " << capacity;
        }
        EXPECT_EQ(table.insert(key_of(capacity)), nullptr);
        EXPECT_EQ(table.size(), capacity);
        for (uint32_t n = 0; n < capacity; n += 1 + capacity / 1000) {
            const Flow* flow = table.find(key_of(n));
            ASSERT_NE(flow, nullptr);
            EXPECT_EQ(flow->key, key_of(n).key);
        }
        EXPECT_EQ(table.find(key_of(capacity)), nullptr);
    }
}

TEST(FlowTable, CostsWhatItSays) {
    FlowTable table(1'000'000);
    EXPECT_LE(table.memory(), size_t{1'000'000} * flow_bytes_max);
    RecordProperty("bytes_per_flow", static_cast<int>(table.memory() / 1'000'000));
}

TEST(FlowTable, FindsManyAtOnce) {
    FlowTable table(10'000);
    for (uint32_t n = 0; n < 10'000; n += 2) table.insert(key_of(n));
    std::array<HashedKey, FlowTable::bulk_max> keys;
    std::array<Flow*, FlowTable::bulk_max> found;
    for (uint32_t start = 0; start + keys.size() < 10'000; start += 61) {
        for (uint32_t i = 0; i < keys.size(); ++i) keys[i] = key_of(start + i);
        table.find(keys, found);
        for (uint32_t i = 0; i < keys.size(); ++i) {
            ASSERT_EQ(found[i] != nullptr, (start + i) % 2 == 0);
            EXPECT_TRUE(found[i] == nullptr || found[i]->key == keys[i].key);
        }
    }
}

TEST(FlowTable, ForgetsOnlyWhatItIsToldTo) {
    constexpr unsigned seed = 3;
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    FlowTable table(500);
    std::map<uint32_t, Flow*> expected;
    for (int step = 0; step < 50'000; ++step) {
        const auto n = static_cast<uint32_t>(random() % 800);
        const auto known = expected.find(n);
        ASSERT_EQ(table.find(key_of(n)), known == expected.end() ? nullptr : known->second);
        if (known != expected.end()) {
            table.erase(*known->second, key_of(n).hash);
            expected.erase(known);
        } else if (Flow* flow = table.insert(key_of(n))) {
            EXPECT_EQ(flow->session, Flow::none);
            EXPECT_EQ(flow->state, FlowState::inspected);
            expected[n] = flow;
        } else {
            EXPECT_EQ(expected.size(), 500u);
        }
        ASSERT_EQ(table.size(), expected.size());
    }
}

TEST(FlowTable, TheHandMeetsEveryFlowOnceARound) {
    FlowTable table(1000);
    for (uint32_t n = 0; n < 700; ++n) table.insert(key_of(n));
    std::multiset<const Flow*> met;
    for (int turn = 0; turn < 10; ++turn) {
        table.sweep(100, [&](Flow& flow) { met.insert(&flow); });
    }
    EXPECT_EQ(met.size(), 700u);
    EXPECT_EQ(std::set(met.begin(), met.end()).size(), 700u);
}

TEST(FlowTable, TheHandMayErase) {
    FlowTable table(100);
    for (uint32_t n = 0; n < 100; ++n) table.insert(key_of(n));
    table.sweep(100, [&](Flow& flow) { table.erase(flow, hash(flow.key)); });
    EXPECT_EQ(table.size(), 0u);
    for (uint32_t n = 0; n < 100; ++n) EXPECT_EQ(table.find(key_of(n)), nullptr);
}

}  // namespace
}  // namespace portcullis
