#pragma once

#include "checks/check.h"
#include "checks/packets/not_finite.h"

namespace portcullis::checks {

/// The family's checks; their names, settings, labels and docs follow from here.
using Packets = CheckList<NotFinite>;

}  // namespace portcullis::checks
