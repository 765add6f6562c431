#pragma once

#include "checks/check.h"
#include "checks/flood/packets.h"

namespace portcullis::checks {

/// The family's checks; their names, settings, labels and docs follow from here.
using Flood = CheckList<FloodPackets>;

}  // namespace portcullis::checks
