#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ip.h"
#include "config/config.h"

namespace portcullis::policy {

/// What a Service's configuration says of the proxies in front of it: whose word about
/// players is believed, and what proves it.  Read-only once made.
class InFront {
public:
    static constexpr size_t secrets_max = 16;
    static constexpr size_t secret_size_max = 1024;
    static constexpr size_t signature_size = 32;

    InFront() = default;
    /// Reads the secrets.  Throws SetupError that says what is wrong with their file.
    explicit InFront(const config::Service& from);

    bool proxy_protocol() const noexcept { return proxy_protocol_; }
    config::Forwarding forwarding() const noexcept { return forwarding_; }
    bool floodgate() const noexcept { return floodgate_; }
    bool vivecraft() const noexcept { return vivecraft_; }
    /// Whether the proxies may translate between versions.
    bool translates() const noexcept { return translates_; }

    /// Whether the wire shows proxies in place of players.
    bool expected() const noexcept {
        return proxy_protocol_ || forwarding_ != config::Forwarding::none || !proxies_.empty();
    }
    /// Whether this address may speak for players.
    bool is_proxy(const IpAddress& address) const noexcept;
    /// Whether the address was named as a proxy's, not only let pass as one.
    bool is_named(const IpAddress& address) const noexcept;

    bool verifies() const noexcept { return !secrets_.empty(); }
    /// HMAC-SHA256 under one of the secrets.
    bool signed_well(Bytes signature, Bytes message) const noexcept;
    /// `token` as JSON has it, escapes as they are.
    bool has_token(std::string_view token) const noexcept;

private:
    bool proxy_protocol_ = false;
    bool floodgate_ = false;
    bool vivecraft_ = false;
    bool translates_ = false;
    config::Forwarding forwarding_ = config::Forwarding::none;
    std::vector<IpPrefix> proxies_;
    std::vector<std::string> secrets_;
};

}  // namespace portcullis::policy
