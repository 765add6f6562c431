#include "port/port.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <net/if.h>

#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <rte_log.h>

#include "base/concat.h"
#include "base/setup_error.h"

namespace portcullis::port {

namespace {

/// With this repeating key the Toeplitz hash of (a, b) is that of (b, a).
/// 52 bytes serve the longest keys (i40e, ice); shorter ones take the front.
constexpr size_t symmetric_key_size = 52;
std::array<uint8_t, symmetric_key_size> symmetric_key() {
    std::array<uint8_t, symmetric_key_size> key{};
    for (size_t i = 0; i < key.size(); ++i) key[i] = i % 2 == 0 ? 0x6d : 0x5a;
    return key;
}

std::string sentence(int error) { return rte_strerror(error < 0 ? -error : error); }

rte_eth_conf configuration(const Profile& profile, const rte_eth_dev_info& info, bool spreads,
                           bool interrupts, uint8_t* key) {
    rte_eth_conf conf{};
    conf.rxmode.offloads = profile.rx_offloads & info.rx_offload_capa;
    conf.txmode.offloads = profile.tx_offloads & info.tx_offload_capa;
    conf.intr_conf.rxq = interrupts ? 1 : 0;
    conf.intr_conf.lsc =
        info.dev_flags != nullptr && (*info.dev_flags & RTE_ETH_DEV_INTR_LSC) != 0 ? 1 : 0;
    if (profile.mtu != 0) conf.rxmode.mtu = std::min(profile.mtu, info.max_mtu);
    if (spreads && profile.spreading == Spreading::rss) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_hf = profile.hash_functions & info.flow_type_rss_offloads;
        if (info.hash_key_size != 0) {
            conf.rx_adv_conf.rss_conf.rss_key = key;
            conf.rx_adv_conf.rss_conf.rss_key_len = info.hash_key_size;
        }
    }
    return conf;
}

/// For NICs whose Toeplitz key can not be made symmetric, but which know a
/// symmetric function: one rule for each packet kind.
int ask_for_symmetric_function(uint16_t port, uint16_t queues, uint64_t hash_functions) {
    constexpr std::array<rte_flow_item_type, 2> networks = {RTE_FLOW_ITEM_TYPE_IPV4,
                                                            RTE_FLOW_ITEM_TYPE_IPV6};
    constexpr std::array<rte_flow_item_type, 2> transports = {RTE_FLOW_ITEM_TYPE_TCP,
                                                              RTE_FLOW_ITEM_TYPE_UDP};
    constexpr uint64_t types[2][2] = {{RTE_ETH_RSS_NONFRAG_IPV4_TCP, RTE_ETH_RSS_NONFRAG_IPV4_UDP},
                                      {RTE_ETH_RSS_NONFRAG_IPV6_TCP, RTE_ETH_RSS_NONFRAG_IPV6_UDP}};
    std::vector<uint16_t> all_queues(queues);
    for (uint16_t i = 0; i < queues; ++i) all_queues[i] = i;

    for (size_t n = 0; n < networks.size(); ++n) {
        for (size_t t = 0; t < transports.size(); ++t) {
            if ((hash_functions & types[n][t]) == 0) continue;
            rte_flow_attr attributes{};
            attributes.ingress = 1;
            rte_flow_item pattern[4]{};
            pattern[0].type = RTE_FLOW_ITEM_TYPE_ETH;
            pattern[1].type = networks[n];
            pattern[2].type = transports[t];
            pattern[3].type = RTE_FLOW_ITEM_TYPE_END;
            rte_flow_action_rss rss{};
            rss.func = RTE_ETH_HASH_FUNCTION_SYMMETRIC_TOEPLITZ;
            rss.types = types[n][t];
            rte_flow_action actions[2]{};
            actions[0].type = RTE_FLOW_ACTION_TYPE_RSS;
            actions[0].conf = &rss;
            actions[1].type = RTE_FLOW_ACTION_TYPE_END;
            rte_flow_error error{};
            if (rte_flow_create(port, &attributes, pattern, actions, &error) == nullptr) {
                return -rte_errno;
            }
        }
    }
    return 0;
}

}  // namespace

bool is_pci(const std::string& device) {
    return !device.empty() && std::isxdigit(static_cast<unsigned char>(device[0])) != 0 &&
           device.find(':') != std::string::npos;
}

bool can_spread(const Profile& outside, const Profile& inside, unsigned workers) {
    const auto can = [workers](const Profile& profile) {
        return profile.spreading != Spreading::none && profile.queues_max >= workers;
    };
    // Two different hashes would bring the two directions to different Workers.
    return workers > 1 && can(outside) && can(inside) && outside.spreading == inside.spreading;
}

Port::Port(const Request& request) : device_(request.configured.device) {
    rx_queues_ = request.spread ? request.workers : uint16_t{1};
    attach(request);
    try {
        configure(request);
        set_up_queues(request);
        start(request);
    } catch (...) {
        if (started_) rte_eth_dev_stop(id_);
        rte_eth_dev_close(id_);
        throw;
    }
}

Port::~Port() {
    rte_eth_dev_stop(id_);
    rte_eth_dev_close(id_);
    if (virtual_) rte_eal_hotplug_remove("vdev", name_.c_str());
}

void Port::fail(const std::string& doing, int error) const {
    throw SetupError(concat("port ", device_, ": ", doing, ": ", sentence(error)));
}

