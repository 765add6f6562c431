#pragma once

#include <array>
#include <cstddef>

#include "protocol/shadowland/traffic.h"
#include "stages/count.h"

namespace portcullis::stages {

/// What one Worker counts of one Shadowland service.
struct ShadowlandCounts {
    template <class Enum>
    using Each = std::array<Count, static_cast<size_t>(Enum::count)>;

    std::array<Each<shadowland::DatagramFate>, 2> datagrams;  ///< By direction.
    Each<shadowland::ConnectFate> connects;
    Each<shadowland::SyncPace> paces;
    Each<shadowland::MessageKind> messages, bytes, saved_bytes, wasted_bytes;
    Count round_trips, round_trip_us;  ///< Their number, and their sum.
    Count epochs;                      ///< Keys that sessions changed to.
    Count sessions_begun;
};

}  // namespace portcullis::stages
