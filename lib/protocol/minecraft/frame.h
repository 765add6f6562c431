#pragma once

#include <string_view>

#include "base/bytes.h"
#include "protocol/minecraft/packets.h"
#include "protocol/minecraft/session.h"

namespace portcullis::minecraft {

struct Program;

/// One whole game packet, or the news that one goes by unread.
///
/// Told before the events that it holds.  `body` is a view that ends with the
/// call.  In an uncompressed stream in plain it points into the bytes that were fed,
/// so a stage that rewrites a packet in place finds it at `offset`.
struct Frame {
    Direction direction{};
    State state{};  ///< Of this direction when the frame was sent.
    Packet packet = Packet::unknown;
    int32_t id = -1;  ///< As on the wire; -1: could not be read.
    int32_t version = 0;
    size_t offset = 0;       ///< Of the length prefix, in the bytes fed.
    size_t wire_size = 0;    ///< On the wire, length prefix included.
    size_t body_offset = 0;  ///< Of the body in the bytes fed; 0 when it lies elsewhere.
    size_t size = 0;         ///< Of id and fields once uncompressed, as declared.
    bool compressed = false;
    bool enciphered = false;
    bool has_body = false;     ///< False: passed by unread.
    bool size_lies = false;    ///< It inflated to another size: `body` is what servers read.
    uint32_t register_at = 0;  ///< Enciphered: where in the bytes fed its Half's register stands.
    Bytes body;                ///< The fields after the id.
    const Program* program = nullptr;  ///< How to read the fields; null: no layout is kept.

    std::string_view name() const noexcept { return packet_name(packet); }
    /// `body` holds its first bytes only: it is too long to be read whole.
    bool cut_short() const noexcept { return has_body && body.size() + 5 < size; }
};

/// It is cleared for every packet, and what is longer is cleared in twice the time.
static_assert(sizeof(Frame) <= 80);

}  // namespace portcullis::minecraft
