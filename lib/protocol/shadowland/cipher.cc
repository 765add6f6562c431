// The library's own HMAC allocates for every message, which a Worker must not: this one is
// made of its SHA-256, whose plain functions OpenSSL 3 keeps but calls deprecated.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "protocol/shadowland/cipher.h"

#include <algorithm>
#include <string_view>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include "base/reader.h"
#include "base/setup_error.h"
#include "base/writer.h"
#include "protocol/shadowland/chacha20_poly1305.h"

namespace portcullis::shadowland {

namespace {

/// Channels count for themselves, so the channel is part of the nonce.
AeadNonce nonce_of(const Header& header) noexcept {
    AeadNonce nonce;
    Writer to(nonce);
    to.le_u32(header.connection_id);
    to.le_u64(header.sequence | uint64_t{static_cast<uint8_t>(header.channel)} << 62);
    return nonce;
}

unsigned char* raw(std::byte* bytes) noexcept { return reinterpret_cast<unsigned char*>(bytes); }

/// The address as a cookie names it: family, address, port in network order.
size_t write_address(const Endpoint& client, Writer& out) noexcept {
    const auto& octets = client.address.octets;
    const size_t skip = client.address.is_v4() ? 12 : 0;
    out.u8(client.address.is_v4() ? 4 : 6);
    out.bytes(as_bytes(octets.data() + skip, octets.size() - skip));
    out.u16(client.port);
    return out.size();
}

}  // namespace

Bytes Cipher::open(const Header& header, Bytes datagram, const Key& key,
                   MutableBytes out) noexcept {
    const size_t size = datagram.size() - header_size - tag_size;
    const bool opened =
        aead_open(key, nonce_of(header), datagram.first(header_size),
                  datagram.subspan(header_size, size), datagram.last(tag_size), out);
    return opened ? Bytes(out.first(size)) : Bytes{};
}

void Cipher::seal(const Header& header, MutableBytes datagram, const Key& key) noexcept {
    const size_t size = datagram.size() - header_size - tag_size;
    aead_seal(key, nonce_of(header), datagram.first(header_size),
              datagram.subspan(header_size, size), datagram.last(tag_size));
}

/// A secret's two halves of HMAC (RFC 2104), each a block of SHA-256 already taken in.
struct Authenticator::Pads {
    std::array<std::byte, secret_size_max> secret{};
    size_t secret_size = 0;
    SHA256_CTX inner, outer;

    void take(Bytes given) noexcept {
        secret_size = std::min(given.size(), secret_size_max);
        secret.fill(std::byte{0});
        std::copy_n(given.begin(), secret_size, secret.begin());
        const auto begin = [&](SHA256_CTX& context, std::byte pad) noexcept {
            std::array<std::byte, SHA256_CBLOCK> block;
            for (size_t i = 0; i < block.size(); ++i) block[i] = secret[i] ^ pad;
            SHA256_Init(&context);
            SHA256_Update(&context, block.data(), block.size());
        };
        begin(inner, std::byte{0x36});
        begin(outer, std::byte{0x5c});
    }
    bool is_of(Bytes given) const noexcept {
        return given.size() == secret_size &&
               std::equal(given.begin(), given.end(), secret.begin());
    }
};

Authenticator::Authenticator() : pads_(std::make_unique<Pads>()) { pads_->take({}); }
Authenticator::~Authenticator() { OPENSSL_cleanse(pads_.get(), sizeof(Pads)); }

Authenticator::Mac Authenticator::mac(Bytes secret, Bytes message) noexcept {
    if (!pads_->is_of(secret)) pads_->take(secret);
    Mac out;
    SHA256_CTX context = pads_->inner;
    SHA256_Update(&context, message.data(), message.size());
    SHA256_Final(raw(out.data()), &context);
    context = pads_->outer;
    SHA256_Update(&context, out.data(), out.size());
    SHA256_Final(raw(out.data()), &context);
    return out;
}

std::array<std::byte, cookie_size> Authenticator::make_cookie(Bytes secret, const Endpoint& client,
                                                              Bytes public_key, uint64_t now_ms,
                                                              uint64_t nonce) noexcept {
    std::array<std::byte, cookie_size> cookie;
    Writer head(cookie);
    head.le_u64(now_ms);
    head.le_u64(nonce);

    constexpr size_t message_size_max = 128;
    std::array<std::byte, message_size_max> message;
    Writer to(message);
    to.text("shadowland/1 cookie");
    to.bytes(head.written());
    write_address(client, to);
    to.bytes(public_key);
    head.bytes(mac(secret, to.written()));
    return cookie;
}

bool Authenticator::cookie_holds(Bytes secret, Bytes cookie, const Endpoint& client,
                                 Bytes public_key) noexcept {
    Reader in(cookie);
    const uint64_t made_ms = in.le_u64();
    const uint64_t nonce = in.le_u64();
    const auto good = make_cookie(secret, client, public_key, made_ms, nonce);
    return cookie.size() == good.size() &&
           CRYPTO_memcmp(good.data(), cookie.data(), good.size()) == 0;
}

CookieState Authenticator::judge_cookie(Bytes secret, Bytes cookie, const Endpoint& client,
                                        Bytes public_key, uint64_t now_ms) noexcept {
    // Who forges a cookie chooses its time, so the sum is looked at first.
    if (!cookie_holds(secret, cookie, client, public_key)) return CookieState::forged;
    return cookie_state_at(Reader(cookie).le_u64(), now_ms);
}

std::array<std::byte, Authenticator::integrity_key_size> Authenticator::integrity_key(
    Bytes secret, uint32_t build, uint16_t index) noexcept {
    std::array<std::byte, 64> message;
    Writer to(message);
    to.text("shadowland/1 integrity");
    to.le_u32(build);
    to.le_u16(index);
    const Mac whole = mac(secret, to.written());
    std::array<std::byte, integrity_key_size> key;
    std::copy_n(whole.begin(), key.size(), key.begin());
    return key;
}

bool Authenticator::integrity_key_holds(Bytes secret, uint32_t build, uint16_t index,
                                        Bytes key) noexcept {
    const auto good = integrity_key(secret, build, index);
    return key.size() == good.size() && CRYPTO_memcmp(good.data(), key.data(), key.size()) == 0;
}

EpochKeys derive_keys(Bytes shared, Bytes client_public, Bytes server_public,
                      uint32_t connection_id, uint32_t epoch) {
    const auto derive = [&](std::string_view label, Key& out) {
        std::array<std::byte, 2 * key_size> salt;
        Writer salt_to(salt);
        salt_to.bytes(client_public);
        salt_to.bytes(server_public);
        std::array<std::byte, 32> info;
        Writer info_to(info);
        info_to.text(label);
        info_to.le_u32(connection_id);
        info_to.le_u32(epoch);
        std::array<std::byte, key_size> secret;
        std::copy_n(shared.begin(), key_size, secret.begin());
        char digest[] = "SHA256";
        const OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret.data(), secret.size()),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt.data(), salt.size()),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info_to.size()),
            OSSL_PARAM_construct_end()};
        EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
        EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
        const bool derived = EVP_KDF_derive(context, raw(out.data()), out.size(), params) == 1;
        EVP_KDF_CTX_free(context);
        EVP_KDF_free(kdf);
        if (!derived)
            throw SetupError("OpenSSL can not derive Shadowland keys (HKDF-SHA256)");  // setup
    };
    EpochKeys keys;
    derive("shadowland/1 c2s", keys.c2s);
    derive("shadowland/1 s2c", keys.s2c);
    return keys;
}

}  // namespace portcullis::shadowland
