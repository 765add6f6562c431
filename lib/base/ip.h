#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace portcullis {

/// An IPv6 address, or an IPv4 one in its mapped form ::ffff:a.b.c.d
/// (RFC 4291 2.5.5.2), so that one key type serves both.
struct IpAddress {
    std::array<uint8_t, 16> octets{};

    static constexpr IpAddress v4(uint32_t host_order) noexcept {
        IpAddress a;
        a.octets[10] = a.octets[11] = 0xff;
        for (unsigned i = 0; i < 4; ++i) {
            a.octets[12 + i] = static_cast<uint8_t>(host_order >> (24 - 8 * i));
        }
        return a;
    }
    constexpr bool is_v4() const noexcept {
        for (unsigned i = 0; i < 10; ++i) {
            if (octets[i] != 0) return false;
        }
        return octets[10] == 0xff && octets[11] == 0xff;
    }
    constexpr uint32_t as_v4() const noexcept {
        return uint32_t{octets[12]} << 24 | uint32_t{octets[13]} << 16 | uint32_t{octets[14]} << 8 |
               uint32_t{octets[15]};
    }
    constexpr auto operator<=>(const IpAddress&) const noexcept = default;
};

/// IANA's numbers of the protocols that IP carries.
inline constexpr uint8_t ip_protocol_tcp = 6;
inline constexpr uint8_t ip_protocol_udp = 17;

struct Endpoint {
    IpAddress address;
    uint16_t port = 0;
    constexpr auto operator<=>(const Endpoint&) const noexcept = default;
};

/// The addresses that share their first `bits` bits, counted over all 128
/// (an IPv4 /24 has 120).
struct IpPrefix {
    IpAddress address;
    uint8_t bits = 128;

    bool contains(const IpAddress& a) const noexcept;
    constexpr bool operator==(const IpPrefix&) const noexcept = default;
};

/// "10.0.0.2" or "2001:db8::1".
std::optional<IpAddress> parse_address(std::string_view text) noexcept;
/// "10.0.0.2:25565" or "[2001:db8::1]:25565".
std::optional<Endpoint> parse_endpoint(std::string_view text);
/// "10.0.0.0/8", "2001:db8::/32", or an address alone.
std::optional<IpPrefix> parse_prefix(std::string_view text);

std::string to_string(const IpAddress& address);
std::string to_string(const Endpoint& endpoint);
std::string to_string(const IpPrefix& prefix);

}  // namespace portcullis
