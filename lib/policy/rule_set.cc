#include "policy/rule_set.h"

#include <algorithm>
#include <cassert>
#include <tuple>

#include "base/setup_error.h"
#include "config/problems.h"

namespace portcullis::policy {

namespace {

uint8_t transport_of(protocol::Protocol protocol) {
    return protocol == protocol::Protocol::minecraft ? ip_protocol_tcp : ip_protocol_udp;
}

/// Stands for whatever address the packet has; a file's 0.0.0.0 is read as this.
bool is_any(const IpAddress& address) { return address == IpAddress{}; }

static_assert(protocol::text_field_names.size() <= signatures::RuleBook::fields_max);

uint32_t bits_of(const std::vector<protocol::TextField>& fields) {
    if (fields.empty()) return ~0u >> (32 - protocol::text_field_names.size());
    uint32_t bits = 0;
    for (const protocol::TextField field : fields) bits |= 1u << static_cast<unsigned>(field);
    return bits;
}

/// A line for each signature that does not compile by itself; if all do, what
/// went wrong with all together.
[[noreturn]] void refuse_patterns(const config::Config& config, const std::string& together) {
    config::Problems problems(config.signatures_file);
    for (const config::Signature& from : config.signatures) {
        const std::string problem =
            signatures::Database::problem_with({0, from.pattern, from.caseless});
        if (problem.empty()) continue;
        problems.add(from.mark, "signature \"" + from.name +
                                    "\" has a pattern that can not be used: " + problem);
    }
    problems.throw_if_any();
    throw UsageError(config.signatures_file + ": " + together);  // setup
}

}  // namespace

RuleSet::~RuleSet() = default;

std::unique_ptr<const RuleSet> RuleSet::compile(const config::Config& config) {
    return std::unique_ptr<const RuleSet>(new RuleSet(config));  // setup
}

RuleSet::RuleSet(const config::Config& config)
    : mode_(config.mode), packet_wishes_(config.logging) {
    config::Problems problems(config.file);
    policies_.reserve(config.policies.size());
    for (const config::Policy& policy : config.policies) {
        policies_.emplace_back(policy, problems, config.workers);
    }
    add_services(config, problems);
    problems.throw_if_any();

    compile_signatures(config);
    std::ranges::sort(addresses_served_);
    std::ranges::stable_sort(listeners_, {}, [](const Listener& listener) {
        return std::tuple(listener.port, listener.ip_protocol, listener.any_address);
    });
}

void RuleSet::add_services(const config::Config& config, config::Problems& problems) {
    for (const config::Service& from : config.services) {
        const auto named = std::ranges::find(config.policies, from.policy, &config::Policy::name);
        assert(named != config.policies.end());  // Else the configuration was refused.
        const Listener listener{from.endpoint.port, transport_of(from.protocol),
                                is_any(from.endpoint.address), from.endpoint.address,
                                static_cast<int>(services_.size())};
        InFront in_front;
        try {
            in_front = InFront(from);
        } catch (const SetupError& error) {
            problems.add(from.mark, "service \"" + from.name + "\": " + error.what());
        }
        listeners_.push_back(listener);
        services_.push_back({from.name, from.protocol, from.endpoint,
                             static_cast<uint16_t>(named - config.policies.begin()),
                             std::move(in_front), from.aoi, from.unknown_types, from.reseal});
        ports_served_[listener.ip_protocol == ip_protocol_tcp ? 0 : 1].set(listener.port);
        addresses_served_.push_back(from.endpoint.address);
    }
}

void RuleSet::compile_signatures(const config::Config& config) {
    const auto workers = static_cast<uint16_t>(config.workers);
    scanners_ = std::make_unique<signatures::Scanners>(checks::Log4Shell::patterns(), workers);
    std::vector<signatures::Rule> rules;
    for (const config::Signature& from : config.signatures) {
        rules.push_back({from.name, from.pattern, from.caseless,
                         static_cast<float>(from.confidence), bits_of(from.fields)});
    }
    try {
        book_ = std::make_unique<signatures::RuleBook>(std::move(rules), workers);
    } catch (const SetupError& error) {
        refuse_patterns(config, error.what());
    }
    for (Policy& policy : policies_) {
        policy.attach(*scanners_, *book_, config::signatures_id(config.signatures_text));
    }
}

bool RuleSet::serves(const IpAddress& address) const noexcept {
    if (addresses_served_.empty()) return false;
    return is_any(addresses_served_.front()) ||  // The lowest address of all.
           std::ranges::binary_search(addresses_served_, address);
}

int RuleSet::look_up(const Endpoint& server, uint8_t ip_protocol) const noexcept {
    for (auto at = std::ranges::lower_bound(listeners_, server.port, {}, &Listener::port);
         at != listeners_.end() && at->port == server.port; ++at) {
        if (at->ip_protocol != ip_protocol) continue;
        if (at->any_address || at->address == server.address) return at->service;
    }
    return -1;
}

}  // namespace portcullis::policy
