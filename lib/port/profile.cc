#include "port/profile.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string_view>

#include <linux/capability.h>
#include <yaml-cpp/yaml.h>

#include <rte_ethdev.h>

#include "base/concat.h"
#include "base/setup_error.h"

namespace portcullis::port {

namespace {

struct Bit {
    std::string_view name;
    uint64_t value;
};

constexpr Bit hash_function_bits[] = {
    {"ipv4", RTE_ETH_RSS_IPV4},
    {"ipv4_fragment", RTE_ETH_RSS_FRAG_IPV4},
    {"ipv4_tcp", RTE_ETH_RSS_NONFRAG_IPV4_TCP},
    {"ipv4_udp", RTE_ETH_RSS_NONFRAG_IPV4_UDP},
    {"ipv4_other", RTE_ETH_RSS_NONFRAG_IPV4_OTHER},
    {"ipv6", RTE_ETH_RSS_IPV6},
    {"ipv6_fragment", RTE_ETH_RSS_FRAG_IPV6},
    {"ipv6_tcp", RTE_ETH_RSS_NONFRAG_IPV6_TCP},
    {"ipv6_udp", RTE_ETH_RSS_NONFRAG_IPV6_UDP},
    {"ipv6_other", RTE_ETH_RSS_NONFRAG_IPV6_OTHER},
};

constexpr Bit rx_offload_bits[] = {
    {"ipv4_checksum", RTE_ETH_RX_OFFLOAD_IPV4_CKSUM},
    {"tcp_checksum", RTE_ETH_RX_OFFLOAD_TCP_CKSUM},
    {"udp_checksum", RTE_ETH_RX_OFFLOAD_UDP_CKSUM},
    {"scatter", RTE_ETH_RX_OFFLOAD_SCATTER},
    {"rss_hash", RTE_ETH_RX_OFFLOAD_RSS_HASH},
};

constexpr Bit tx_offload_bits[] = {
    {"multiple_segments", RTE_ETH_TX_OFFLOAD_MULTI_SEGS},
};

constexpr Bit capability_bits[] = {
    {"net_admin", uint64_t{1} << CAP_NET_ADMIN},
    {"net_raw", uint64_t{1} << CAP_NET_RAW},
    {"ipc_lock", uint64_t{1} << CAP_IPC_LOCK},
    {"sys_admin", uint64_t{1} << CAP_SYS_ADMIN},
    {"bpf", uint64_t{1} << CAP_BPF},
};

/// Reads the keys of one YAML mapping and refuses those nobody asked for.
class Mapping {
public:
    Mapping(YAML::Node node, const std::string& path) : node_(std::move(node)), path_(path) {
        if (!node_.IsMap()) fail(node_, "a mapping of keys to values is expected here");
    }

    [[noreturn]] void fail(const YAML::Node& at, const std::string& what) const {
        const YAML::Mark mark = at.Mark();
        throw UsageError(concat(path_, ":", mark.line + 1, ":", mark.column + 1, ": ", what));
    }

    template <class T>
    void read(const char* key, T& value, std::string_view expected) {
        const YAML::Node node = take(key);
        if (!node) return;
        try {
            value = node.as<T>();
        } catch (const YAML::Exception&) {
            fail(node, concat(key, " must be ", expected));
        }
    }

    template <size_t N>
    void read_bits(const char* key, uint64_t& bits, const Bit (&known)[N]) {
        const YAML::Node node = take(key);
        if (!node) return;
        if (!node.IsSequence()) fail(node, concat(key, " must be a list of names"));
        for (const YAML::Node& item : node) {
            const std::string name = item.as<std::string>("");
            const Bit* bit = std::ranges::find(known, name, &Bit::name);
            if (bit == std::end(known)) fail(item, unknown_name(key, name, known));
            bits |= bit->value;
        }
    }

    YAML::Node take(const char* key) {
        taken_.insert(key);
        return node_[key];
    }

