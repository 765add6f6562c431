#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace portcullis::minecraft {

/// The packet id at the front of a compressed packet, and not a byte more.
///
/// Most of what a server sends compressed is terrain that nobody here reads, but to know
/// that, its id must be known.  A library builds the tables for a whole block first;
/// one or two symbols are found without any, in a fraction of the time.
struct DeflateHead {
    static constexpr size_t size_max = 2;

    std::array<std::byte, size_max> bytes{};
    size_t size = 0;  ///< 0: nothing simple; a library shall look.

    Bytes id() const noexcept { return Bytes(bytes).first(size); }

    /// Takes a sound zlib header and block header and a VarInt of one or two plain
    /// literals.  Everything else, broken or short or merely rare, is "nothing simple".
    static DeflateHead read(Bytes zlib_stream) noexcept;
};

}  // namespace portcullis::minecraft
