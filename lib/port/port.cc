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
#include "port/interface.h"

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

/// What drivers say on stderr when a device is not there, our sentence says better.
class Hush {
public:
    Hush() : level_(rte_log_get_global_level()) { rte_log_set_global_level(RTE_LOG_CRIT); }
    ~Hush() { rte_log_set_global_level(level_); }
    Hush(const Hush&) = delete;
    Hush& operator=(const Hush&) = delete;

private:
    const uint32_t level_;
};

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

/// While it lives, those who ask how the port is are told that it is being reopened.
class Port::Reopening {
public:
    explicit Reopening(Port& port) : port_(port) { tell(true); }
    ~Reopening() { tell(false); }
    Reopening(const Reopening&) = delete;
    Reopening& operator=(const Reopening&) = delete;

private:
    void tell(bool reopening) {
        const std::lock_guard lock(port_.last_mutex_);
        port_.reopening_ = reopening;
    }

    Port& port_;
};

Port::Port(const Request& request) : request_(request) {
    rx_queues_ = request.spread ? request.workers : uint16_t{1};
    open();
}

Port::~Port() { close(); }

void Port::open() {
    try {
        attach();
        attached_ = true;
        configure();
        set_up_queues();
        start();
    } catch (...) {
        close();
        throw;
    }
    door_.open(id_);
}

void Port::close() noexcept {
    door_.shut();
    if (held_) set_link_now(true);  // Nobody else will.
    held_ = false;
    if (started_) rte_eth_dev_stop(id_);
    if (attached_) rte_eth_dev_close(id_);
    if (virtual_) rte_eal_hotplug_remove("vdev", name_.c_str());
    started_ = attached_ = virtual_ = false;
}

void Port::reopen() {
    const Reopening reopening(*this);
    const std::lock_guard lock(device_mutex_);
    if (attached_) before_ = counted();
    close();
    if (is_pci(device())) rte_eal_hotplug_remove("pci", name_.c_str());
    const uint16_t rx_queues = rx_queues_, tx_queues = tx_queues_;
    open();
    // Who reads and sends by which queue is settled since the start.
    if (rx_queues_ == rx_queues && tx_queues_ == tx_queues) {
        ++reopened_;
        return;
    }
    close();
    throw SetupError(concat("port ", device(), ": came back with ", tx_queues_,
                            " transmit queues instead of ", tx_queues, "; restart"));
}

void Port::fail(const std::string& doing, int error) const {
    throw SetupError(concat("port ", device(), ": ", doing, ": ", sentence(error)));
}

void Port::attach_pci() {
    // At the start EAL has probed it; a card that was pulled is probed anew.
    if (rte_eth_dev_get_port_by_name(name_.c_str(), &id_) == 0) return;
    const Hush hush;
    if (rte_eal_hotplug_add("pci", name_.c_str(), "") == 0 &&
        rte_eth_dev_get_port_by_name(name_.c_str(), &id_) == 0)
        return;
    throw SetupError(concat("port ", device(),
                            ": no driver took the device; bind it to vfio-pci "
                            "(dpdk-devbind.py --bind=vfio-pci ",
                            device(), ") and see that its driver is installed"));
}

void Port::attach() {
    const std::string full = device_string(request_.configured, request_.profile, rx_queues_);
    name_ = full.substr(0, full.find(','));
    if (is_pci(device())) return attach_pci();
    // A device that the user made himself after "--" is taken as it is.
    if (rte_eth_dev_get_port_by_name(name_.c_str(), &id_) == 0) return;
    const size_t comma = full.find(',');
    const std::string arguments = comma == std::string::npos ? "" : full.substr(comma + 1);
    const Hush hush;
    const int error = rte_eal_hotplug_add("vdev", name_.c_str(), arguments.c_str());
    if (error != 0 || rte_eth_dev_get_port_by_name(name_.c_str(), &id_) != 0) {
        throw SetupError(
            concat("port ", device(),
                   ": the device can not be opened; see that the interface or file in it exists "
                   "and that this process may use it (packet sockets need root or "
                   "CAP_NET_RAW)"));
    }
    virtual_ = true;
}

