#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace portcullis::minecraft {

/// AES-128-CFB8, the cipher of both directions of a Minecraft connection.
///
/// A byte of key stream is the first byte of the enciphered 16 ciphertext bytes before
/// it.  So who deciphers knows all blocks at once and works on many side by side, which
/// no library does; who enciphers waits for each byte.  The kernel is chosen once by
/// what the processor has.
class Cfb8 {
public:
    static constexpr size_t block_size = 16;
    static constexpr size_t rounds = 10;
    using Secret = std::array<std::byte, block_size>;
    /// The last 16 bytes of ciphertext: all that a direction remembers.  It starts as
    /// the secret itself.
    using Register = std::array<std::byte, block_size>;
    using Schedule = std::array<std::byte, block_size*(rounds + 1)>;

    /// A way to compute it on this processor.
    struct Kernel {
        std::string_view name;
        /// Deciphers `size` bytes; the 16 before `in` must be readable and are what
        /// the register holds.  `out` may not overlap them.
        void (*decrypt)(const Schedule&, const std::byte* in, size_t size, std::byte* out) noexcept;
        /// The first byte of one enciphered block.
        std::byte (*key_stream)(const Schedule&, const Register&) noexcept;
    };
    /// Those that run here, the best last.
    static std::span<const Kernel> kernels() noexcept;

    Cfb8() noexcept = default;
    explicit Cfb8(const Secret& secret) noexcept;

    /// `out` holds as many bytes as `in` and does not overlap it.
    void decrypt(Bytes in, Register& last, MutableBytes out) const noexcept {
        decrypt_with(kernels().back(), in, last, out);
    }
    void decrypt_with(const Kernel& kernel, Bytes in, Register& last,
                      MutableBytes out) const noexcept;
    /// In place, byte after byte: for short messages of our own.
    void encrypt(MutableBytes bytes, Register& last) const noexcept;

    /// Ciphertext that nobody reads goes by: the register follows.
    static void pass(Bytes in, Register& last) noexcept;

private:
    alignas(block_size) Schedule schedule_{};
};

}  // namespace portcullis::minecraft
