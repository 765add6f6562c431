#pragma once

#include <array>
#include <cstdio>

#include <rte_eal.h>

namespace portcullis {

/// DPDK for tests and benchmarks: one core, no hugepages, no ports, no root.
class SmallEal {
public:
    /// `mebibytes`: of memory, as a decimal number.
    explicit SmallEal(const char* mebibytes) {
        std::array<const char*, 10> args = {
            "test",    "--no-huge", "--no-pci", "--no-shconf",    "-m",
            mebibytes, "-l",        "0",        "--no-telemetry", "--log-level=error"};
        // EAL moves its arguments about, but never writes into them.
        started_ =
            rte_eal_init(static_cast<int>(args.size()), const_cast<char**>(args.data())) >= 0;
        if (!started_) std::fprintf(stderr, "EAL does not start, not even without hugepages\n");
    }
    SmallEal(const SmallEal&) = delete;
    SmallEal& operator=(const SmallEal&) = delete;
    ~SmallEal() {
        if (started_) rte_eal_cleanup();
    }

    bool started() const noexcept { return started_; }

private:
    bool started_ = false;
};

}  // namespace portcullis
