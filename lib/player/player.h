#pragma once

#include <cstdint>

#include "base/time.h"
#include "protocol/event.h"

namespace portcullis {

/// Where in the stream toward the client things stand: what the client's TCP
/// has not acknowledged, its game can not have applied yet.
struct Line {
    uint64_t sent_bytes = 0;   ///< To the client, ends with the frame that is being told.
    uint64_t acked_bytes = 0;  ///< Of those, acknowledged by the client's TCP.
};

/// The Player: what the server must believe about one client, built from both
/// directions.
class Player {
public:
    Nanos now{};
    Line line;
    int32_t version = 0;
};

}  // namespace portcullis
