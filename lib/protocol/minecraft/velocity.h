#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/ip.h"
#include "protocol/event.h"

namespace portcullis::minecraft {

/// The plugin channel that a server asks for Velocity's modern forwarding on.
inline constexpr std::string_view velocity_channel = "velocity:player_info";

/// An address as proxies write it, of which the scope is no part.
std::optional<IpAddress> parse_forwarded_address(std::string_view text) noexcept;

/// Reads the answer: a signature of all that follows it, then address, UUID, name and
/// properties, and by its version (1 to 4) the key that the player signs his chat with.
protocol::IdentityForwarded read_velocity(Bytes data) noexcept;

}  // namespace portcullis::minecraft
