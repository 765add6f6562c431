#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/ip.h"
#include "base/spread.h"

namespace portcullis {

/// The 5-tuple of a connection, the same for both directions: the smaller
/// endpoint comes first.  VLAN tags are not part of it, since a connection may
/// be tagged one way only.
struct alignas(8) FlowKey {
    Endpoint low, high;
    uint8_t protocol = 0;  ///< IP protocol number.
    std::array<uint8_t, 3> zero{};

    static FlowKey of(const Endpoint& source, const Endpoint& destination,
                      uint8_t protocol) noexcept {
        return in_order(source, destination) ? FlowKey{source, destination, protocol}
                                             : FlowKey{destination, source, protocol};
    }
    /// Whether `source` is `low` in the key; any total order does.
    static bool in_order(const Endpoint& source, const Endpoint& destination) noexcept {
        return std::memcmp(&source, &destination, sizeof source) <= 0;
    }

    using Words = std::array<uint64_t, 5>;
    Words words() const noexcept { return std::bit_cast<Words>(*this); }
    bool operator==(const FlowKey& other) const noexcept {
        const Words a = words(), b = other.words();
        return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4])) == 0;
    }
};
static_assert(sizeof(FlowKey) == 40);

/// Where a key goes in a table.  Keyed by a secret: who does not know it can not
/// choose addresses and ports that fall on one another, as he could with a CRC.
class FlowHash {
public:
    constexpr explicit FlowHash(uint64_t secret) noexcept
        : secret_(spread(secret ^ 0x9e3779b97f4a7c15u)) {}

    uint64_t operator()(const FlowKey& key) const noexcept { return (*this)(key.words()); }
    /// Of another name that is as long.
    uint64_t operator()(const FlowKey::Words& w) const noexcept {
        const uint64_t a = fold(w[0] ^ secret_, w[1] ^ 0xa0761d6478bd642fu);
        const uint64_t b = fold(w[2] ^ std::rotl(secret_, 32), w[3] ^ 0xe7037ed1a0b428dbu);
        return spread(fold(a ^ w[4] ^ 0x8ebc6af09c88c6e3u, b ^ secret_));
    }

private:
    static uint64_t fold(uint64_t a, uint64_t b) noexcept {
        __extension__ using Wide = unsigned __int128;
        const Wide product = Wide{a} * b;
        return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
    }
    uint64_t secret_;
};

/// A key with its hash, which is made once a packet and serves every table.
struct HashedKey {
    FlowKey key;
    uint64_t hash = 0;
};

}  // namespace portcullis
