#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.h"
#include "port/profile.h"

struct rte_mempool;

namespace portcullis::port {

/// What the driver has counted, and whether there is still somebody to count.
struct PortState {
    bool present = true;  ///< False once the device is gone.
    bool up = false;
    uint64_t rx_missed = 0, rx_errors = 0, rx_no_mbuf = 0, tx_errors = 0;
};

/// One end of a Wire: an ethdev, set up by its profile and started.
class Port {
public:
    struct Request {
        config::Port configured;
        Profile profile;
        uint16_t workers = 1;
        bool spread = false;  ///< A receive queue for every Worker: see `can_spread`.
        bool interrupts = false;
        /// Receive buffers; all queues share it (a mempool keeps a cache a core).
        rte_mempool* pool = nullptr;
    };

    /// Creates or finds the device, sets up its queues, starts it.
    /// Throws SetupError: one sentence, what is wrong and what to do.
    explicit Port(const Request& request);
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;
    ~Port();

    uint16_t id() const noexcept { return id_; }
    const std::string& device() const noexcept { return device_; }
    uint16_t rx_queues() const noexcept { return rx_queues_; }
    uint16_t tx_queues() const noexcept { return tx_queues_; }
    bool interrupts() const noexcept { return interrupts_; }

    /// Asks the driver; for Control, not for Workers.
    PortState state() const;

private:
    void attach(const Request& request);
    void configure(const Request& request);
    void set_up_queues(const Request& request);
    void start(const Request& request);
    [[noreturn]] void fail(const std::string& doing, int error) const;

    uint16_t id_ = 0;
    uint16_t rx_queues_ = 1, tx_queues_ = 1;
    bool interrupts_ = false;
    bool virtual_ = false;
    bool started_ = false;
    std::string device_;  ///< As configured.
    std::string name_;    ///< As DPDK calls it.
};

/// Whether both ends of a wire can bring a flow to the same Worker by themselves.
/// Decided before the ports are opened, for a port with queues that nobody reads
/// would lose what falls into them.
bool can_spread(const Profile& outside, const Profile& inside, unsigned workers);

/// Whether the device is a PCI address rather than a virtual device.
bool is_pci(const std::string& device);

}  // namespace portcullis::port
