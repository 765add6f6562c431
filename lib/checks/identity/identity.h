#pragma once

#include "checks/check.h"
#include "checks/identity/forwarding.h"
#include "checks/identity/handshake.h"
#include "checks/identity/name.h"

namespace portcullis::checks {

/// The family's checks; their names, settings, labels and docs follow from here.
using Identity = CheckList<Forwarding, IdentityHandshake, IdentityName>;

}  // namespace portcullis::checks
