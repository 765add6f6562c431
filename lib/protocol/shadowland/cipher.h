#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/ip.h"
#include "protocol/shadowland/header.h"

/// Shadowland's cryptography: opening and sealing packets, cookies, keys of an epoch,
/// the integrity table.
namespace portcullis::shadowland {

using Key = std::array<std::byte, key_size>;

/// What opens the packets of one epoch.
struct EpochKeys {
    Key c2s{}, s2c{};
    const Key& of(Direction d) const noexcept { return d == Direction::to_server ? c2s : s2c; }
};

/// Packets' payloads, closed and open.
struct Cipher {
    /// Opens a sealed datagram into `out`, which has room for its payload.
    /// Empty when the tag is wrong.
    static Bytes open(const Header& header, Bytes datagram, const Key& key,
                      MutableBytes out) noexcept;
    /// Seals the payload that stands in `datagram` behind its written header, in
    /// place; the last 16 bytes become the tag.
    static void seal(const Header& header, MutableBytes datagram, const Key& key) noexcept;
};

enum class CookieState : uint8_t { good, expired, forged };

inline constexpr uint64_t cookie_ttl_ms = 10'000;
inline constexpr uint64_t clock_skew_max_ms = 1'000;

/// Whether a cookie that its server made at `made_ms` is taken at `now_ms`.
constexpr CookieState cookie_state_at(uint64_t made_ms, uint64_t now_ms) noexcept {
    const bool old = now_ms > made_ms && now_ms - made_ms > cookie_ttl_ms;
    const bool early = made_ms > now_ms && made_ms - now_ms > clock_skew_max_ms;
    return old || early ? CookieState::expired : CookieState::good;
}

/// HMAC-SHA256 for cookies and for the integrity table.  Keeps what it made of the secret
/// it was asked for last, since a flood asks for one and the same.
class Authenticator {
public:
    static constexpr size_t mac_size = 32;
    static constexpr size_t secret_size_max = 64;

    Authenticator();
    ~Authenticator();
    Authenticator(const Authenticator&) = delete;
    Authenticator& operator=(const Authenticator&) = delete;

    using Mac = std::array<std::byte, mac_size>;

    /// Whether a holder of the secret made this cookie for this client and key, at any time.
    bool cookie_holds(Bytes secret, Bytes cookie, const Endpoint& client,
                      Bytes public_key) noexcept;

    CookieState judge_cookie(Bytes secret, Bytes cookie, const Endpoint& client, Bytes public_key,
                             uint64_t now_ms) noexcept;
    /// A cookie as a server makes it; `nonce` has 8 bytes.
    std::array<std::byte, cookie_size> make_cookie(Bytes secret, const Endpoint& client,
                                                   Bytes public_key, uint64_t now_ms,
                                                   uint64_t nonce) noexcept;
    static constexpr size_t integrity_key_size = 16;
    /// The entry of the integrity table.
    std::array<std::byte, integrity_key_size> integrity_key(Bytes secret, uint32_t build,
                                                            uint16_t index) noexcept;
    /// Whether `key` is the entry of the integrity table that was asked for.
    bool integrity_key_holds(Bytes secret, uint32_t build, uint16_t index, Bytes key) noexcept;

private:
    struct Pads;
    Mac mac(Bytes secret, Bytes message) noexcept;

    std::unique_ptr<Pads> pads_;
};

/// The keys of an epoch from the shared X25519 secret.  Slow: for tests and the
/// load generator; a Worker is given keys.
EpochKeys derive_keys(Bytes shared, Bytes client_public, Bytes server_public,
                      uint32_t connection_id, uint32_t epoch);

}  // namespace portcullis::shadowland
