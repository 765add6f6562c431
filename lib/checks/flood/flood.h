#pragma once

#include "checks/check.h"
#include "checks/flood/packets.h"
#include "checks/flood/slow.h"
#include "checks/flood/source_rate.h"

namespace portcullis::checks {

/// The family's checks; their names, settings, labels and docs follow from here.
using Flood = CheckList<FloodConnections, FloodGarbage, FloodLogins, FloodPackets, FloodSlow,
                        FloodStatus, FloodSyns>;

}  // namespace portcullis::checks
