#pragma once

#include <algorithm>

#include "base/ip.h"

namespace portcullis {

/// Of a mapped IPv4 address, before its four octets; shorter prefixes are of IPv6 alone.
inline constexpr unsigned v4_bits = 96;

/// Without the bits that a prefix of this length does not look at.
inline IpAddress masked(IpAddress address, unsigned bits) noexcept {
    for (unsigned i = 0; i < address.octets.size(); ++i) {
        const unsigned kept = std::clamp(bits, i * 8, i * 8 + 8) - i * 8;
        address.octets[i] = static_cast<uint8_t>(address.octets[i] & 0xff00u >> kept);
    }
    return address;
}

}  // namespace portcullis