    void refuse_others() const {
        for (const auto& entry : node_) {
            const std::string key = entry.first.as<std::string>("");
            if (taken_.contains(key)) continue;
            std::string allowed;
            for (const std::string& name : taken_) allowed += (allowed.empty() ? "" : ", ") + name;
            fail(entry.first, concat("unknown key \"", key, "\"; allowed: ", allowed));
        }
    }

private:
    template <size_t N>
    static std::string unknown_name(const char* key, const std::string& name,
                                    const Bit (&known)[N]) {
        std::string text = concat("unknown name \"", name, "\" in ", key, "; allowed:");
        for (const Bit& bit : known) text += concat(" ", bit.name);
        return text;
    }

    YAML::Node node_;
    const std::string& path_;
    std::set<std::string> taken_;
};

void read_spreading(Mapping& top, Profile& profile) {
    const YAML::Node node = top.take("spreading");
    if (!node) return;
    const auto value = value_in<Spreading>(spreading_names, node.as<std::string>(""));
    if (!value) top.fail(node, "spreading must be one of: none, rss, rss_function, kernel");
    profile.spreading = *value;
}

void read_device_arguments(Mapping& top, const std::string& path, Profile& profile) {
    const YAML::Node node = top.take("device_arguments");
    if (!node) return;
    const Mapping mapping(node, path);
    for (const auto& entry : node) {
        profile.device_arguments.emplace_back(entry.first.as<std::string>(),
                                              entry.second.as<std::string>(""));
    }
}

YAML::Node load_yaml(const std::string& path) {
    try {
        return YAML::LoadFile(path);
    } catch (const YAML::ParserException& error) {
        throw UsageError(
            concat(path, ":", error.mark.line + 1, ":", error.mark.column + 1, ": ", error.msg));
    } catch (const YAML::BadFile&) {
        throw UsageError(concat(path, ": the file can not be read"));
    }
}

}  // namespace

Profile read_profile(const std::string& path) {
    Profile profile;
    profile.name = std::filesystem::path(path).stem().string();

    Mapping top(load_yaml(path), path);
    const char* small_number = "a whole number from 0 to 65535";
    top.read("summary", profile.summary, "a text");
    top.read("tried", profile.tried, "true or false");
    top.read("hugepages", profile.hugepages, "true or false");
    top.read("interrupts", profile.interrupts, "true or false");
    read_spreading(top, profile);
    top.read("queues_max", profile.queues_max, small_number);
    top.read("tx_queue_each", profile.tx_queue_each, "true or false");
    top.read("rx_descriptors", profile.rx_descriptors, small_number);
    top.read("tx_descriptors", profile.tx_descriptors, small_number);
    top.read("mtu", profile.mtu, small_number);
    top.read_bits("capabilities", profile.capabilities, capability_bits);
    top.read_bits("hash_functions", profile.hash_functions, hash_function_bits);
    top.read_bits("rx_offloads", profile.rx_offloads, rx_offload_bits);
    top.read_bits("tx_offloads", profile.tx_offloads, tx_offload_bits);
    read_device_arguments(top, path, profile);
    top.read("notes", profile.notes, "a text");
    top.refuse_others();
    return profile;
}

Profile find_profile(const config::Port& port, const DataFiles& files,
                     const std::string& config_file) {
    const std::string path = files.find(concat("drivers-config/", port.driver, ".yaml"));
    if (path.empty()) {
        throw UsageError(concat(config_file, ":", port.mark.line, ":", port.mark.column,
                                ": no driver profile \"", port.driver, "\"; drivers-config/",
                                port.driver, ".yaml is not in ", files.places()));
    }
    return read_profile(path);
}

std::string device_string(const config::Port& port, const Profile& profile, uint16_t queues) {
    std::string device = port.device;
    for (const auto& [key, value] : profile.device_arguments) {
        if (device.find("," + key + "=") != std::string::npos) continue;
        std::string filled = value;
        if (filled == "{queues}") filled = std::to_string(queues);
        device += concat(",", key, "=", filled);
    }
    return device;
}

}  // namespace portcullis::port
