#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "port/data_files.h"
#include "port/privileges.h"

namespace portcullis::port {

/// How the packets of one port reach several Workers.
enum class Spreading : uint8_t {
    none,          ///< One queue; a Worker hashes in software and hands over.
    rss,           ///< The port's own hash, made symmetric by its key.
    rss_function,  ///< The port's own symmetric Toeplitz, asked for through rte_flow.
    kernel,        ///< The kernel's fan-out, symmetric by nature.
    count
};
inline constexpr NameTable<Spreading> spreading_names = {"none", "rss", "rss_function", "kernel"};
static_assert(complete(spreading_names));

/// What is particular about one family of drivers: drivers-config/NAME.yaml.
/// The set-up code has no driver's name in it; adding a family is adding a file.
struct Profile {
    std::string name;  ///< The file's name without ".yaml".
    // `summary`, `tried` and `notes` are for people who read the file.
    std::string summary;      ///< Which hardware or interface, in one line.
    bool tried = false;       ///< Has carried traffic in this project's tests.
    bool hugepages = true;    ///< Can not work without (it does DMA).
    bool interrupts = false;  ///< Can wake a sleeping Worker.
    Spreading spreading = Spreading::none;
    uint16_t queues_max = 1;    ///< Receive queues that it may be given.
    bool tx_queue_each = true;  ///< Has a transmit queue for every Worker.
    uint16_t rx_descriptors = 1024, tx_descriptors = 1024;
    uint16_t mtu = 0;  ///< Asked of the port; 0: as it is.
    /// What a port needs of root's power once it is open, to be opened again and closed.
    Capabilities capabilities = 0;
    uint64_t hash_functions = 0;  ///< RTE_ETH_RSS_* wanted; those it lacks are left out.
    uint64_t rx_offloads = 0, tx_offloads = 0;  ///< RTE_ETH_*_OFFLOAD_* wanted, likewise.
    /// Arguments appended to a virtual device's own, unless they are given;
    /// "{queues}" stands for the number of receive queues.
    std::vector<std::pair<std::string, std::string>> device_arguments;
    std::string notes;
};

/// Reads one profile.  Throws UsageError (file:line:column: what is wrong).
Profile read_profile(const std::string& path);

/// The profile that a configured port names.  Throws UsageError that points into
/// the configuration when there is none.
Profile find_profile(const config::Port& port, const DataFiles& files,
                     const std::string& config_file);

/// The device as EAL takes it: the configured one with the profile's arguments.
std::string device_string(const config::Port& port, const Profile& profile, uint16_t queues);

}  // namespace portcullis::port
