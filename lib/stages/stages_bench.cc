// What the first stages cost, a burst of 64 at a time: parse with its sums;
// track at 1 k, 100 k and 1 M flows; floods of lone SYNs through both, with their
// sources counted and not; frames of no Service through both.  Time is per packet.

#include <memory>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <rte_mbuf.h>

#include "packet/headers.h"
#include "packet/packet_builder.h"
#include "stages/detect/detect.h"
#include "stages/parse/parse.h"
#include "stages/track/track.h"

namespace portcullis::stages {
namespace {

namespace tcp = stream::tcp;
constexpr size_t burst_size = Burst::packets_max;

config::Config configuration(uint32_t flows) {
    config::Config config;
    config.limits.flows = flows;
    config.limits.players = 64;
    config.limits.stream_bytes_total = 1 << 20;
    config.limits.stream_bytes = 16'384;
    config.policies.emplace_back().name = "default";
    config::Service& service = config.services.emplace_back();
    service.name = "survival";
    service.endpoint = *parse_endpoint("10.0.0.2:25565");
    return config;
}

Endpoint client(uint32_t n) {
    return {IpAddress::v4(0x0b000000u + n / 1000), static_cast<uint16_t>(1024 + n % 1000)};
}

struct Bench {
    explicit Bench(uint32_t flows)
        : config(configuration(flows)),
          rules(policy::RuleSet::compile(config)),
          counters(std::make_unique<Counters>()),
          pool(rte_pktmbuf_pool_create("bench", 1023, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0)),
          context(std::make_unique<WorkerContext>(
              WorkerContext::Resources{config, rules.get(), *counters, pool, 0, 1})),
          parse(*context),
          track(*context),
          burst(std::make_unique<Burst>()) {}
    ~Bench() { rte_mempool_free(pool); }

    void frames(const std::string& payload, uint16_t port) {
        for (uint32_t i = 0; i < burst_size; ++i) {
            const Endpoint server{*parse_address("10.0.0.2"), port};
            mbufs.push_back(PacketBuilder{}
                                .from(client(i))
                                .to(server)
                                .tcp(Seq(1), Seq(1), tcp::ack | tcp::psh)
                                .payload(as_bytes(payload))
                                .make(pool));
        }
    }
    void refill() {
        burst->clear(1s);
        for (rte_mbuf* mbuf : mbufs) burst->add(mbuf, Side::outside, 0, 1s);
    }

