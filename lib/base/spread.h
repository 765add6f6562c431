#pragma once

#include <cstdint>

namespace portcullis {

/// Neighbouring values must not be neighbours in any bits.  The multiplier is the one of
/// degski's 64-bit mixer.
constexpr uint64_t spread(uint64_t h) noexcept {
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

}  // namespace portcullis
