#include "protocol/minecraft/cfb8.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <immintrin.h>

namespace portcullis::minecraft {

namespace {

constexpr size_t block = Cfb8::block_size;
using Schedule = Cfb8::Schedule;
using Register = Cfb8::Register;

// ---- FIPS 197, for the key schedule and for processors without AES ----

constexpr uint8_t doubled(uint8_t a) noexcept {
    return static_cast<uint8_t>(a << 1 ^ ((a & 0x80) != 0 ? 0x1b : 0));
}

/// Walks the field by its generator 3 and by 3's inverse at once, so each number meets
/// its inverse, and applies the affine map of FIPS 197 5.1.1.
constexpr std::array<uint8_t, 256> make_substitution() noexcept {
    std::array<uint8_t, 256> box{};
    uint8_t p = 1, q = 1;
    do {
        p = static_cast<uint8_t>(p ^ doubled(p));
        q = static_cast<uint8_t>(q ^ q << 1);
        q = static_cast<uint8_t>(q ^ q << 2);
        q = static_cast<uint8_t>(q ^ q << 4);
        if ((q & 0x80) != 0) q ^= 0x09;
        box[p] = static_cast<uint8_t>(q ^ std::rotl(q, 1) ^ std::rotl(q, 2) ^ std::rotl(q, 3) ^
                                      std::rotl(q, 4) ^ 0x63);
    } while (p != 1);
    box[0] = 0x63;
    return box;
}
constexpr std::array<uint8_t, 256> substitution = make_substitution();

constexpr uint8_t at(const Schedule& schedule, size_t i) noexcept {
    return static_cast<uint8_t>(schedule[i]);
}

using Block = std::array<uint8_t, block>;

Block encipher(const Schedule& schedule, const std::byte* in) noexcept {
    Block state;
    for (size_t i = 0; i < block; ++i) {
        state[i] = static_cast<uint8_t>(static_cast<uint8_t>(in[i]) ^ at(schedule, i));
    }
    for (size_t round = 1; round <= Cfb8::rounds; ++round) {
        Block rows;  // Substituted, each row turned by its number.
        for (size_t i = 0; i < block; ++i) rows[i] = substitution[state[(i + 4 * (i % 4)) % block]];
        for (size_t i = 0; i < block; ++i) {
            uint8_t mixed = rows[i];
            if (round < Cfb8::rounds) {
                const size_t column = i / 4 * 4;
                const auto row = [&](size_t n) { return rows[column + (i + n) % 4]; };
                mixed = static_cast<uint8_t>(doubled(row(0)) ^ doubled(row(1)) ^ row(1) ^ row(2) ^
                                             row(3));
            }
            state[i] = static_cast<uint8_t>(mixed ^ at(schedule, round * block + i));
        }
    }
    return state;
}

std::byte key_stream_plain(const Schedule& schedule, const Register& last) noexcept {
    return static_cast<std::byte>(encipher(schedule, last.data())[0]);
}

void decrypt_plain(const Schedule& schedule, const std::byte* in, size_t size,
                   std::byte* out) noexcept {
    for (size_t i = 0; i < size; ++i) {
        out[i] = in[i] ^ static_cast<std::byte>(encipher(schedule, in + i - block)[0]);
    }
}

// ---- AES-NI: one block an instruction, eight under way ----

#define PORTCULLIS_TARGET_AES __attribute__((target("aes,sse4.1")))

// Inlined for certain, so into whoever has these targets and more: called, it would be SSE
// amid AVX, and its few bytes would cost a hundred nanoseconds.
[[gnu::always_inline]] PORTCULLIS_TARGET_AES inline __m128i load(const void* at) noexcept {
    return _mm_loadu_si128(static_cast<const __m128i*>(at));
}

PORTCULLIS_TARGET_AES std::byte key_stream_aes(const Schedule& schedule,
                                               const Register& last) noexcept {
    __m128i state = _mm_xor_si128(load(last.data()), load(schedule.data()));
    for (size_t r = 1; r < Cfb8::rounds; ++r) {
        state = _mm_aesenc_si128(state, load(schedule.data() + r * block));
    }
    state = _mm_aesenclast_si128(state, load(schedule.data() + Cfb8::rounds * block));
    return static_cast<std::byte>(_mm_cvtsi128_si32(state) & 0xff);
}

PORTCULLIS_TARGET_AES void decrypt_aes(const Schedule& schedule, const std::byte* in, size_t size,
                                       std::byte* out) noexcept {
    constexpr size_t step = 8;
    size_t done = 0;
    for (; size - done >= step; done += step) {
        const std::byte* window = in + done - block;
        __m128i state[step];
        const __m128i first = load(schedule.data());
#pragma GCC unroll 8
        for (size_t i = 0; i < step; ++i) state[i] = _mm_xor_si128(load(window + i), first);
        for (size_t r = 1; r < Cfb8::rounds; ++r) {
            const __m128i key = load(schedule.data() + r * block);
#pragma GCC unroll 8
            for (__m128i& s : state) s = _mm_aesenc_si128(s, key);
        }
        const __m128i last = load(schedule.data() + Cfb8::rounds * block);
#pragma GCC unroll 8
        for (__m128i& s : state) s = _mm_aesenclast_si128(s, last);
        const __m128i quarters[] = {
            _mm_unpacklo_epi8(state[0], state[1]), _mm_unpacklo_epi8(state[2], state[3]),
            _mm_unpacklo_epi8(state[4], state[5]), _mm_unpacklo_epi8(state[6], state[7])};
        const __m128i stream = _mm_unpacklo_epi32(_mm_unpacklo_epi16(quarters[0], quarters[1]),
                                                  _mm_unpacklo_epi16(quarters[2], quarters[3]));
        const __m128i cipher = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(in + done));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(out + done), _mm_xor_si128(cipher, stream));
    }
    for (; done < size; ++done) {
        Register last;
        std::memcpy(last.data(), in + done - block, block);
        out[done] = in[done] ^ key_stream_aes(schedule, last);
    }
}

