#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/utf8.h"

namespace portcullis {

/// A short text that lives where it stands, for plain structs that cross rings.
/// Longer texts are cut to `Size` bytes, between two characters.
template <size_t Size>
class InlineText {
    static_assert(Size < 256);

public:
    constexpr InlineText() noexcept = default;
    constexpr InlineText(std::string_view text) noexcept { assign(text); }

    constexpr void assign(std::string_view text) noexcept {
        const std::string_view kept = utf8_beginning(text, Size);
        size_ = static_cast<uint8_t>(kept.size());
        std::copy_n(kept.data(), size_, data_.data());
    }

    constexpr std::string_view view() const noexcept { return {data_.data(), size_}; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    constexpr bool operator==(const InlineText& other) const noexcept {
        return view() == other.view();
    }

private:
    uint8_t size_ = 0;
    std::array<char, Size> data_{};
};

}  // namespace portcullis
