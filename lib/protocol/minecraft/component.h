#pragma once

#include <string_view>

#include "base/bytes.h"

namespace portcullis::minecraft {

/// The words of a chat component, its formatting left out: what a person would read
/// (translation keys stand for themselves).  Written to `out` as far as there is room.
std::string_view plain_text_of_json(std::string_view json, MutableBytes out) noexcept;
/// The same for components sent as NBT, protocol 765 on.
std::string_view plain_text_of_nbt(Bytes nbt, MutableBytes out) noexcept;

}  // namespace portcullis::minecraft
