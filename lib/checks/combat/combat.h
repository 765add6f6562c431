#pragma once

#include "checks/check.h"
#include "checks/combat/aim.h"
#include "checks/combat/click_rate.h"
#include "checks/combat/multi_target.h"
#include "checks/combat/no_swing.h"
#include "checks/combat/reach.h"

namespace portcullis::checks {

/// The family's checks; their names, settings, labels and docs follow from here.
using Combat = CheckList<Aim, ClickRate, MultiTarget, NoSwing, Reach>;

}  // namespace portcullis::checks
