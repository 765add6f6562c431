#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "control/admin_server.h"
#include "control/state.h"

namespace portcullis::control {

/// What the admin socket understands (docs/OPERATIONS.md, "Admin socket").
///
///     {"command":"kick","player":"Alice","reason":"enough"}
///     {"ok":true,"result":{…}}    or    {"ok":false,"error":"one sentence"}
class AdminCommands {
public:
    using Reply = std::function<void(std::string answer)>;
    /// Reads the configuration anew, beside the loop; `done` hears what came of it.
    using Reload = std::function<void(std::function<void(const Json& result)> done,
                                      std::function<void(const std::string& error)> failed)>;

    AdminCommands(State& state, Reload reload) : state_(state), reload_(std::move(reload)) {}

    /// Never throws: what goes wrong is the answer.  `reply` is called once, here or later: for
    /// `reload`, what Workers are asked for, and what is to be on a disk first.  What is ordered
    /// is logged with who ordered it and what came of it.
    void answer(std::string_view request, const Peer& peer, const Reply& reply) noexcept;

private:
    State& state_;
    Reload reload_;
};

}  // namespace portcullis::control