    config::Config config;
    std::unique_ptr<const policy::RuleSet> rules;
    std::unique_ptr<Counters> counters;
    rte_mempool* pool;
    std::unique_ptr<WorkerContext> context;
    Parse parse;
    Track track;
    std::unique_ptr<Burst> burst;
    std::vector<rte_mbuf*> mbufs;
};

void per_packet(benchmark::State& state) {
    state.counters["per_packet"] =
        benchmark::Counter(static_cast<double>(state.iterations() * burst_size),
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void parse_with_sums(benchmark::State& state) {
    Bench bench(1000);
    bench.frames(std::string(static_cast<size_t>(state.range(0)), 'x'), 25565);
    for (auto _ : state) {
        bench.refill();
        bench.parse.process(*bench.burst);
        for (const Packet& packet : bench.burst->all()) {
            benchmark::DoNotOptimize(checksums_hold(packet));
        }
    }
    per_packet(state);
}
BENCHMARK(parse_with_sums)->Arg(33)->Arg(120)->Arg(1400);

void parse_without_sums(benchmark::State& state) {
    Bench bench(1000);
    bench.frames(std::string(33, 'x'), 25565);
    for (auto _ : state) {
        bench.refill();
        bench.parse.process(*bench.burst);
    }
    per_packet(state);
}
BENCHMARK(parse_without_sums);

void cross_without_service(benchmark::State& state) {
    Bench bench(1000);
    bench.frames(std::string(33, 'x'), 80);
    for (auto _ : state) {
        bench.refill();
        bench.parse.process(*bench.burst);
        bench.track.process(*bench.burst);
    }
    per_packet(state);
}
BENCHMARK(cross_without_service);

/// Packets as parse leaves them, sums verified by the NIC, from clients at random.
void track_known_flows(benchmark::State& state) {
    const auto flows = static_cast<uint32_t>(state.range(0));
    Bench bench(flows);
    const Endpoint server = *parse_endpoint("10.0.0.2:25565");
    for (uint32_t n = 0; n < flows; ++n) {
        const FlowKey key = FlowKey::of(client(n), server, ip_protocol_tcp);
        Flow* flow = bench.context->flows.insert({key, bench.context->hash(key)});
        flow->client_is_low = FlowKey::in_order(client(n), server);
        flow->last_seen = 1s;
    }
    std::mt19937 random(1);
    std::vector<Endpoint> clients(burst_size * 4096);
    for (Endpoint& c : clients) c = client(static_cast<uint32_t>(random() % flows));
    bench.frames(std::string(33, 'x'), 25565);
    bench.refill();
    bench.parse.process(*bench.burst);
    size_t at = 0;
    for (auto _ : state) {
        for (Packet& packet : bench.burst->all()) {
            packet.source = clients[at++];
            packet.l4_sum_checked = packet.ip_sum_checked = true;
            packet.flow = nullptr;
        }
        if (at == clients.size()) at = 0;
        bench.track.process(*bench.burst);
    }
    per_packet(state);
}
BENCHMARK(track_known_flows)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

void flood_of_syns(benchmark::State& state) {
    const auto flows = static_cast<uint32_t>(state.range(0));
    Bench bench(flows);
    bench.frames("", 25565);
    bench.refill();
    bench.parse.process(*bench.burst);
    uint32_t source = 0;
    for (auto _ : state) {
        for (Packet& packet : bench.burst->all()) {
            packet.source = client(source++ % 1'000'000);
            packet.tcp_flags = tcp::syn;
            packet.l4_sum_checked = packet.ip_sum_checked = true;
            packet.way = Way::inspect;
        }
        bench.track.process(*bench.burst);
    }
    per_packet(state);
}
BENCHMARK(flood_of_syns)->Arg(1'000)->Arg(1'000'000);

/// A million SYNs a second, of `addresses` sources at random: forged ones, or one.
void flood_of_sources(benchmark::State& state, uint32_t addresses, bool counted) {
    Bench bench(1000);
    std::unique_ptr<Detect> detect;
    if (counted) detect = std::make_unique<Detect>(*bench.context);
    bench.frames("", 25565);
    bench.refill();
    bench.parse.process(*bench.burst);
    std::mt19937 random(1);
    std::vector<Endpoint> sources(burst_size * 16'384);
    for (Endpoint& source : sources) {
        source = {IpAddress::v4(static_cast<uint32_t>(random()) % addresses),
                  static_cast<uint16_t>(random())};
    }
    size_t at = 0;
    Nanos now = 1s;
    for (auto _ : state) {
        for (Packet& packet : bench.burst->all()) {
            packet.source = sources[at++];
            packet.tcp_flags = tcp::syn;
            packet.l4_sum_checked = packet.ip_sum_checked = true;
            packet.way = Way::inspect;
            packet.drop = DropReason::none;
            packet.time = now += 1us;
        }
        if (at == sources.size()) at = 0;
        bench.burst->now = now;
        bench.track.process(*bench.burst);
        if (detect != nullptr) detect->process(*bench.burst);
        for (verdicts::VerdictRecord record; bench.context->records.pop(record);) continue;
    }
    per_packet(state);
}
BENCHMARK_CAPTURE(flood_of_sources, forged, UINT32_MAX, false);
BENCHMARK_CAPTURE(flood_of_sources, forged_counted, UINT32_MAX, true);
BENCHMARK_CAPTURE(flood_of_sources, one, 1, false);
BENCHMARK_CAPTURE(flood_of_sources, one_counted, 1, true);

}  // namespace
}  // namespace portcullis::stages
