#pragma once

#include <functional>
#include <string>

#include "verdicts/entry.h"

namespace portcullis::actions {

/// Where each action says how it ended, once a verdict it was asked for.  Called
/// on the action's own thread; must not wait.
using Report = std::function<void(const verdicts::Outcome&)>;

/// How one thing outside stands now; `control::Condition` is made of it.
struct Standing {
    bool well = true;
    std::string says;
};

}  // namespace portcullis::actions
