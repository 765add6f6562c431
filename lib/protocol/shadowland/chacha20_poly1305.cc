#include "protocol/shadowland/chacha20_poly1305.h"

#include <algorithm>
#include <cstring>

#include "base/reader.h"
#include "base/writer.h"

namespace portcullis::shadowland {

namespace {

constexpr size_t block_size = 64, words = 16;
constexpr size_t lanes = 4;  ///< Blocks that are made side by side.

/// One word of four blocks.
typedef uint32_t Lanes __attribute__((vector_size(sizeof(uint32_t) * lanes)));

/// The key stream of four blocks that follow each other.
using Stream = std::array<std::byte, lanes * block_size>;

template <int bits>
inline __attribute__((always_inline)) Lanes rotated(Lanes v) noexcept {
    return v << bits | v >> (32 - bits);
}

inline __attribute__((always_inline)) void quarter_round(Lanes& a, Lanes& b, Lanes& c,
                                                         Lanes& d) noexcept {
    a += b;
    d = rotated<16>(d ^ a);
    c += d;
    b = rotated<12>(b ^ c);
    a += b;
    d = rotated<8>(d ^ a);
    c += d;
    b = rotated<7>(b ^ c);
}

/// Words of four blocks become four blocks of words, four by four.
inline __attribute__((always_inline)) void write(const Lanes* x, Stream& out) noexcept {
    for (size_t i = 0; i < words; i += 4) {
        const Lanes low0 = __builtin_shufflevector(x[i], x[i + 1], 0, 4, 1, 5);
        const Lanes low1 = __builtin_shufflevector(x[i + 2], x[i + 3], 0, 4, 1, 5);
        const Lanes high0 = __builtin_shufflevector(x[i], x[i + 1], 2, 6, 3, 7);
        const Lanes high1 = __builtin_shufflevector(x[i + 2], x[i + 3], 2, 6, 3, 7);
        const Lanes rows[lanes] = {__builtin_shufflevector(low0, low1, 0, 1, 4, 5),
                                   __builtin_shufflevector(low0, low1, 2, 3, 6, 7),
                                   __builtin_shufflevector(high0, high1, 0, 1, 4, 5),
                                   __builtin_shufflevector(high0, high1, 2, 3, 6, 7)};
        for (size_t block = 0; block < lanes; ++block) {
            std::memcpy(out.data() + block * block_size + i * sizeof(uint32_t), &rows[block],
                        sizeof rows[block]);
        }
    }
}

/// RFC 8439 2.3, blocks `counter` to `counter` + 3 of what begins with `start`.
void four_blocks(const uint32_t* start, uint32_t counter, Stream& out) noexcept {
    Lanes begin[words], x[words];
    for (size_t i = 0; i < words; ++i) begin[i] = Lanes{} + start[i];
    begin[12] = Lanes{counter, counter + 1, counter + 2, counter + 3};
    for (size_t i = 0; i < words; ++i) x[i] = begin[i];
    for (int twice = 0; twice < 10; ++twice) {
        quarter_round(x[0], x[4], x[8], x[12]);
        quarter_round(x[1], x[5], x[9], x[13]);
        quarter_round(x[2], x[6], x[10], x[14]);
        quarter_round(x[3], x[7], x[11], x[15]);
        quarter_round(x[0], x[5], x[10], x[15]);
        quarter_round(x[1], x[6], x[11], x[12]);
        quarter_round(x[2], x[7], x[8], x[13]);
        quarter_round(x[3], x[4], x[9], x[14]);
    }
    for (size_t i = 0; i < words; ++i) x[i] += begin[i];
    write(x, out);
}

/// The stream of one key and nonce.
class ChaCha20 {
public:
    ChaCha20(Bytes key, const AeadNonce& nonce) noexcept {
        constexpr std::array<uint32_t, 4> constants = {0x61707865, 0x3320646e, 0x79622d32,
                                                       0x6b206574};
        std::ranges::copy(constants, start_.begin());
        Reader in(key);
        for (size_t i = 4; i < 12; ++i) start_[i] = in.le_u32();
        Reader from(nonce);
        for (size_t i = 13; i < words; ++i) start_[i] = from.le_u32();
    }

    void stream(uint32_t counter, Stream& out) const noexcept {
        four_blocks(start_.data(), counter, out);
    }

private:
    std::array<uint32_t, words> start_{};
};

/// RFC 8439 2.5 with limbs of 44, 44 and 42 bits, so that products fit 128.
class Poly1305 {
public:
    explicit Poly1305(Bytes key) noexcept {
        Reader in(key);
        const uint64_t low = in.le_u64(), high = in.le_u64();
        r_[0] = low & 0xffc0fffffff;
        r_[1] = (low >> 44 | high << 20) & 0xfffffc0ffff;
        r_[2] = high >> 24 & 0x00ffffffc0f;
        pad_ = {in.le_u64(), in.le_u64()};
    }

    /// Whole blocks; what is missing of the last is taken as zero (RFC 8439 2.8).
    void add(Bytes in) noexcept {
        while (in.size() >= size) {
            block(in.data());
            in = in.subspan(size);
        }
        if (in.empty()) return;
        std::array<std::byte, size> last{};
        std::ranges::copy(in, last.begin());
        block(last.data());
    }
    void add_sizes(uint64_t additional, uint64_t text) noexcept {
        std::array<std::byte, size> sizes;
        Writer to(sizes);
        to.le_u64(additional);
        to.le_u64(text);
        block(sizes.data());
    }

