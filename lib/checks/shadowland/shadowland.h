#pragma once

#include "checks/shadowland/actions.h"
#include "checks/shadowland/movement.h"
#include "checks/shadowland/wire.h"

namespace portcullis::checks {

/// The checks of Shadowland; their names, settings, labels and docs follow from here.
using Shadowland = JoinedLists<ShadowlandWire, ShadowlandMovement, ShadowlandActions>;

}  // namespace portcullis::checks
