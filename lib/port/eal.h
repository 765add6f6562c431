#pragma once

#include <string>
#include <vector>

/// DPDK's environment: memory, cores, devices.  One a process and never twice,
/// for DPDK can not be started again after its end.
namespace portcullis::port {

/// Where a Worker may run.
struct Placement {
    std::vector<unsigned> worker_cpus;   ///< One a Worker; a CPU may stand there twice.
    std::vector<unsigned> control_cpus;  ///< For everything that is not a Worker.
};

/// `cores` as configured ("2-5,7"), or empty to choose from the CPUs that this
/// process may use: the last ones for Workers, the rest for Control.
/// Throws UsageError on a malformed list, a list of the wrong size, or a CPU
/// that is not there.
Placement place(const std::string& cores, unsigned workers);

struct EalOptions {
    /// True: memory from hugepages.  False: ordinary memory of `memory_mib`, no
    /// device with DMA, no root needed.
    bool hugepages = false;
    unsigned memory_mib = 256;
    Placement placement;
    /// PCI addresses to use; all other PCI devices are left alone.
    std::vector<std::string> pci;
    bool telemetry = false;                   ///< DPDK's socket, where its directory can be made.
    std::vector<std::string> user_arguments;  ///< What stands after "--": last, so it wins.
};

/// The argument list for EAL.  It never holds a secret: EAL shows it in /proc
/// and in its telemetry.
std::vector<std::string> eal_arguments(const EalOptions& options);

/// Whether free hugepages of any size are there.
bool hugepages_available();

class Eal {
public:
    /// Throws SetupError: one sentence with what DPDK gave as the reason.
    explicit Eal(const EalOptions& options);
    Eal(const Eal&) = delete;
    Eal& operator=(const Eal&) = delete;
    ~Eal();
};

}  // namespace portcullis::port
