#pragma once

#include <algorithm>

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// Handshake: an address or a port that no client connects to.
///
/// The client writes what was typed into its list, so nearly anything is honest: names
/// behind port forwarding, trailing dots, the marks of Forge and of filters in front.
/// Vanilla takes 255 characters, without the marks that begin with a zero byte.
/// Pingers leave out host and port.  So nothing here is certain but control characters
/// before those marks, sent to forge lines in logs.
/// What a proxy forwards stands behind such a byte too.
class IdentityHandshake {
public:
    static constexpr std::string_view name = "identity.handshake";
    static constexpr float weight = 4;

    struct Settings {};

    void on(const protocol::Handshake& handshake, const Player&, const Settings&,
            Findings& out) noexcept {
        const std::string_view host = handshake.host.substr(0, handshake.host.find('\0'));
        const auto size = static_cast<double>(host.size());
        const bool logs_in = handshake.next != protocol::Handshake::Next::status;
        if (std::ranges::any_of(host, is_control)) {
            out.add(certain, {.observed = size, .unit = "bytes", .note = "control characters"});
        } else if (size > host_bytes_max) {
            out.add(
                long_host,
                {.observed = size, .limit = host_bytes_max, .unit = "bytes", .note = "long host"});
        } else if (logs_in && host.empty()) {
            out.add(hint, {.observed = 0, .limit = 1, .unit = "bytes", .note = "no host"});
        } else if (logs_in && handshake.port == 0) {
            out.add(hint, {.observed = 0, .limit = 1, .unit = "port", .note = "no port"});
        }
    }

private:
    static constexpr double host_bytes_max = 3 * 255;  ///< 255 characters at their longest.
    static constexpr float certain = 0.97f;
    static constexpr float long_host = 0.9f;
    static constexpr float hint = 0.3f;

    static constexpr bool is_control(char c) noexcept {
        return static_cast<uint8_t>(c) < 0x20 || c == 0x7f;
    }
};

}  // namespace portcullis::checks
