#pragma once

#include "checks/check.h"
#include "checks/timing/timer.h"

namespace portcullis::checks {

/// The family's checks; their names, settings, labels and docs follow from here.
using Timing = CheckList<Timer>;

}  // namespace portcullis::checks
