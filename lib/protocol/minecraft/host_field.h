#pragma once

#include <string_view>

#include "protocol/event.h"

namespace portcullis::minecraft {

/// What the host field of a handshake holds: the host, and behind it, each after a zero
/// byte, what mod loaders, Floodgate and BungeeCord put there.  Views into the field.
struct HostField {
    std::string_view host;    ///< Without SRV's trailing dot.
    std::string_view loader;  ///< "FML", "FML2", "FML3" or "FORGE"; empty: none.
    bool floodgate = false;
    bool forwarded = false;  ///< There is more than markers: BungeeCord's forwarding.
    protocol::IdentityForwarded identity{.way = protocol::IdentityForwarded::Way::bungeecord};
};

HostField read_host_field(std::string_view sent) noexcept;

/// What BungeeGuard's property among `properties` (JSON) says, escapes as they are;
/// null `data()`: there is none, or it is there twice.
std::string_view bungeeguard_token(std::string_view properties) noexcept;

}  // namespace portcullis::minecraft