void Port::configure() {
    const Profile& profile = request_.profile;
    rte_eth_dev_info info{};
    if (const int error = rte_eth_dev_info_get(id_, &info); error != 0) {
        fail("its capabilities can not be read", error);
    }
    if (rx_queues_ > info.max_rx_queues) {
        throw SetupError(concat("port ", device(), ": has ", info.max_rx_queues,
                                " receive queues for ", rx_queues_,
                                " workers; set queues_max in its profile or lower workers"));
    }
    tx_queues_ =
        std::min(profile.tx_queue_each ? request_.workers : rx_queues_, info.max_tx_queues);
    interrupts_ = request_.interrupts && profile.interrupts;

    auto key = symmetric_key();
    if (info.hash_key_size > key.size()) {
        throw SetupError(concat("port ", device(), ": wants a hash key of ", info.hash_key_size,
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

void Port::set_up_queues() {
    uint16_t rx = request_.profile.rx_descriptors, tx = request_.profile.tx_descriptors;
    if (const int error = rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx, &tx); error != 0) {
        fail("it does not take the number of descriptors", error);
    }
    const auto socket = static_cast<unsigned>(std::max(0, rte_eth_dev_socket_id(id_)));
    for (uint16_t queue = 0; queue < rx_queues_; ++queue) {
        const int error = rte_eth_rx_queue_setup(id_, queue, rx, socket, nullptr, request_.pool);
        if (error != 0) fail(concat("receive queue ", queue), error);
    }
    for (uint16_t queue = 0; queue < tx_queues_; ++queue) {
        const int error = rte_eth_tx_queue_setup(id_, queue, tx, socket, nullptr);
        if (error != 0) fail(concat("transmit queue ", queue), error);
    }
}

void Port::start() {
    if (const int error = rte_eth_dev_start(id_); error != 0) fail("it does not start", error);
    started_ = true;
    // A wire carries what is addressed to others; a device that knows no
    // filters (ring, null) answers that it can not be told.
    if (const int error = rte_eth_promiscuous_enable(id_); error != 0 && error != -ENOTSUP) {
        fail("it does not become promiscuous", error);
    }
    rte_eth_allmulticast_enable(id_);
    // A process that was killed may have left it held down.
    if (request_.sets_link && interface() != 0) set_interface(interface(), true);
    if (rx_queues_ > 1 && request_.profile.spreading == Spreading::rss_function) {
        const int error =
            ask_for_symmetric_function(id_, rx_queues_, request_.profile.hash_functions);
        if (error != 0) fail("it has no symmetric hash; set spreading: none", error);
    }
}

PortState Port::state() const {
    const std::unique_lock device(device_mutex_, std::try_to_lock);
    const std::lock_guard lock(last_mutex_);
    if (device.owns_lock()) {
        last_ = ask();
    } else if (reopening_) {
        last_.present = last_.up = false;
    }
    return last_;
}

PortState Port::ask() const {
    PortState state = attached_ ? counted() : before_;
    state.reopened = reopened_;
    state.held = held_;
    state.held_times = held_times_;
    state.hold_failures = hold_failures_;
    state.present = present();
    state.up = state.present && link_is_up();
    return state;
}

bool Port::present() const {
    if (!attached_ || rte_eth_dev_is_valid_port(id_) == 0) return false;
    if (rte_eth_dev_is_removed(id_) != 0) return false;
    char name[IF_NAMESIZE];
    const unsigned index = interface();
    // The driver keeps a socket of an interface that is gone.
    return index == 0 || if_indextoname(index, name) != nullptr;
}

bool Port::link_is_up() const {
    rte_eth_link link{};
    if (!door_.is_open() || rte_eth_link_get_nowait(id_, &link) != 0) return false;
    const unsigned index = interface();
    return link.link_status == RTE_ETH_LINK_UP && (index == 0 || interface_has_link(index));
}

/// The kernel's interface below it; 0: there is none.
unsigned Port::interface() const {
    rte_eth_dev_info info{};
    return rte_eth_dev_info_get(id_, &info) == 0 ? info.if_index : 0;
}

/// Without the lock while somebody reopens it, which a driver may never come back from.
std::unique_lock<std::timed_mutex> Port::device_unless_reopening() const {
    constexpr auto look_again = std::chrono::milliseconds(1);
    std::unique_lock device(device_mutex_, std::defer_lock);
    while (true) {
        {
            const std::lock_guard lock(last_mutex_);
            if (reopening_) return device;
        }
        if (device.try_lock_for(look_again)) return device;
    }
}

bool Port::has_link() const {
    const auto device = device_unless_reopening();
    return device.owns_lock() && present() && link_is_up();
}

int Port::set_link(bool up) {
    const auto device = device_unless_reopening();
    if (!device.owns_lock()) return -ENODEV;
    const int error = present() ? set_link_now(up) : -ENODEV;
    if (error != 0) {
        ++hold_failures_;
        return error;
    }
    if (!up && !held_) ++held_times_;
    held_ = !up;
    return 0;
}

int Port::set_link_now(bool up) noexcept {
    const int error = up ? rte_eth_dev_set_link_up(id_) : rte_eth_dev_set_link_down(id_);
    if (error != -ENOTSUP) return error;
    const unsigned index = interface();
    return index == 0 ? -ENOTSUP : set_interface(index, up);
}

/// What this device has counted, and those before it.
PortState Port::counted() const {
    PortState state = before_;
    rte_eth_stats stats{};
    if (rte_eth_stats_get(id_, &stats) != 0) return state;
    state.rx_missed += stats.imissed;
    state.rx_errors += stats.ierrors;
    state.rx_no_mbuf += stats.rx_nombuf;
    state.tx_errors += stats.oerrors;
    return state;
}

}  // namespace portcullis::port
