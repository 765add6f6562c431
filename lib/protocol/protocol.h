#pragma once

#include <cstddef>
#include <cstdint>

#include "base/names.h"

namespace portcullis::protocol {

/// Which game a Service speaks: one over TCP, one over UDP, and so stages tell them
/// apart by `Flow::is_tcp()`.  A third needs its Protocol in the Flow first, in place of
/// every such question of decode, detect and tell, and of `rule_set.cc` and `tally.cc`.
enum class Protocol : uint8_t { minecraft, shadowland, count };
inline constexpr NameTable<Protocol> protocol_names = {"minecraft", "shadowland"};
static_assert(complete(protocol_names));

enum class Direction : uint8_t { to_server, to_client, count };
inline constexpr NameTable<Direction> direction_names = {"c2s", "s2c"};
static_assert(complete(direction_names));

constexpr Direction opposite(Direction d) noexcept {
    return d == Direction::to_server ? Direction::to_client : Direction::to_server;
}

/// What a stream decoder did with the bytes it was offered.
struct Progress {
    /// Bytes it is done with.  The rest is offered again, with more behind it.
    size_t consumed = 0;
    /// Bytes after those that it does not want to see: they pass unbuffered.
    size_t skip = 0;
    /// It will never want a byte of this direction again (opaque, broken).
    bool finished = false;
};

}  // namespace portcullis::protocol