void Port::attach(const Request& request) {
    const std::string full = device_string(request.configured, request.profile, rx_queues_);
    name_ = full.substr(0, full.find(','));
    if (is_pci(device_)) {
        if (rte_eth_dev_get_port_by_name(name_.c_str(), &id_) == 0) return;
        throw SetupError(concat("port ", device_,
                                ": no driver took the device; bind it to vfio-pci "
                                "(dpdk-devbind.py --bind=vfio-pci ",
                                device_, ") and see that its driver is installed"));
    }
    // A device that the user made himself after "--" is taken as it is.
    if (rte_eth_dev_get_port_by_name(name_.c_str(), &id_) == 0) return;
    const size_t comma = full.find(',');
    const std::string arguments = comma == std::string::npos ? "" : full.substr(comma + 1);
    // What drivers say on stderr when it fails, the sentence below says better.
    const uint32_t level = rte_log_get_global_level();
    rte_log_set_global_level(RTE_LOG_CRIT);
    const int error = rte_eal_hotplug_add("vdev", name_.c_str(), arguments.c_str());
    rte_log_set_global_level(level);
    if (error != 0 || rte_eth_dev_get_port_by_name(name_.c_str(), &id_) != 0) {
        throw SetupError(
            concat("port ", device_,
                   ": the device can not be opened; see that the interface or file in it exists "
                   "and that this process may use it (packet sockets need root or "
                   "CAP_NET_RAW)"));
    }
    virtual_ = true;
}

void Port::configure(const Request& request) {
    const Profile& profile = request.profile;
    rte_eth_dev_info info{};
    if (const int error = rte_eth_dev_info_get(id_, &info); error != 0) {
        fail("its capabilities can not be read", error);
    }
    if (rx_queues_ > info.max_rx_queues) {
        throw SetupError(concat("port ", device_, ": has ", info.max_rx_queues,
                                " receive queues for ", rx_queues_,
                                " workers; set queues_max in its profile or lower workers"));
    }
    tx_queues_ = std::min(profile.tx_queue_each ? request.workers : rx_queues_, info.max_tx_queues);
    interrupts_ = request.interrupts && profile.interrupts;

    auto key = symmetric_key();
    if (info.hash_key_size > key.size()) {
        throw SetupError(concat("port ", device_, ": wants a hash key of ", info.hash_key_size,
                                " bytes, more than this program knows"));
    }
    rte_eth_conf conf = configuration(profile, info, rx_queues_ > 1, interrupts_, key.data());
    int error = rte_eth_dev_configure(id_, rx_queues_, tx_queues_, &conf);
    if (error != 0 && interrupts_) {
        interrupts_ = false;
        conf.intr_conf.rxq = 0;
        error = rte_eth_dev_configure(id_, rx_queues_, tx_queues_, &conf);
    }
    if (error != 0) fail("it does not take its configuration", error);
}

void Port::set_up_queues(const Request& request) {
    uint16_t rx = request.profile.rx_descriptors, tx = request.profile.tx_descriptors;
    if (const int error = rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx, &tx); error != 0) {
        fail("it does not take the number of descriptors", error);
    }
    const auto socket = static_cast<unsigned>(std::max(0, rte_eth_dev_socket_id(id_)));
    for (uint16_t queue = 0; queue < rx_queues_; ++queue) {
        const int error = rte_eth_rx_queue_setup(id_, queue, rx, socket, nullptr, request.pool);
        if (error != 0) fail(concat("receive queue ", queue), error);
    }
    for (uint16_t queue = 0; queue < tx_queues_; ++queue) {
        const int error = rte_eth_tx_queue_setup(id_, queue, tx, socket, nullptr);
        if (error != 0) fail(concat("transmit queue ", queue), error);
    }
}

void Port::start(const Request& request) {
    if (const int error = rte_eth_dev_start(id_); error != 0) fail("it does not start", error);
    started_ = true;
    // A wire carries what is addressed to others; a device that knows no
    // filters (ring, null) answers that it can not be told.
    if (const int error = rte_eth_promiscuous_enable(id_); error != 0 && error != -ENOTSUP) {
        fail("it does not become promiscuous", error);
    }
    rte_eth_allmulticast_enable(id_);
    if (rx_queues_ > 1 && request.profile.spreading == Spreading::rss_function) {
        const int error =
            ask_for_symmetric_function(id_, rx_queues_, request.profile.hash_functions);
        if (error != 0) fail("it has no symmetric hash; set spreading: none", error);
    }
}

PortState Port::state() const {
    PortState state;
    state.present = rte_eth_dev_is_valid_port(id_) != 0 && rte_eth_dev_is_removed(id_) == 0;
    if (!state.present) return state;
    rte_eth_dev_info info{};
    char interface[IF_NAMESIZE];
    if (rte_eth_dev_info_get(id_, &info) == 0 && info.if_index != 0 &&
        if_indextoname(info.if_index, interface) == nullptr) {
        state.present = false;  // The driver keeps a socket of an interface that is gone.
    }
    rte_eth_link link{};
    if (rte_eth_link_get_nowait(id_, &link) == 0) {
        state.up = state.present && link.link_status == RTE_ETH_LINK_UP;
    }
    rte_eth_stats stats{};
    if (rte_eth_stats_get(id_, &stats) == 0) {
        state.rx_missed = stats.imissed;
        state.rx_errors = stats.ierrors;
        state.rx_no_mbuf = stats.rx_nombuf;
        state.tx_errors = stats.oerrors;
    }
    return state;
}

}  // namespace portcullis::port
