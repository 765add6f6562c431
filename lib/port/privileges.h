#pragma once

#include <cstdint>
#include <string>

/// What of root's power stays once the ports are open: what their drivers need to open
/// them again, and nothing else.
namespace portcullis::port {

/// A set of capabilities (capabilities(7)), a bit each.
using Capabilities = uint64_t;

/// Takes all but `kept` from every thread of this process for good: from those that
/// run already and from all that they start.  Throws SetupError when one keeps more.
void drop_capabilities(Capabilities kept);

/// What the thread with the most may do now.
Capabilities effective_capabilities();

/// "net_admin, net_raw"; "none".
std::string capabilities_text(Capabilities capabilities);

}  // namespace portcullis::port
