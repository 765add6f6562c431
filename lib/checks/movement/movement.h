#pragma once

#include "checks/check.h"
#include "checks/movement/fly.h"
#include "checks/movement/jump.h"
#include "checks/movement/no_fall.h"
#include "checks/movement/speed.h"
#include "checks/movement/step.h"

namespace portcullis::checks {

/// The family's checks; their names, settings, labels and docs follow from here.
using Movement = CheckList<Fly, Jump, NoFall, Speed, Step>;

}  // namespace portcullis::checks
