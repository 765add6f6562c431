#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <emmintrin.h>

#include "base/bytes.h"
#include "base/ip.h"

namespace portcullis {

/// The Internet checksum (RFC 1071).  A sum is kept unfolded and in the
/// machine's byte order, which gives the same result (RFC 1071 2.B).
class ChecksumSum {
public:
    /// `bytes` must start at an even place of what is summed.
    void add(Bytes bytes) noexcept {
        const std::byte* at = bytes.data();
        size_t left = bytes.size();
        // Words of 32 bits into 64: no carry is lost below 16 GiB.  Two sums, so
        // that one addition does not wait for the other.
        const __m128i low = _mm_set1_epi64x(0xffffffff);
        __m128i evens = _mm_setzero_si128(), odds = _mm_setzero_si128();
        for (; left >= 16; at += 16, left -= 16) {
            const __m128i four = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
            evens = _mm_add_epi64(evens, _mm_and_si128(four, low));
            odds = _mm_add_epi64(odds, _mm_srli_epi64(four, 32));
        }
        const __m128i both = _mm_add_epi64(evens, odds);
        auto even = static_cast<uint64_t>(_mm_cvtsi128_si64(both));
        auto odd = static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(both, both)));
        if ((left & 8) != 0) {
            const auto pair = load<uint64_t>(at);
            even += pair & 0xffffffff;
            odd += pair >> 32;
            at += 8;
        }
        if ((left & 4) != 0) {
            even += load<uint32_t>(at);
            at += 4;
        }
        if ((left & 2) != 0) {
            odd += load<uint16_t>(at);
            at += 2;
        }
        // An odd last byte counts as if a zero followed.
        if ((left & 1) != 0) odd += std::to_integer<uint64_t>(*at);
        sum_ += even + odd;
    }
    void add_be16(uint16_t value) noexcept { add_word(std::byteswap(value)); }
    void add_word(uint16_t value) noexcept { sum_ += value; }  ///< As it lies in memory.
    /// All ones when what was added holds its own correct checksum.
    uint16_t folded() const noexcept {
        uint64_t sum = (sum_ & 0xffffffff) + (sum_ >> 32);
        sum = (sum & 0xffffffff) + (sum >> 32);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        return static_cast<uint16_t>(sum);
    }
    /// What goes into the checksum field, ready to be copied there.
    uint16_t field() const noexcept { return static_cast<uint16_t>(~folded()); }

private:
    template <class Integer>
    static Integer load(const std::byte* at) noexcept {
        Integer value;
        std::memcpy(&value, at, sizeof value);
        return value;
    }
    uint64_t sum_ = 0;
};

/// The sum of `l4` with the pseudo header of RFC 9293 3.1 and RFC 8200 8.1.
ChecksumSum l4_sum(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                   Bytes l4) noexcept;

/// The checksum field after bytes it covers changed from `before` to `after`,
/// which have the same size; `odd` when they start at an odd place (RFC 1624).
uint16_t adjusted_checksum(uint16_t field, Bytes before, Bytes after, bool odd) noexcept;

}  // namespace portcullis
