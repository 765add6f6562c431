// Goal: our ChaCha20-Poly1305 is the one of RFC 8439.
// Method: the RFC's own example; then OpenSSL's beside it, with random keys, nonces and bytes, for
// every size that a packet has and every size of what is only authenticated up to 40; what one
// seals the other opens, and nobody opens what one bit was turned in.

#include "protocol/shadowland/chacha20_poly1305.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "protocol/shadowland/tell_test_support.h"
#include "protocol/shadowland/wire.h"

namespace portcullis::shadowland {
namespace {

using Text = std::vector<std::byte>;

unsigned char* raw(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

/// Sealed text and tag, one behind the other, as OpenSSL makes them.
Text sealed_by_openssl(Bytes key, const AeadNonce& nonce, Bytes additional, Bytes text) {
    Text out(text.size() + aead_tag_size), copy(text.begin(), text.end());
    Text k(key.begin(), key.end()), a(additional.begin(), additional.end());
    AeadNonce n = nonce;
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    int size = 0;
    bool good = EVP_EncryptInit_ex(context, EVP_chacha20_poly1305(), nullptr, raw(k.data()),
                                   raw(n.data())) == 1;
    if (!a.empty()) {
        good &= EVP_EncryptUpdate(context, nullptr, &size, raw(a.data()), int(a.size())) == 1;
    }
    if (!copy.empty()) {
        good &= EVP_EncryptUpdate(context, raw(out.data()), &size, raw(copy.data()),
                                  int(copy.size())) == 1;
    }
    good &= EVP_EncryptFinal_ex(context, raw(out.data()), &size) == 1 &&
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, aead_tag_size,
                                out.data() + text.size()) == 1;
    EVP_CIPHER_CTX_free(context);
    EXPECT_TRUE(good);
    return out;
}

class Aead : public testing::Test {
protected:
    Text random(size_t size) {
        Text bytes(size);
        for (std::byte& byte : bytes) byte = static_cast<std::byte>(random_());
        return bytes;
    }
    void compare(size_t text_size, size_t additional_size) {
        const Text key = random(aead_key_size), text = random(text_size);
        const Text additional = random(additional_size);
        AeadNonce nonce;
        std::ranges::copy(random(aead_nonce_size), nonce.begin());
        const Text theirs = sealed_by_openssl(key, nonce, additional, text);
        Text ours(text);
        ours.resize(text_size + aead_tag_size);
        const MutableBytes all(ours);
        aead_seal(key, nonce, additional, all.first(text_size), all.subspan(text_size));
        ASSERT_EQ(to_hex(ours), to_hex(theirs)) << text_size << " and " << additional_size;

        Text opened(text_size);
        const auto open = [&](Bytes sealed) {
            return aead_open(key, nonce, additional, sealed.first(text_size),
                             sealed.subspan(text_size), opened);
        };
        ASSERT_TRUE(open(theirs));
        ASSERT_EQ(opened, text);
        const size_t bit = random_() % (8 * ours.size());
        ours[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
        opened.assign(text_size, std::byte{0x55});
        ASSERT_FALSE(open(ours)) << "bit " << bit;
        ASSERT_EQ(opened, Text(text_size, std::byte{0x55}));
    }

private:
    std::mt19937 random_{8439};
};

TEST_F(Aead, SealsTheExampleOfTheRfc) {  // RFC 8439 2.8.2
    const Text key = from_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    const Text additional = from_hex("50515253c0c1c2c3c4c5c6c7");
    AeadNonce nonce;
    std::ranges::copy(from_hex("070000004041424344454647"), nonce.begin());
    constexpr std::string_view text =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
        "future, sunscreen would be it.";
    Text sealed(as_bytes(text).begin(), as_bytes(text).end());
    std::array<std::byte, aead_tag_size> tag;
    aead_seal(key, nonce, additional, sealed, tag);
    EXPECT_EQ(to_hex(tag), "1ae10b594f09e26a7e902ecbd0600691");
    EXPECT_EQ(to_hex(Bytes(sealed).first(16)), "d31a8d34648e60db7b86afbc53ef7ec2");
}

TEST_F(Aead, SealsAsOpenSslDoes) {
    for (size_t size = 0; size <= datagram_size_max; ++size) compare(size, header_size);
    for (size_t size = 0; size <= 40; ++size) compare(100, size);
    // Sums near 2^130 - 5 are rare: many short ones.
    for (size_t i = 0; i < 20'000; ++i) compare(i % 70, header_size);
}

TEST_F(Aead, AuthenticatesNumbersThatDoNotFit) {
    // All ones bring the authenticator to its edges.
    const Text key(aead_key_size, std::byte{0xff});
    AeadNonce nonce{};
    for (size_t size = 0; size < 200; ++size) {
        const Text text(size, std::byte{0xff}), additional(size % 33, std::byte{0xff});
        const Text theirs = sealed_by_openssl(key, nonce, additional, text);
        Text opened(size);
        EXPECT_TRUE(aead_open(key, nonce, additional, Bytes(theirs).first(size),
                              Bytes(theirs).subspan(size), opened));
    }
}

}  // namespace
}  // namespace portcullis::shadowland
