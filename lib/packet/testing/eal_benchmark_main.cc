// The main of benchmarks that need mbufs.

#include <benchmark/benchmark.h>

#include "packet/testing/small_eal.h"

int main(int argc, char** argv) {
    const portcullis::SmallEal eal("512");
    if (!eal.started()) return 1;
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
