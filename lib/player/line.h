#pragma once

#include <cstdint>

namespace portcullis {

/// Where in the stream toward the client things stand: what the client's TCP
/// has not acknowledged, its game can not have applied yet.
struct Line {
    uint64_t sent_bytes = 0;   ///< To the client, ends with the frame that is being told.
    uint64_t acked_bytes = 0;  ///< Of those, acknowledged by the client's TCP.
    /// That TCP is a proxy's: its acknowledgements say nothing of the player's own line.
    bool to_proxy = false;
    /// That proxy may speak for a client of another version: it makes packets of its own,
    /// holds some back, and the version is the one that it speaks.
    bool translated = false;
    /// Who says that he plays with Vivecraft is believed; anybody may say so.
    bool believes_vivecraft = false;
};

}  // namespace portcullis
