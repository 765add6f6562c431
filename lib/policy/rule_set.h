#pragma once

#include <cstdint>
#include <memory>

#include "base/ip.h"
#include "config/config.h"

namespace portcullis::policy {

/// Everything the Workers judge by, compiled from one Config: services, checks'
/// settings, ladders, exemptions, signatures.  Read-only once compiled, shared
/// by all Workers, replaced whole under RCU.
class RuleSet {
public:
    /// Throws UsageError (file:line:column) for what only shows now, such as the
    /// name of a check that does not exist.
    static std::unique_ptr<const RuleSet> compile(const config::Config& config);

    /// The service at this server address, IP protocol 6 (TCP) or 17 (UDP); -1: none.
    int service_at(const Endpoint& server, uint8_t ip_protocol) const noexcept;
};

}  // namespace portcullis::policy
