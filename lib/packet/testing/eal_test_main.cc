// The main of tests that need mbufs: DPDK without hugepages, ports or root.

#include <array>
#include <cstdio>

#include <gtest/gtest.h>

#include <rte_eal.h>

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    std::array<char, 16> name = {"test"};
    char no_huge[] = "--no-huge", no_pci[] = "--no-pci", no_shared[] = "--no-shconf";
    char memory[] = "-m", mebibytes[] = "64", cores[] = "-l", first[] = "0";
    char quiet[] = "--log-level=error", no_telemetry[] = "--no-telemetry";
    std::array<char*, 10> args = {name.data(), no_huge, no_pci, no_shared, memory,
                                  mebibytes,   cores,   first,  quiet,     no_telemetry};
    if (rte_eal_init(static_cast<int>(args.size()), args.data()) < 0) {
        std::fprintf(stderr, "EAL does not start, not even without hugepages\n");
        return 1;
    }
    const int result = RUN_ALL_TESTS();
    rte_eal_cleanup();
    return result;
}
