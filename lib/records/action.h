#pragma once

#include <cstdint>

#include "base/names.h"

namespace portcullis::policy {

/// What is done about a Finding, mildest first.
enum class Action : uint8_t {
    log,         ///< Write it down.
    alert,       ///< And tell people.
    drop,        ///< And the packet does not go on (UDP; TCP: as neutralise or sever).
    neutralise,  ///< And the game packet goes on harmless.
    sever,       ///< And the connection is reset on both sides.
    kick,        ///< And the player reads why: game disconnect, then reset.
    block,       ///< And the address stays out for a time.
    count
};
inline constexpr NameTable<Action> action_names = {"log",   "alert", "drop", "neutralise",
                                                   "sever", "kick",  "block"};
static_assert(complete(action_names));

}  // namespace portcullis::policy
