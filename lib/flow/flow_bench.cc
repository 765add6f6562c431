// What finding a Flow costs, a burst of 64 at a time, at 1 k, 100 k and 1 M
// flows, and what DPDK's rte_hash costs for the same keys in the same run; and
// what a lone SYN costs.  Time is per packet.

#include <array>
#include <memory>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include <rte_hash.h>
#include <rte_hash_crc.h>

#include "flow/flow_table.h"
#include "flow/half_open_table.h"

namespace portcullis {
namespace {

constexpr size_t burst = FlowTable::bulk_max;
constexpr size_t bursts = 4096;
constexpr FlowHash hash(20261120);

FlowKey key_of(uint32_t n) {
    const Endpoint client{IpAddress::v4(0x0b000000u + n / 1000),
                          static_cast<uint16_t>(1024 + n % 1000)};
    return FlowKey::of(client, *parse_endpoint("10.0.0.2:25565"), 6);
}

/// The order in which packets of `flows` flows come.
std::vector<uint32_t> arrivals(uint32_t flows) {
    std::mt19937 random(1);
    std::vector<uint32_t> order(burst * bursts);
    for (uint32_t& n : order) n = static_cast<uint32_t>(random() % flows);
    return order;
}

void per_packet(benchmark::State& state) {
    state.counters["ns/packet"] =
        benchmark::Counter(static_cast<double>(state.iterations() * burst) / 1e9,
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void find_in_flow_table(benchmark::State& state) {
    const auto flows = static_cast<uint32_t>(state.range(0));
    FlowTable table(flows);
    for (uint32_t n = 0; n < flows; ++n) table.insert({key_of(n), hash(key_of(n))});
    std::vector<FlowKey> packets;
    for (const uint32_t n : arrivals(flows)) packets.push_back(key_of(n));
    std::array<HashedKey, burst> keys;
    std::array<Flow*, burst> found;
    size_t at = 0;
    for (auto _ : state) {
        for (size_t i = 0; i < burst; ++i) {
            const FlowKey& key = packets[at * burst + i];
            keys[i] = {key, hash(key)};
        }
        table.find(keys, found);
        for (Flow* flow : found) flow->last_seen += 1ns;  // What track does with each.
        at = (at + 1) % bursts;
    }
    per_packet(state);
    state.counters["bytes/flow"] = static_cast<double>(table.memory()) / flows;
}
BENCHMARK(find_in_flow_table)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

/// The library's way: keys and an index in rte_hash, Flows beside it.
void find_in_rte_hash(benchmark::State& state) {
    const auto flows = static_cast<uint32_t>(state.range(0));
    rte_hash_parameters parameters{};
    parameters.name = "flows";
    parameters.entries = flows + flows / 8;
    parameters.key_len = sizeof(FlowKey);
    parameters.hash_func = rte_hash_crc;
    rte_hash* table = rte_hash_create(&parameters);
    if (table == nullptr) {
        state.SkipWithError("rte_hash_create fails");
        return;
    }
    const auto places = std::make_unique<Flow[]>(rte_hash_max_key_id(table) + 1);
    for (uint32_t n = 0; n < flows; ++n) {
        const FlowKey key = key_of(n);
        const auto h = static_cast<hash_sig_t>(hash(key));
        if (rte_hash_add_key_with_hash(table, &key, h) < 0) state.SkipWithError("full");
    }
    std::vector<FlowKey> packets;
    for (const uint32_t n : arrivals(flows)) packets.push_back(key_of(n));
    std::array<const void*, burst> keys;
    std::array<hash_sig_t, burst> hashes;
    std::array<int32_t, burst> found;
    size_t at = 0;
    for (auto _ : state) {
        for (size_t i = 0; i < burst; ++i) {
            const FlowKey& key = packets[at * burst + i];
            keys[i] = &key;
            hashes[i] = static_cast<hash_sig_t>(hash(key));
        }
        rte_hash_lookup_with_hash_bulk(table, keys.data(), hashes.data(), burst, found.data());
        for (const int32_t place : found) __builtin_prefetch(&places[place]);
        for (const int32_t place : found) places[place].last_seen += 1ns;
        at = (at + 1) % bursts;
    }
    per_packet(state);
    rte_hash_free(table);
}
BENCHMARK(find_in_rte_hash)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

void offer_lone_syns(benchmark::State& state) {
    HalfOpenTable table(65'536, 30s);
    std::vector<uint64_t> sources;
    for (uint32_t n = 0; n < 1'000'000; ++n) sources.push_back(hash(key_of(n)));
    size_t at = 0;
    Nanos now = 1s;
    for (auto _ : state) {
        now += 1us;
        if (at + burst > sources.size()) at = 0;
        for (size_t i = 0; i < burst; ++i) table.fetch(sources[at + i]);
        for (size_t i = 0; i < burst; ++i) table.client_offers(sources[at + i], {}, now);
        at += burst;
    }
    per_packet(state);
    state.counters["bytes/entry"] = static_cast<double>(table.memory()) / table.capacity();
}
BENCHMARK(offer_lone_syns);

}  // namespace
}  // namespace portcullis
