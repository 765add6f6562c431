#include "base/ip.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>

#include "base/ip_mask.h"

namespace portcullis {

namespace {

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

bool IpPrefix::contains(const IpAddress& a) const noexcept {
    // A short IPv6 prefix is of IPv6 alone, though IPv4 is written as a part of it.
    if (bits < v4_bits && a.is_v4()) return false;
    const unsigned whole = bits / 8u;
    if (std::memcmp(a.octets.data(), address.octets.data(), whole) != 0) return false;
    const unsigned rest = bits % 8u;
    if (rest == 0) return true;
    const auto mask = static_cast<uint8_t>(0xffu << (8 - rest));
    return ((a.octets[whole] ^ address.octets[whole]) & mask) == 0;
}

std::optional<IpAddress> parse_address(std::string_view text) noexcept {
    // A zero within would end it for inet_pton, and what lies behind would be believed.
    std::array<char, INET6_ADDRSTRLEN> z{};
    if (text.size() >= z.size() || text.contains('\0')) return std::nullopt;
    std::copy(text.begin(), text.end(), z.begin());
    if (in_addr v4{}; inet_pton(AF_INET, z.data(), &v4) == 1) {
        return IpAddress::v4(ntohl(v4.s_addr));
    }
    IpAddress address;
    if (inet_pton(AF_INET6, z.data(), address.octets.data()) == 1) return address;
    return std::nullopt;
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    } else if (host.contains(':')) {
        return std::nullopt;
    }
    const auto address = parse_address(host);
    const auto port = parse_number<uint16_t>(text.substr(colon + 1));
    if (!address || !port) return std::nullopt;
    return Endpoint{*address, *port};
}

std::optional<IpPrefix> parse_prefix(std::string_view text) {
    const size_t slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address) return std::nullopt;
    if (slash == std::string_view::npos) return IpPrefix{*address, 128};
    const auto bits = parse_number<unsigned>(text.substr(slash + 1));
    if (!bits || *bits > (address->is_v4() ? 32u : 128u)) return std::nullopt;
    const auto all = static_cast<uint8_t>(address->is_v4() ? *bits + v4_bits : *bits);
    return IpPrefix{masked(*address, all), all};
}

std::string to_string(const IpAddress& address) {
    char text[INET6_ADDRSTRLEN];
    if (address.is_v4()) {
        inet_ntop(AF_INET, address.octets.data() + 12, text, sizeof text);
    } else {
        inet_ntop(AF_INET6, address.octets.data(), text, sizeof text);
    }
    return text;
}

std::string to_string(const Endpoint& endpoint) {
    const std::string host = to_string(endpoint.address);
    const std::string port = std::to_string(endpoint.port);
    return endpoint.address.is_v4() ? host + ':' + port : '[' + host + "]:" + port;
}

std::string to_string(const IpPrefix& prefix) {
    const unsigned bits = prefix.address.is_v4() ? prefix.bits - v4_bits : prefix.bits;
    return to_string(prefix.address) + '/' + std::to_string(bits);
}

}  // namespace portcullis
