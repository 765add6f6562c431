#pragma once

#include <string>
#include <string_view>
#include <type_traits>

namespace portcullis {

/// One sentence out of texts and numbers, for messages of the slow side.
template <class... Part>
std::string concat(const Part&... part) {
    std::string text;
    const auto add = [&text](const auto& value) {
        if constexpr (std::is_arithmetic_v<std::remove_cvref_t<decltype(value)>>) {
            text += std::to_string(value);
        } else {
            text += std::string_view(value);
        }
    };
    (add(part), ...);
    return text;
}

}  // namespace portcullis
