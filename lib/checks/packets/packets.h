#pragma once

#include "checks/check.h"
#include "checks/packets/impossible.h"
#include "checks/packets/malformed.h"
#include "checks/packets/not_finite.h"
#include "checks/packets/pitch.h"

namespace portcullis::checks {

/// The family's checks; their names, settings, labels and docs follow from here.
using Packets = CheckList<Impossible, Malformed, NotFinite, Pitch>;

}  // namespace portcullis::checks
