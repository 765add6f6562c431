#pragma once

#include "checks/check.h"
#include "checks/digging/fast.h"
#include "checks/digging/order.h"
#include "checks/digging/several.h"

namespace portcullis::checks {

/// The family's checks; their names, settings, labels and docs follow from here.
using Digging = CheckList<DigFast, DigOrder, DigSeveral>;

}  // namespace portcullis::checks
