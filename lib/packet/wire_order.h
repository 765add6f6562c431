#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace portcullis {

/// Integers as they stand on the wire, big-endian and wherever they happen to lie.
inline uint16_t load_be16(const std::byte* at) noexcept {
    uint16_t v;
    std::memcpy(&v, at, sizeof v);
    return std::byteswap(v);
}
inline uint32_t load_be32(const std::byte* at) noexcept {
    uint32_t v;
    std::memcpy(&v, at, sizeof v);
    return std::byteswap(v);
}
inline void store_be16(std::byte* at, uint16_t v) noexcept {
    v = std::byteswap(v);
    std::memcpy(at, &v, sizeof v);
}
inline void store_be32(std::byte* at, uint32_t v) noexcept {
    v = std::byteswap(v);
    std::memcpy(at, &v, sizeof v);
}
static_assert(std::endian::native == std::endian::little);

}  // namespace portcullis
