#pragma once

#include "checks/check.h"

namespace portcullis::checks {

/// The family's checks; their names, settings, labels and docs follow from here.
using Flood = CheckList<>;

}  // namespace portcullis::checks