    std::array<std::byte, aead_tag_size> tag() noexcept {
        settle();
        settle();
        // Less 2^130 - 5 if that is not below zero; chosen by a mask, not by a branch.
        uint64_t g0 = h_[0] + 5;
        uint64_t g1 = h_[1] + (g0 >> 44);
        const uint64_t g2 = h_[2] + (g1 >> 44);
        g0 &= mask44;
        g1 &= mask44;
        const uint64_t over = uint64_t{0} - (g2 >> 42);
        h_[0] = (h_[0] & ~over) | (g0 & over);
        h_[1] = (h_[1] & ~over) | (g1 & over);
        h_[2] = (h_[2] & ~over) | (g2 & mask42 & over);
        const uint64_t low = h_[0] | h_[1] << 44, high = h_[1] >> 20 | h_[2] << 24;
        const Wide sum = (Wide{high} << 64 | low) + (Wide{pad_[1]} << 64 | pad_[0]);
        std::array<std::byte, aead_tag_size> tag;
        Writer to(tag);
        to.le_u64(static_cast<uint64_t>(sum));
        to.le_u64(static_cast<uint64_t>(sum >> 64));
        return tag;
    }

private:
    __extension__ typedef unsigned __int128 Wide;
    static constexpr size_t size = 16;
    static constexpr uint64_t mask44 = (uint64_t{1} << 44) - 1, mask42 = (uint64_t{1} << 42) - 1;

    void block(const std::byte* in) noexcept {
        Reader from(as_bytes(in, size));
        const uint64_t low = from.le_u64(), high = from.le_u64();
        const uint64_t h0 = h_[0] + (low & mask44);
        const uint64_t h1 = h_[1] + ((low >> 44 | high << 20) & mask44);
        const uint64_t h2 = h_[2] + (high >> 24 | uint64_t{1} << 40);
        // What overflows 130 bits comes back five times; four more for limbs of 44 bits.
        const uint64_t s1 = r_[1] * 20, s2 = r_[2] * 20;
        Wide d0 = Wide{h0} * r_[0] + Wide{h1} * s2 + Wide{h2} * s1;
        Wide d1 = Wide{h0} * r_[1] + Wide{h1} * r_[0] + Wide{h2} * s2;
        Wide d2 = Wide{h0} * r_[2] + Wide{h1} * r_[1] + Wide{h2} * r_[0];
        d1 += d0 >> 44;
        d2 += d1 >> 44;
        h_[0] = (static_cast<uint64_t>(d0) & mask44) + static_cast<uint64_t>(d2 >> 42) * 5;
        h_[1] = (static_cast<uint64_t>(d1) & mask44) + (h_[0] >> 44);
        h_[0] &= mask44;
        h_[2] = static_cast<uint64_t>(d2) & mask42;
    }
    void settle() noexcept {
        h_[2] += h_[1] >> 44;
        h_[1] &= mask44;
        h_[0] += (h_[2] >> 42) * 5;
        h_[2] &= mask42;
        h_[1] += h_[0] >> 44;
        h_[0] &= mask44;
    }

    std::array<uint64_t, 3> r_{}, h_{};
    std::array<uint64_t, 2> pad_{};
};

/// One packet under its key and nonce.  The first four blocks are made at once: the
/// authenticator's key, and the stream of the packets that most are.
class Packet {
public:
    Packet(Bytes key, const AeadNonce& nonce) noexcept : cipher_(key, nonce) {
        cipher_.stream(0, stream_);
        std::copy_n(stream_.begin(), one_time_key_.size(), one_time_key_.begin());
    }

    std::array<std::byte, aead_tag_size> tag(Bytes additional, Bytes sealed) const noexcept {
        Poly1305 sum(one_time_key_);
        sum.add(additional);
        sum.add(sealed);
        sum.add_sizes(additional.size(), sealed.size());
        return sum.tag();
    }
    /// `in` and `out` may be the same.
    void cross(Bytes in, std::byte* out) noexcept {
        size_t used = block_size;
        for (uint32_t counter = lanes; !in.empty(); counter += lanes) {
            const size_t size = std::min(in.size(), stream_.size() - used);
            exclusive_or(in.first(size), stream_.data() + used, out);
            in = in.subspan(size);
            out += size;
            used = 0;
            if (!in.empty()) cipher_.stream(counter, stream_);
        }
    }

private:
    static void exclusive_or(Bytes in, const std::byte* with, std::byte* out) noexcept {
        size_t i = 0;
        for (; i + sizeof(uint64_t) <= in.size(); i += sizeof(uint64_t)) {
            uint64_t a, b;
            std::memcpy(&a, in.data() + i, sizeof a);
            std::memcpy(&b, with + i, sizeof b);
            a ^= b;
            std::memcpy(out + i, &a, sizeof a);
        }
        for (; i < in.size(); ++i) out[i] = in[i] ^ with[i];
    }

    ChaCha20 cipher_;
    Stream stream_;  ///< Moves on as bytes are crossed.
    std::array<std::byte, 32> one_time_key_;
};

/// In a time that does not tell where they differ.
bool equal(Bytes a, Bytes b) noexcept {
    std::byte difference{};
    for (size_t i = 0; i < aead_tag_size; ++i) difference |= a[i] ^ b[i];
    return difference == std::byte{};
}

}  // namespace

bool aead_open(Bytes key, const AeadNonce& nonce, Bytes additional, Bytes sealed, Bytes tag,
               MutableBytes out) noexcept {
    Packet packet(key, nonce);
    if (!equal(packet.tag(additional, sealed), tag)) return false;
    packet.cross(sealed, out.data());
    return true;
}

void aead_seal(Bytes key, const AeadNonce& nonce, Bytes additional, MutableBytes text,
               MutableBytes tag) noexcept {
    Packet packet(key, nonce);
    packet.cross(text, text.data());
    std::ranges::copy(packet.tag(additional, text), tag.begin());
}

}  // namespace portcullis::shadowland
