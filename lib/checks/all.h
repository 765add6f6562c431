#pragma once

#include "checks/combat/combat.h"
#include "checks/digging/digging.h"
#include "checks/exploit/exploit.h"
#include "checks/flood/flood.h"
#include "checks/movement/movement.h"
#include "checks/packets/packets.h"
#include "checks/timing/timing.h"

namespace portcullis::checks {

/// Every check of a Minecraft player.  A CheckId is the place in this list.
using MinecraftChecks = JoinedLists<Combat, Digging, Exploit, Flood, Movement, Packets, Timing>;

}  // namespace portcullis::checks
