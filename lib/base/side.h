#pragma once

#include <cstdint>

#include "base/names.h"

namespace portcullis {

/// The two ports of a wire: players outside, servers inside.
enum class Side : uint8_t { outside, inside, count };
inline constexpr NameTable<Side> side_names = {"outside", "inside"};
static_assert(complete(side_names));

constexpr Side opposite(Side s) noexcept {
    return s == Side::outside ? Side::inside : Side::outside;
}

}  // namespace portcullis
