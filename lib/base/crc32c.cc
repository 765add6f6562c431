#include "base/crc32c.h"

#include <array>
#include <cstring>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#endif

namespace portcullis {

namespace {

constexpr uint32_t polynomial = 0x82f63b78;

consteval std::array<uint32_t, 256> make_table() {
    std::array<uint32_t, 256> table{};
    for (uint32_t byte = 0; byte < 256; ++byte) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? polynomial : 0);
        table[byte] = crc;
    }
    return table;
}

constexpr std::array<uint32_t, 256> table = make_table();

}  // namespace

uint32_t crc32c_by_table(Bytes in) noexcept {
    uint32_t crc = 0xffffffff;
    for (const std::byte byte : in) {
        crc = crc >> 8 ^ table[(crc ^ static_cast<uint8_t>(byte)) & 0xff];
    }
    return ~crc;
}

uint32_t crc32c(Bytes in) noexcept {
#if defined(__SSE4_2__)
    uint64_t crc = 0xffffffff;
    size_t at = 0;
    for (; in.size() - at >= 8; at += 8) {
        uint64_t word;
        std::memcpy(&word, in.data() + at, sizeof word);
        crc = _mm_crc32_u64(crc, word);
    }
    auto low = static_cast<uint32_t>(crc);
    for (; at < in.size(); ++at) low = _mm_crc32_u8(low, static_cast<uint8_t>(in[at]));
    return ~low;
#else
    return crc32c_by_table(in);
#endif
}

}  // namespace portcullis
