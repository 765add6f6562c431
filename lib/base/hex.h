#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

/// Hexadecimal digits: written in small letters, read in any.
namespace portcullis {

inline constexpr std::string_view hex_digits = "0123456789abcdef";

/// Of a digit; -1 for what is none.
constexpr int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Gives both digits of an octet to `put(char)`.
template <class Put>
constexpr void put_hex(uint8_t octet, Put&& put) {
    put(hex_digits[octet >> 4]);
    put(hex_digits[octet & 0xf]);
}

inline void append_hex(std::string& out, Bytes bytes) {
    for (const std::byte byte : bytes) {
        put_hex(std::to_integer<uint8_t>(byte), [&](char digit) { out += digit; });
    }
}

/// How many bytes were written; 0 when the text is no hex or does not fit.
constexpr size_t from_hex(std::string_view digits, MutableBytes out) noexcept {
    if (digits.size() % 2 != 0 || digits.size() / 2 > out.size()) return 0;
    for (size_t i = 0; i < digits.size(); i += 2) {
        const int high = hex_value(digits[i]), low = hex_value(digits[i + 1]);
        if (high < 0 || low < 0) return 0;
        out[i / 2] = static_cast<std::byte>(high << 4 | low);
    }
    return digits.size() / 2;
}

}  // namespace portcullis
