#pragma once

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// Forwarding: somebody pretends to be the proxy in front, to come in under another
/// player's name or from another address.
///
/// With a secret configured a wrong signature or token is certain, unless the
/// configured secret is not the proxy's.  So is forwarding from an address that is not
/// among the configured proxies: no game client sends any.  Whoever has none, where the
/// service is configured for it, came past the proxy, and the server refuses him; that,
/// and forwarding that nobody configured, may be a matter of set-up and is only logged.
/// Blind: where neither secrets nor proxies are configured, all that is said is believed.
class Forwarding {
public:
    static constexpr std::string_view name = "identity.forwarding";
    static constexpr float weight = 10;  ///< One is enough.

    struct Settings {};

    void on(const protocol::ForwardingRefused& refused, const Player&, const Settings&,
            Findings& out) noexcept {
        const auto index = static_cast<size_t>(refused.why);
        if (index >= confidences.size()) return;
        out.add(confidences[index], {.observed = 1,
                                     .limit = 0,
                                     .unit = "claims",
                                     .note = protocol::forwarding_refused_names[index]});
    }

private:
    using Why = protocol::ForwardingRefused::Why;
    static constexpr std::array<float, static_cast<size_t>(Why::count)> confidences = {
        1.0f,  // forged
        1.0f,  // stranger
        0.9f,  // missing
        0.9f,  // unreadable
        0.3f,  // unexpected
    };
};

}  // namespace portcullis::checks
