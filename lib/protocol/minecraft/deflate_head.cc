#include "protocol/minecraft/deflate_head.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include <emmintrin.h>

namespace portcullis::minecraft {

namespace {

constexpr size_t literals_max = 286, distances_max = 30;  // RFC 1951 3.2.7
constexpr size_t end_of_block = 256;
constexpr unsigned code_bits_max = 15;

/// The bits of a stream, the low ones of a byte first (RFC 1951 3.1.1).
class Bits {
public:
    explicit Bits(Bytes in) noexcept : at_(in.data()), end_(in.data() + in.size()) {}

    /// Has at least 56 bits at hand, or all there are.
    void fill() noexcept {
        if (end_ - at_ >= 8) {
            uint64_t word;
            std::memcpy(&word, at_, sizeof word);
            held_ |= word << count_;
            at_ += (63 - count_) >> 3;
            count_ |= 56;
            return;
        }
        for (; count_ <= 56 && at_ < end_; count_ += 8) {
            held_ |= std::to_integer<uint64_t>(*at_++) << count_;
        }
    }
    /// The same with `bits`, which costs nothing while they are there.
    void want(unsigned bits) noexcept {
        if (count_ < bits) fill();
    }
    uint32_t peek(unsigned bits) const noexcept {
        return static_cast<uint32_t>(held_ & ((uint64_t{1} << bits) - 1));
    }
    /// False when the stream had ended before.
    bool drop(unsigned bits) noexcept {
        if (bits > count_) return false;
        held_ >>= bits;
        count_ -= bits;
        return true;
    }

private:
    const std::byte* at_;
    const std::byte* end_;
    uint64_t held_ = 0;
    unsigned count_ = 0;
};

/// How many symbols have codes of so many bits.
using Counts = std::array<uint16_t, code_bits_max + 1>;

/// Every string of bits is a code or begins with one, and only one.
bool complete(const Counts& counts) noexcept {
    int left = 1;
    for (unsigned bits = 1; bits <= code_bits_max; ++bits) {
        left = 2 * left - counts[bits];
        if (left < 0) return false;
    }
    return left == 0;
}

/// The same, asked of the codes' widths: a code of n bits takes 2^-n of all strings.
bool complete(std::span<const uint8_t> widths) noexcept {
    constexpr uint32_t all = 1u << code_bits_max;
    uint32_t taken = 0;
    for (const uint8_t width : widths) taken += width == 0 ? 0 : all >> width;
    return taken == all;
}

/// The codes of literals and lengths, by their widths.
struct Alphabet {
    /// In sixteens, for comparing; what is beyond the last symbol has width 0.
    alignas(16) std::array<uint8_t, 320> widths{};
    Counts counts{};

    /// The symbol whose place is `rank` among those of this width.
    size_t symbol(uint8_t width, unsigned rank) const noexcept {
        const __m128i wanted = _mm_set1_epi8(static_cast<char>(width));
        for (size_t at = 0; at < literals_max; at += 16) {
            const auto sixteen =
                _mm_load_si128(reinterpret_cast<const __m128i*>(widths.data() + at));
            auto equal = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(sixteen, wanted)));
            const auto many = static_cast<unsigned>(std::popcount(equal));
            if (rank >= many) {
                rank -= many;
                continue;
            }
            for (; rank > 0; --rank) equal &= equal - 1;
            return at + static_cast<size_t>(std::countr_zero(equal));
        }
        return end_of_block;
    }
};

constexpr Alphabet make_fixed() noexcept {
    Alphabet fixed;
    for (size_t i = 0; i < 288; ++i) {
        fixed.widths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
        ++fixed.counts[fixed.widths[i]];
    }
    return fixed;
}
constexpr Alphabet fixed_alphabet = make_fixed();  // RFC 1951 3.2.6

/// A symbol for each seven bits that may come: its number and its width, in one byte.
struct WidthCodes {
    static constexpr unsigned bits_max = 7;
    std::array<uint8_t, 1 << bits_max> entries;

    /// False unless the codes are complete: then each entry is made.
    bool make(const std::array<uint8_t, 19>& widths) noexcept {
        Counts counts{};
        for (const uint8_t width : widths) ++counts[width];
        counts[0] = 0;
        if (!complete(counts)) return false;
        std::array<uint16_t, bits_max + 1> next{};
        for (unsigned width = 1; width < bits_max; ++width) {
            next[width + 1] = static_cast<uint16_t>((next[width] + counts[width]) << 1);
        }
        for (size_t symbol = 0; symbol < widths.size(); ++symbol) {
            const uint8_t width = widths[symbol];
            if (width != 0) put(symbol, width, next[width]++);
        }
        return true;
    }

private:
    /// Codes come with their high bit first, bits with the low one.
    static constexpr std::array<uint8_t, 1 << bits_max> reversed = [] {
        std::array<uint8_t, 1 << bits_max> bytes{};
        for (size_t bits = 0; bits < bytes.size(); ++bits) {
            for (unsigned i = 0; i < bits_max; ++i) {
                bytes[bits] |= static_cast<uint8_t>((bits >> i & 1) << (bits_max - 1 - i));
            }
        }
        return bytes;
    }();