// ---- VAES with AVX2: two blocks an instruction ----

__attribute__((target("vaes,avx2,aes"))) void decrypt_vaes256(const Schedule& schedule,
                                                              const std::byte* in, size_t size,
                                                              std::byte* out) noexcept {
    constexpr size_t pairs = 8;
    constexpr size_t step = 2 * pairs;
    const auto key_of = [&schedule](size_t round) __attribute__((target("vaes,avx2,aes"))) {
        return _mm256_broadcastsi128_si256(load(schedule.data() + round * block));
    };
    size_t done = 0;
    for (; size - done >= step; done += step) {
        const std::byte* window = in + done - block;
        __m256i state[pairs];
        const __m256i first = key_of(0);
#pragma GCC unroll 8
        for (size_t i = 0; i < pairs; ++i) {
            const __m256i both = _mm256_inserti128_si256(
                _mm256_castsi128_si256(load(window + 2 * i)), load(window + 2 * i + 1), 1);
            state[i] = _mm256_xor_si256(both, first);
        }
        for (size_t r = 1; r < Cfb8::rounds; ++r) {
            const __m256i key = key_of(r);
#pragma GCC unroll 8
            for (__m256i& s : state) s = _mm256_aesenc_epi128(s, key);
        }
        const __m256i last = key_of(Cfb8::rounds);
#pragma GCC unroll 8
        for (__m256i& s : state) s = _mm256_aesenclast_epi128(s, last);
        const __m256i a = _mm256_unpacklo_epi16(_mm256_unpacklo_epi8(state[0], state[1]),
                                                _mm256_unpacklo_epi8(state[2], state[3]));
        const __m256i b = _mm256_unpacklo_epi16(_mm256_unpacklo_epi8(state[4], state[5]),
                                                _mm256_unpacklo_epi8(state[6], state[7]));
        // The even windows' bytes lie in the low half, the odd ones' in the high.
        const __m256i halves = _mm256_unpacklo_epi32(a, b);
        const __m128i stream =
            _mm_unpacklo_epi8(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + done),
                         _mm_xor_si128(load(in + done), stream));
    }
    if (done < size) decrypt_aes(schedule, in + done, size - done, out + done);
}

// ---- VAES with AVX-512: four blocks an instruction ----

#if defined(__GNUC__) && !defined(__clang__)
// g++ 12 takes the operand that its own intrinsics leave undefined for ours (PR 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

using Order = std::array<uint8_t, 64>;

/// Bytes of the four windows that start at 4 * n.
constexpr Order windows_at(size_t n) noexcept {
    Order order{};
    for (size_t i = 0; i < order.size(); ++i) {
        order[i] = static_cast<uint8_t>(4 * n + i / block + i % block);
    }
    return order;
}
constexpr size_t quads = 8;
alignas(64) constexpr std::array<Order, quads> window_order = {
    windows_at(0), windows_at(1), windows_at(2), windows_at(3),
    windows_at(4), windows_at(5), windows_at(6), windows_at(7)};

/// Where the stream's bytes lie once the states are unpacked: byte 4 k + l in lane l.
constexpr Order make_stream_order() noexcept {
    Order order{};
    for (size_t i = 0; i < order.size(); ++i) {
        order[i] = static_cast<uint8_t>(block * (i % 4) + i / 4 % quads);
    }
    return order;
}
alignas(64) constexpr Order stream_order = make_stream_order();

