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

/// Some of them.
class SideSet {
public:
    constexpr SideSet() noexcept = default;
    constexpr explicit SideSet(Side side) noexcept : bits_(bit(side)) {}

    constexpr bool operator==(const SideSet&) const noexcept = default;
    constexpr bool has(Side side) const noexcept { return (bits_ & bit(side)) != 0; }
    constexpr bool empty() const noexcept { return bits_ == 0; }
    constexpr bool both() const noexcept {
        return bits_ == (bit(Side::outside) | bit(Side::inside));
    }
    constexpr void add(SideSet sides) noexcept { bits_ |= sides.bits_; }

private:
    static constexpr uint8_t bit(Side side) noexcept {
        return static_cast<uint8_t>(1u << static_cast<unsigned>(side));
    }
    uint8_t bits_ = 0;
};

}  // namespace portcullis
