#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ip.h"
#include "config/config.h"
#include "policy/in_front.h"
#include "policy/packet_wishes.h"
#include "policy/policy.h"
#include "protocol/protocol.h"
#include "signatures/rule_book.h"
#include "signatures/scanner.h"

namespace portcullis::policy {

/// Everything the Workers judge by, compiled from one Config: services, checks'
/// settings, ladders, exemptions, signatures.  Read-only once compiled, shared
/// by all Workers, replaced whole under RCU.
class RuleSet {
public:
    struct Service {
        std::string name;
        protocol::Protocol protocol{};
        Endpoint endpoint;
        uint16_t policy = 0;  ///< For `policy`.
        InFront in_front{};
        config::Aoi aoi{};
        config::UnknownTypes unknown_types{};
        bool reseal = false;
    };

    /// Throws UsageError (file:line:column) for what only shows now, such as the
    /// name of a check that does not exist; one line a problem.  `config` has passed
    /// the checks of a file: services have policies and an address each.
    static std::unique_ptr<const RuleSet> compile(const config::Config& config);

    RuleSet(const RuleSet&) = delete;
    RuleSet& operator=(const RuleSet&) = delete;
    ~RuleSet();

    /// The service at this server address; -1: none.
    /// An exact address goes before a service at any address.
    int service_at(const Endpoint& server, uint8_t ip_protocol) const noexcept {
        const size_t transport = ip_protocol == ip_protocol_tcp ? 0 : 1;
        if (ip_protocol != ip_protocol_tcp && ip_protocol != ip_protocol_udp) return -1;
        if (!ports_served_[transport][server.port]) return -1;
        return look_up(server, ip_protocol);
    }
    /// Whether a service is at this address, at whatever port.
    bool serves(const IpAddress& address) const noexcept;

    /// Whether verdicts are acted upon; else they are only written down.
    bool enforcing() const noexcept { return mode_ == verdicts::Mode::enforce; }
    verdicts::Mode mode() const noexcept { return mode_; }

    size_t services() const noexcept { return services_.size(); }
    const Service& service(size_t index) const noexcept { return services_[index]; }
    size_t policies() const noexcept { return policies_.size(); }
    const Policy& policy(size_t index) const noexcept { return policies_[index]; }
    /// The policy of a service, by the service's index.
    const Policy& policy_of(size_t service) const noexcept {
        return policies_[services_[service].policy];
    }

    const PacketWishes& packet_wishes() const noexcept { return packet_wishes_; }

private:
    explicit RuleSet(const config::Config& config);
    int look_up(const Endpoint& server, uint8_t ip_protocol) const noexcept;
    void add_services(const config::Config& config, config::Problems& problems);
    void compile_signatures(const config::Config& config);

    struct Listener {
        uint16_t port;
        uint8_t ip_protocol;
        bool any_address;
        IpAddress address;
        int service;
    };

    verdicts::Mode mode_;
    /// What checks look for in texts, with scratch memory for each Worker.
    std::unique_ptr<signatures::Scanners> scanners_;
    std::unique_ptr<signatures::RuleBook> book_;
    /// 8 KiB a transport: nearly every packet that is for no Service ends here.
    std::array<std::bitset<65536>, 2> ports_served_;
    std::vector<Listener> listeners_;          ///< By port; any address last.
    std::vector<IpAddress> addresses_served_;  ///< Sorted; `IpAddress{}` stands for all.
    std::vector<Service> services_;
    std::vector<Policy> policies_;
    PacketWishes packet_wishes_;
};

}  // namespace portcullis::policy
