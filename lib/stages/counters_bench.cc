// What a Worker's own figures cost it: the time it would read and count anyway, and
// beside it the same with the histograms.  Both in one run, a burst each iteration,
// five stages; the difference, by the packets of a burst, is the histograms' price.

#include <memory>

#include <benchmark/benchmark.h>

#include <rte_cycles.h>

#include "stages/counters.h"

namespace portcullis::stages {
namespace {

constexpr size_t stage_count = 5;
constexpr uint64_t nanos_per_cycle_q32 = 1ull << 31;

uint64_t nanos(uint64_t cycles) noexcept {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(cycles) * nanos_per_cycle_q32 >>
                                 32);
}

template <bool histograms>
void bookkeeping(benchmark::State& state) {
    const auto counters = std::make_unique<Counters>();
    const auto packets = static_cast<uint64_t>(state.range(0));
    for (auto _ : state) {
        const uint64_t began = rte_rdtsc();
        uint64_t before = began;
        for (size_t i = 0; i < stage_count; ++i) {
            const uint64_t after = rte_rdtsc();
            counters->stage_cycles[i].add(after - before);
            counters->stage_packets[i].add(packets);
            if constexpr (histograms) counters->stage_times[i].add(nanos(after - before));
            before = after;
        }
        const uint64_t took = rte_rdtsc() - began;
        counters->busy_cycles.add(took);
        if constexpr (histograms) {
            counters->latencies.add(nanos(took), packets);
            counters->latency_ns.add(nanos(took) * packets);
        }
        benchmark::ClobberMemory();
    }
    const auto bursts = static_cast<double>(state.iterations());
    state.counters["ns/packet"] =
        benchmark::Counter(bursts * static_cast<double>(packets),
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

BENCHMARK(bookkeeping<false>)->Name("bookkeeping/without")->Arg(1)->Arg(8)->Arg(32);
BENCHMARK(bookkeeping<true>)->Name("bookkeeping/with")->Arg(1)->Arg(8)->Arg(32);

}  // namespace
}  // namespace portcullis::stages

BENCHMARK_MAIN();
