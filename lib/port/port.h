#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "config/config.h"
#include "port/door.h"
#include "port/profile.h"

struct rte_mempool;

namespace portcullis::port {

/// What the driver has counted, and whether there is still somebody to count.
struct PortState {
    bool present = true;  ///< False once the device is gone.
    bool up = false;
    bool held = false;      ///< Its link is set down, since the wire's other port has none.
    uint64_t reopened = 0;  ///< How often it went and came back.
    uint64_t held_times = 0, hold_failures = 0;
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
        bool sets_link = false;  ///< `set_link` will be used, so whatever held it before ends.
        /// Receive buffers; all queues share it (a mempool keeps a cache a core).
        rte_mempool* pool = nullptr;
    };

    /// Creates or finds the device, sets up its queues, starts it.
    /// Throws SetupError: one sentence, what is wrong and what to do.
    explicit Port(const Request& request);
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;
    ~Port();

    /// By which Workers know whether they may use it; lives as long as this object.
    const Door& door() const noexcept { return door_; }
    const std::string& device() const noexcept { return request_.configured.device; }
    uint16_t rx_queues() const noexcept { return rx_queues_; }
    uint16_t tx_queues() const noexcept { return tx_queues_; }
    bool interrupts() const noexcept { return interrupts_; }

    /// Asks the driver; for Control, not for Workers.  From any thread; while it is being
    /// reopened, which can take long, it is as it was, and gone.
    PortState state() const;

    /// Whether the device is there and has a link; cheaper than `state`.  One that is being
    /// reopened has none, and is not waited for.
    bool has_link() const;
    /// Sets its link down, or up again, by the driver or else by the kernel's interface below
    /// it.  May take long.  0, or a negative errno: -ENOTSUP when neither can, -ENODEV while it
    /// is gone or being reopened.
    int set_link(bool up);

    /// Shuts the door.  The device itself stays until `reopen`.
    void shut() noexcept { door_.shut(); }
    /// With the door shut and no Worker inside: gives up the device that went and
    /// tries to open it anew.  Throws SetupError when it is not back.
    void reopen();

private:
    class Reopening;

    void open();
    void close() noexcept;
    void attach();
    void attach_pci();
    void configure();
    void set_up_queues();
    void start();
    std::unique_lock<std::timed_mutex> device_unless_reopening() const;
    PortState ask() const;
    bool present() const;
    bool link_is_up() const;
    int set_link_now(bool up) noexcept;
    PortState counted() const;
    unsigned interface() const;
    [[noreturn]] void fail(const std::string& doing, int error) const;

    const Request request_;
    Door door_;
    /// Held by who reopens it, sets its link or asks its driver.  Nobody waits for who reopens.
    mutable std::timed_mutex device_mutex_;
    mutable std::mutex last_mutex_;
    mutable PortState last_;  ///< As it was told, under `last_mutex_`.
    bool reopening_ = false;  ///< Likewise.
    uint16_t id_ = 0;
    uint16_t rx_queues_ = 1, tx_queues_ = 1;
    bool interrupts_ = false;
    bool virtual_ = false;
    bool attached_ = false;
    bool started_ = false;
    uint64_t reopened_ = 0;
    bool held_ = false;
    uint64_t held_times_ = 0, hold_failures_ = 0;
    PortState before_;  ///< What was counted before it went.
    std::string name_;  ///< As DPDK calls it.
};

/// Whether both ends of a wire can bring a flow to the same Worker by themselves.
/// Decided before the ports are opened, for a port with queues that nobody reads
/// would lose what falls into them.
bool can_spread(const Profile& outside, const Profile& inside, unsigned workers);

/// Whether the device is a PCI address rather than a virtual device.
bool is_pci(const std::string& device);

}  // namespace portcullis::port
