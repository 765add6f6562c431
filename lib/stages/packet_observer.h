#pragma once

#include "base/time.h"

namespace portcullis {
struct Flow;
}
namespace portcullis::minecraft {
struct Frame;
}

namespace portcullis::stages {

/// Hears of every decoded game packet, in order: `inspect --packets`.  There is
/// none in a running appliance, and a null pointer costs a Worker nothing.  What
/// it does need not be quick, so it may allocate and write.
class PacketObserver {
public:
    virtual ~PacketObserver() = default;
    /// `frame` and the bytes in it are only there during the call.
    virtual void on_packet(const Flow& flow, const minecraft::Frame& frame, Nanos now) noexcept = 0;
};

}  // namespace portcullis::stages
