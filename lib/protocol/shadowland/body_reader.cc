#include "protocol/shadowland/body_reader.h"

namespace portcullis::shadowland {

namespace {

constexpr unsigned varint_size_max = 5;
constexpr uint8_t varint_last_max = 0x0f;  ///< A fifth byte has only 4 bits of 32 left.

/// How long the character that begins with `lead` is, and the least that needs it; 0: none does.
struct Lead {
    unsigned size;
    uint32_t bits;
    uint32_t least;
};
constexpr Lead lead_of(uint8_t lead) noexcept {
    if (lead < 0x80) return {1, lead, 0};
    if (lead >> 5 == 0x06) return {2, lead & 0x1fu, 0x80};
    if (lead >> 4 == 0x0e) return {3, lead & 0x0fu, 0x800};
    if (lead >> 3 == 0x1e) return {4, lead & 0x07u, 0x10000};
    return {0, 0, 0};
}

}  // namespace

bool valid_utf8(std::string_view text) noexcept {
    for (size_t at = 0; at < text.size();) {
        const Lead lead = lead_of(static_cast<uint8_t>(text[at]));
        if (lead.size == 0 || lead.size > text.size() - at) return false;
        uint32_t character = lead.bits;
        for (unsigned i = 1; i < lead.size; ++i) {
            const auto byte = static_cast<uint8_t>(text[at + i]);
            if ((byte & 0xc0) != 0x80) return false;
            character = character << 6 | (byte & 0x3f);
        }
        const bool surrogate = character >= 0xd800 && character <= 0xdfff;
        if (character < lead.least || character > 0x10ffff || surrogate) return false;
        at += lead.size;
    }
    return true;
}

int32_t BodyReader::varint() noexcept {
    uint32_t raw = 0;
    for (unsigned i = 0; i < varint_size_max; ++i) {
        const uint8_t byte = u8();
        if (!ok()) return 0;
        const bool too_large = i + 1 == varint_size_max && byte > varint_last_max;
        const bool not_shortest = i > 0 && byte == 0;
        if (too_large || not_shortest) {
            fail(Error::varint);
            return 0;
        }
        raw |= static_cast<uint32_t>(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) break;
    }
    return static_cast<int32_t>(raw >> 1 ^ (0u - (raw & 1)));
}

}  // namespace portcullis::shadowland
