#pragma once

#include <array>
#include <cstddef>
#include <string>

namespace portcullis::evidence {

/// Which build this is: what the linker made of all that went into it.  Only the
/// same build reads a Snapshot, since that is memory as it was.
using BuildId = std::array<std::byte, 20>;

/// All zero when the program was linked without one.
BuildId this_build();
std::string to_string(const BuildId& id);

}  // namespace portcullis::evidence