    void put(size_t symbol, unsigned width, unsigned code) noexcept {
        const unsigned first = reversed[code << (bits_max - width)];
        for (size_t i = first; i < entries.size(); i += size_t{1} << width) {
            entries[i] = static_cast<uint8_t>(symbol << 3 | width);
        }
    }
};

/// The widths of the width codes, in the order of RFC 1951 3.2.7.
bool read_width_codes(Bits& bits, size_t count, WidthCodes& codes) noexcept {
    constexpr std::array<uint8_t, 19> order = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                               11, 4,  12, 3, 13, 2, 14, 1, 15};
    std::array<uint8_t, 19> widths{};
    bits.fill();
    for (size_t i = 0; i < count; ++i) {
        if (i == 16) bits.fill();
        widths[order[i]] = static_cast<uint8_t>(bits.peek(3));
        if (!bits.drop(3)) return false;
    }
    return codes.make(widths);
}

/// Reads how the block's codes are built; what follows are its symbols.
bool read_alphabet(Bits& bits, Alphabet& alphabet) noexcept {
    bits.fill();
    const size_t literals = bits.peek(5) + 257;
    const size_t all = literals + (bits.peek(10) >> 5) + 1;
    const size_t width_codes = (bits.peek(14) >> 10) + 4;
    if (!bits.drop(14) || literals > literals_max || all - literals > distances_max) return false;
    WidthCodes codes;
    if (!read_width_codes(bits, width_codes, codes)) return false;

    uint8_t* const widths = alphabet.widths.data();
    for (size_t i = 0; i < all;) {
        bits.want(WidthCodes::bits_max + 7);
        const uint8_t entry = codes.entries[bits.peek(WidthCodes::bits_max)];
        const unsigned symbol = entry >> 3;
        if (!bits.drop(entry & 7)) return false;
        if (symbol < 16) {
            if (i < literals) ++alphabet.counts[symbol];
            widths[i++] = static_cast<uint8_t>(symbol);
            continue;
        }
        if (symbol == 16 && i == 0) return false;
        const uint8_t width = symbol == 16 ? widths[i - 1] : uint8_t{0};
        const unsigned extra = symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
        const size_t times = bits.peek(extra) + (symbol == 18 ? 11u : 3u);
        if (!bits.drop(extra) || times > all - i) return false;
        const size_t end = i + times;
        const size_t counted = std::min(end, literals) - std::min(i, literals);
        alphabet.counts[width] = static_cast<uint16_t>(alphabet.counts[width] + counted);
        if (width == 0) i = end;  // As they are.
        while (i < end) widths[i++] = width;
    }
    // What was read last are the distances' codes, which no id needs but a block must have right.
    if (!complete({widths + literals, all - literals})) return false;
    std::memset(widths + literals, 0, all - literals);
    alphabet.counts[0] = 0;
    return widths[end_of_block] != 0 && complete(alphabet.counts);
}

size_t read_symbol(Bits& bits, const Alphabet& alphabet) noexcept {
    bits.fill();
    unsigned code = 0, first = 0;
    for (unsigned width = 1; width <= code_bits_max; ++width) {
        code |= bits.peek(1);
        if (!bits.drop(1)) return end_of_block;
        const unsigned count = alphabet.counts[width];
        if (code < first + count) return alphabet.symbol(static_cast<uint8_t>(width), code - first);
        first = (first + count) << 1;
        code <<= 1;
    }
    return end_of_block;
}

bool is_zlib(Bytes in) noexcept {
    // Method 8, a window of at most 32 KiB, no dictionary, and the check of RFC 1950 2.2.
    if (in.size() < 2) return false;
    const auto method = std::to_integer<unsigned>(in[0]);
    const auto flags = std::to_integer<unsigned>(in[1]);
    return (method & 0x0f) == 8 && method <= 0x78 && (flags & 0x20) == 0 &&
           (method << 8 | flags) % 31 == 0;
}

}  // namespace

DeflateHead DeflateHead::read(Bytes zlib_stream) noexcept {
    if (!is_zlib(zlib_stream)) return {};
    Bits bits(zlib_stream.subspan(2));
    bits.fill();
    const uint32_t type = bits.peek(3) >> 1;
    if (!bits.drop(3)) return {};
    Alphabet own;
    const Alphabet* alphabet = &fixed_alphabet;
    if (type == 2) {
        if (!read_alphabet(bits, own)) return {};
        alphabet = &own;
    } else if (type != 1) {
        return {};
    }
    DeflateHead head;
    while (head.size < size_max) {
        const size_t symbol = read_symbol(bits, *alphabet);
        if (symbol >= end_of_block) return {};
        head.bytes[head.size++] = static_cast<std::byte>(symbol);
        if (symbol < 0x80) return head;
    }
    return {};
}

}  // namespace portcullis::minecraft
