#include "policy/in_front.h"

#include <algorithm>
#include <optional>

// The plain functions, since those that are not deprecated allocate with each use.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "base/hex.h"
#include "base/secret_file.h"

namespace portcullis::policy {

namespace {

constexpr size_t block_size = SHA256_CBLOCK;
using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;
static_assert(Digest{}.size() == InFront::signature_size);

constexpr SecretFile secret_file = {"forwarding_secret_file",
                                    "the proxy's secret as its first line", InFront::secrets_max,
                                    InFront::secret_size_max};

/// HMAC (RFC 2104) with SHA-256.
Digest hmac(std::string_view key, Bytes message) noexcept {
    std::array<unsigned char, block_size> inner{}, outer{};
    if (key.size() > block_size) {
        SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), inner.data());
    } else {
        std::copy(key.begin(), key.end(), inner.begin());
    }
    outer = inner;
    for (unsigned char& byte : inner) byte ^= 0x36;
    for (unsigned char& byte : outer) byte ^= 0x5c;
    Digest digest;
    SHA256_CTX hash;
    SHA256_Init(&hash);
    SHA256_Update(&hash, inner.data(), inner.size());
    SHA256_Update(&hash, message.data(), message.size());
    SHA256_Final(digest.data(), &hash);
    SHA256_Init(&hash);
    SHA256_Update(&hash, outer.data(), outer.size());
    SHA256_Update(&hash, digest.data(), digest.size());
    SHA256_Final(digest.data(), &hash);
    return digest;
}

/// Takes as long wherever they differ.
template <class A, class B>
bool same(const A& a, const B& b) noexcept {
    if (a.size() != b.size()) return false;
    unsigned difference = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        difference |= static_cast<unsigned>(a[i]) ^ static_cast<unsigned>(b[i]);
    }
    return difference == 0;
}

std::optional<char> hex_escape(std::string_view digits) noexcept {
    constexpr size_t size = 4;
    if (digits.size() < size) return std::nullopt;
    unsigned value = 0;
    for (const char c : digits.substr(0, size)) {
        const int digit = hex_value(c);
        if (digit < 0) return std::nullopt;
        value = value * 16 + static_cast<unsigned>(digit);
    }
    if (value > 0x7f) return std::nullopt;
    return static_cast<char>(value);
}

/// A JSON text's next character, of those that a token may have.
std::optional<char> next_character(std::string_view& text) noexcept {
    const char first = text[0];
    text.remove_prefix(1);
    if (first != '\\') return first;
    if (text.empty()) return std::nullopt;
    const char escaped = text[0];
    text.remove_prefix(1);
    if (escaped != 'u') return escaped;
    const auto character = hex_escape(text);
    text.remove_prefix(std::min<size_t>(4, text.size()));
    return character;
}

}  // namespace

InFront::InFront(const config::Service& from)
    : proxy_protocol_(from.proxy_protocol),
      floodgate_(from.floodgate),
      vivecraft_(from.vivecraft),
      forwarding_(from.forwarding),
      proxies_(from.proxies) {
    const bool tells = proxy_protocol_ || forwarding_ != config::Forwarding::none;
    translates_ = from.translates == config::Translates::yes ||
                  (from.translates == config::Translates::by_proxy && tells);
    if (!from.forwarding_secret_file.empty())
        secrets_ = read_secret_lines(from.forwarding_secret_file, secret_file);
}

bool InFront::is_named(const IpAddress& address) const noexcept {
    return std::ranges::any_of(proxies_,
                               [&](const IpPrefix& proxy) { return proxy.contains(address); });
}

bool InFront::is_proxy(const IpAddress& address) const noexcept {
    return proxies_.empty() || is_named(address);
}

bool InFront::signed_well(Bytes signature, Bytes message) const noexcept {
    return std::ranges::any_of(secrets_, [&](const std::string& secret) {
        return same(signature, hmac(secret, message));
    });
}

bool InFront::has_token(std::string_view token) const noexcept {
    if (token.size() > secret_size_max) return false;
    std::array<char, secret_size_max> plain;
    size_t size = 0;
    while (!token.empty()) {
        const auto character = next_character(token);
        if (!character) return false;
        plain[size++] = *character;
    }
    const std::string_view said(plain.data(), size);
    return std::ranges::any_of(secrets_,
                               [&](const std::string& secret) { return same(said, secret); });
}

}  // namespace portcullis::policy
