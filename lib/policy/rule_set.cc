#include "policy/rule_set.h"

#include <algorithm>
#include <tuple>

#include "base/setup_error.h"

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
std::string pattern_problems(const config::Config& config, const std::string& together) {
    std::string lines;
    for (const config::Signature& from : config.signatures) {
        const std::string problem =
            signatures::Database::problem_with({0, from.pattern, from.caseless});
        if (problem.empty()) continue;
        lines += (lines.empty() ? "" : "\n") + config.signatures_file + ':' +
                 std::to_string(from.mark.line) + ':' + std::to_string(from.mark.column) +
                 ": signature \"" + from.name + "\" has a pattern that can not be used: " + problem;
    }
    return lines.empty() ? config.signatures_file + ": " + together : lines;
}

}  // namespace

RuleSet::~RuleSet() = default;

std::unique_ptr<const RuleSet> RuleSet::compile(const config::Config& config) {
    return std::unique_ptr<const RuleSet>(new RuleSet(config));
}

RuleSet::RuleSet(const config::Config& config)
    : mode_(config.mode), packet_wishes_(config.logging) {
    std::string problems;
    const auto note = [&](const std::string& line) {
        problems += (problems.empty() ? "" : "\n") + line;
    };
    const auto at = [&](const config::Mark& mark) {
        return (config.file.empty() ? "built-in" : config.file) + ':' + std::to_string(mark.line) +
               ':' + std::to_string(mark.column) + ": ";
    };

    policies_.reserve(config.policies.size());
    for (const config::Policy& policy : config.policies) {
        try {
            policies_.emplace_back(policy, config.file, config.workers);
        } catch (const UsageError& error) {
            note(error.what());
        }
    }

    for (const config::Service& from : config.services) {
        const auto named = std::ranges::find(config.policies, from.policy, &config::Policy::name);
        if (named == config.policies.end()) {
            std::string known;
            for (const config::Policy& policy : config.policies) {
                known += (known.empty() ? "" : ", ") + policy.name;
            }
            note(at(from.mark) + "service \"" + from.name + "\" has policy \"" + from.policy +
                 "\", allowed: " + known);
            continue;
        }
        const Listener listener{from.endpoint.port, transport_of(from.protocol),
                                is_any(from.endpoint.address), from.endpoint.address,
                                static_cast<int>(services_.size())};
        for (const Listener& other : listeners_) {
            const bool same_address =
                listener.any_address ? other.any_address : other.address == listener.address;
            if (!same_address || other.port != listener.port ||
                other.ip_protocol != listener.ip_protocol) {
                continue;
            }
            note(at(from.mark) + "service \"" + from.name + "\" is at " + to_string(from.endpoint) +
                 ", where \"" + services_[static_cast<size_t>(other.service)].name +
                 "\" already is; allowed: one service an address and port");
        }
        InFront in_front;
        try {
            in_front = InFront(from);
        } catch (const SetupError& error) {
            note(at(from.mark) + "service \"" + from.name + "\": " + error.what());
        }
        listeners_.push_back(listener);
        services_.push_back({from.name, from.protocol, from.endpoint,
                             static_cast<uint16_t>(named - config.policies.begin()),
                             std::move(in_front), from.aoi, from.unknown_types, from.reseal});
        ports_served_[listener.ip_protocol == ip_protocol_tcp ? 0 : 1].set(listener.port);
        addresses_served_.push_back(from.endpoint.address);
    }
    if (!problems.empty()) throw UsageError(problems);

    compile_signatures(config);
    std::ranges::sort(addresses_served_);
    std::ranges::stable_sort(listeners_, {}, [](const Listener& listener) {
        return std::tuple(listener.port, listener.ip_protocol, listener.any_address);
    });
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
        throw UsageError(pattern_problems(config, error.what()));
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
