#pragma once

#include <cstdint>

#include "base/reader.h"
#include "protocol/event.h"

namespace portcullis::minecraft {

/// Compounds and lists in each other, at most: what vanilla reads.
inline constexpr unsigned nbt_depth_max = 512;

/// NBT: a type byte, a name (the root has none from protocol 764 on), a payload.
enum class NbtRoot : uint8_t { nameless, named };

/// Steps over one NBT value.  False: it is malformed, and `fault` says how.  Takes time
/// in proportion to the bytes read and a fixed room on the stack.
bool skip_nbt(Reader& in, NbtRoot root, protocol::Fault& fault) noexcept;

}  // namespace portcullis::minecraft
