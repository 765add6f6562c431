#pragma once

#include "base/time.h"

namespace portcullis {

/// Now, since the Unix epoch, for the slow side; hot code never asks a clock.
inline Nanos wall_clock() {
    return std::chrono::duration_cast<Nanos>(std::chrono::system_clock::now().time_since_epoch());
}

}  // namespace portcullis
