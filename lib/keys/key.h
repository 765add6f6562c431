#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <variant>

#include "base/bytes.h"
#include "base/ip.h"

/// Secrets that servers and proxies lend us so that we can read what they encrypt.
/// Plain values that cross rings; never logged, never in a record or a message.
namespace portcullis::keys {

/// The shared secret of one Minecraft connection: AES-128-CFB8, both directions.
struct MinecraftKey {
    Endpoint client, server;
    std::array<std::byte, 16> secret;
};

/// The two keys of one epoch of a Shadowland connection.
struct ShadowlandKey {
    Endpoint client, server;
    uint32_t connection_id = 0;
    uint32_t epoch = 0;
    std::array<std::byte, 32> to_server, to_client;
};

/// What a Shadowland server keeps for all its connections; each may be unknown.
struct ShadowlandSecrets {
    static constexpr size_t integrity_size_max = 64;

    Endpoint server;
    std::array<std::byte, 32> cookie;
    std::array<std::byte, integrity_size_max> integrity;
    uint8_t integrity_size = 0;  ///< 0: unknown.
    bool has_cookie = false;

    Bytes integrity_secret() const noexcept { return Bytes(integrity).first(integrity_size); }
};

using Key = std::variant<MinecraftKey, ShadowlandKey, ShadowlandSecrets>;
static_assert(std::is_trivially_copyable_v<Key>);

}  // namespace portcullis::keys