__attribute__((target("vaes,avx512f,avx512bw,avx512vl,avx512vbmi,aes"))) void decrypt_vaes512(
    const Schedule& schedule, const std::byte* in, size_t size, std::byte* out) noexcept {
    constexpr size_t step = 4 * quads;
    __m512i keys[Cfb8::rounds + 1];
    for (size_t r = 0; r <= Cfb8::rounds; ++r) {
        keys[r] = _mm512_broadcast_i32x4(load(schedule.data() + r * block));
    }
    const __m512i gather = _mm512_load_si512(stream_order.data());
    for (size_t done = 0; done < size; done += step) {
        const size_t count = std::min(step, size - done);
        const auto wanted = static_cast<__mmask32>(~uint32_t{0} >> (step - count));
        // Masked, since nothing behind `in` may be read.
        const __mmask64 readable = ~uint64_t{0} >> (64 - (block + count));
        const __m512i bytes = _mm512_maskz_loadu_epi8(readable, in + done - block);
        __m512i state[quads];
#pragma GCC unroll 8
        for (size_t i = 0; i < quads; ++i) {
            const __m512i windows =
                _mm512_permutexvar_epi8(_mm512_load_si512(window_order[i].data()), bytes);
            state[i] = _mm512_xor_si512(windows, keys[0]);
        }
#pragma GCC unroll 9
        for (size_t r = 1; r < Cfb8::rounds; ++r) {
#pragma GCC unroll 8
            for (__m512i& s : state) s = _mm512_aesenc_epi128(s, keys[r]);
        }
#pragma GCC unroll 8
        for (__m512i& s : state) s = _mm512_aesenclast_epi128(s, keys[Cfb8::rounds]);
        const __m512i a = _mm512_unpacklo_epi16(_mm512_unpacklo_epi8(state[0], state[1]),
                                                _mm512_unpacklo_epi8(state[2], state[3]));
        const __m512i b = _mm512_unpacklo_epi16(_mm512_unpacklo_epi8(state[4], state[5]),
                                                _mm512_unpacklo_epi8(state[6], state[7]));
        const __m256i stream =
            _mm512_castsi512_si256(_mm512_permutexvar_epi8(gather, _mm512_unpacklo_epi32(a, b)));
        const __m256i cipher = _mm256_maskz_loadu_epi8(wanted, in + done);
        _mm256_mask_storeu_epi8(out + done, wanted, _mm256_xor_si256(cipher, stream));
    }
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// What runs here, found out once.
struct Choice {
    std::array<Cfb8::Kernel, 4> kernels;
    size_t count = 0;

    Choice() noexcept {
        add({"portable", decrypt_plain, key_stream_plain});
        if (!__builtin_cpu_supports("aes")) return;
        add({"aes-ni", decrypt_aes, key_stream_aes});
        if (!__builtin_cpu_supports("vaes") || !__builtin_cpu_supports("avx2")) return;
        add({"vaes-256", decrypt_vaes256, key_stream_aes});
        if (!__builtin_cpu_supports("avx512vbmi") || !__builtin_cpu_supports("avx512bw") ||
            !__builtin_cpu_supports("avx512vl")) {
            return;
        }
        add({"vaes-512", decrypt_vaes512, key_stream_aes});
    }
    void add(const Cfb8::Kernel& kernel) noexcept { kernels[count++] = kernel; }
};
const Choice choice;

}  // namespace

std::span<const Cfb8::Kernel> Cfb8::kernels() noexcept {
    return std::span(choice.kernels).first(choice.count);
}

Cfb8::Cfb8(const Secret& secret) noexcept {
    std::copy(secret.begin(), secret.end(), schedule_.begin());
    uint8_t round_constant = 1;
    for (size_t i = block; i < schedule_.size(); i += 4) {
        std::array<uint8_t, 4> word;
        for (size_t j = 0; j < 4; ++j) word[j] = at(schedule_, i - 4 + j);
        if (i % block == 0) {
            std::rotate(word.begin(), word.begin() + 1, word.end());
            for (uint8_t& byte : word) byte = substitution[byte];
            word[0] ^= round_constant;
            round_constant = doubled(round_constant);
        }
        for (size_t j = 0; j < 4; ++j) {
            schedule_[i + j] = schedule_[i - block + j] ^ static_cast<std::byte>(word[j]);
        }
    }
}

void Cfb8::decrypt_with(const Kernel& kernel, Bytes in, Register& last,
                        MutableBytes out) const noexcept {
    if (in.empty()) return;
    // The first 16 bytes' windows reach back into the register.
    const size_t head = std::min(in.size(), block);
    std::array<std::byte, 2 * block> joined;
    std::memcpy(joined.data(), last.data(), block);
    std::memcpy(joined.data() + block, in.data(), head);
    kernel.decrypt(schedule_, joined.data() + block, head, out.data());
    if (in.size() > block) {
        kernel.decrypt(schedule_, in.data() + block, in.size() - block, out.data() + block);
    }
    pass(in, last);
}

void Cfb8::encrypt(MutableBytes bytes, Register& last) const noexcept {
    const Kernel& kernel = kernels().back();
    for (std::byte& byte : bytes) {
        byte ^= kernel.key_stream(schedule_, last);
        pass({&byte, 1}, last);
    }
}

void Cfb8::pass(Bytes in, Register& last) noexcept {
    if (in.size() >= block) {
        std::memcpy(last.data(), in.data() + in.size() - block, block);
        return;
    }
    std::memmove(last.data(), last.data() + in.size(), block - in.size());
    if (!in.empty()) std::memcpy(last.data() + block - in.size(), in.data(), in.size());
}

}  // namespace portcullis::minecraft
