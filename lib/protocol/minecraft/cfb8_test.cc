// Goal: every kernel deciphers what OpenSSL enciphers, however the bytes are cut, and
// reads and writes nothing outside them; what we encipher, OpenSSL deciphers.
// Method: random secrets and texts from a printed seed; all sizes up to 200, then large
// ones, each at the end of a page behind which nothing may be touched.

#include "protocol/minecraft/cfb8.h"

#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <unistd.h>

namespace portcullis::minecraft {
namespace {

using Text = std::vector<std::byte>;

class Cfb8Test : public testing::Test {
protected:
    Cfb8Test() { std::printf("seed %u\n", seed_); }

    Text random(size_t size) {
        Text text(size);
        for (std::byte& byte : text) byte = static_cast<std::byte>(random_());
        return text;
    }
    Cfb8::Secret secret() {
        Cfb8::Secret secret;
        for (std::byte& byte : secret) byte = static_cast<std::byte>(random_());
        return secret;
    }
    static Text openssl(bool encrypt, const Cfb8::Secret& secret, Bytes in) {
        const auto* key = reinterpret_cast<const unsigned char*>(secret.data());
        std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
            EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
        EVP_CipherInit_ex(context.get(), EVP_aes_128_cfb8(), nullptr, key, key, encrypt ? 1 : 0);
        Text out(in.size() + 16);
        int size = 0;
        EVP_CipherUpdate(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                         reinterpret_cast<const unsigned char*>(in.data()),
                         static_cast<int>(in.size()));
        out.resize(static_cast<size_t>(size));
        return out;
    }

    const unsigned seed_ = std::random_device{}();
    std::mt19937 random_{seed_};
};

/// Bytes that end where a page ends, and behind that page nothing may be read.
class AtTheEdge {
public:
    explicit AtTheEdge(size_t size) : size_(size), room_((size + page - 1) / page * page) {
        base_ = static_cast<std::byte*>(mmap(nullptr, room_ + page, PROT_READ | PROT_WRITE,
                                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        mprotect(base_ + room_, page, PROT_NONE);
    }
    ~AtTheEdge() { munmap(base_, room_ + page); }
    AtTheEdge(const AtTheEdge&) = delete;
    AtTheEdge& operator=(const AtTheEdge&) = delete;

    MutableBytes bytes() const { return {base_ + room_ - size_, size_}; }

private:
    static inline const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    size_t size_, room_;
    std::byte* base_;
};

TEST_F(Cfb8Test, EveryKernelDeciphersWhatOpenSslEnciphers) {
    std::vector<size_t> sizes = {1460, 4096, 65'535, 200'000};
    for (size_t size = 0; size <= 200; ++size) sizes.push_back(size);
    for (const Cfb8::Kernel& kernel : Cfb8::kernels()) {
        for (const size_t size : sizes) {
            const Cfb8::Secret key = secret();
            const Text plain = random(size);
            const Text cipher = openssl(true, key, plain);
            const AtTheEdge in(size), out(size);
            std::copy(cipher.begin(), cipher.end(), in.bytes().begin());
            Cfb8::Register last = key;
            Cfb8(key).decrypt_with(kernel, in.bytes(), last, out.bytes());
            ASSERT_TRUE(std::ranges::equal(out.bytes(), plain)) << kernel.name << ", " << size;
            Cfb8::Register expected = key;
            Cfb8::pass(cipher, expected);
            ASSERT_EQ(last, expected) << kernel.name << ", " << size;
        }
    }
}

TEST_F(Cfb8Test, PiecesOfAnySizeGiveTheSame) {
    const Cfb8::Secret key = secret();
    const Cfb8 cipher_of(key);
    const Text plain = random(20'000);
    const Text cipher = openssl(true, key, plain);
    for (const Cfb8::Kernel& kernel : Cfb8::kernels()) {
        for (const size_t piece_max : {1u, 5u, 17u, 40u, 300u}) {
            Text out(cipher.size());
            Cfb8::Register last = key;
            for (size_t done = 0; done < cipher.size();) {
                const size_t size =
                    std::min<size_t>(1 + random_() % piece_max, cipher.size() - done);
                cipher_of.decrypt_with(kernel, Bytes(cipher).subspan(done, size), last,
                                       MutableBytes(out).subspan(done, size));
                done += size;
            }
            ASSERT_EQ(out, plain) << kernel.name << ", pieces up to " << piece_max;
        }
    }
}

TEST_F(Cfb8Test, FindsItsWayAgainAfterSixteenBytes) {
    const Cfb8::Secret key = secret();
    const Text plain = random(500);
    const Text cipher = openssl(true, key, plain);
    Cfb8::Register last{};
    Cfb8::pass(Bytes(cipher).subspan(84, 10), last);  // Whatever came before is forgotten.
    Cfb8::pass(Bytes(cipher).subspan(94, 6), last);
    Text out(400);
    Cfb8(key).decrypt(Bytes(cipher).subspan(100), last, out);
    EXPECT_TRUE(std::ranges::equal(out, Bytes(plain).subspan(100)));
}

TEST_F(Cfb8Test, OpenSslDeciphersWhatWeEncipher) {
    const Cfb8::Secret key = secret();
    const Text plain = random(600);
    Text cipher = plain;
    Cfb8::Register last = key;
    Cfb8(key).encrypt(MutableBytes(cipher).first(123), last);
    Cfb8(key).encrypt(MutableBytes(cipher).subspan(123), last);
    EXPECT_EQ(openssl(false, key, cipher), plain);
}

}  // namespace
}  // namespace portcullis::minecraft
