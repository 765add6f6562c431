#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "control/admin_server.h"
#include "pipeline/wire_side.h"

namespace portcullis::control {

/// The key socket: servers and proxies hand over session keys here, a line each (see
/// keys/parse.h), and are answered a line: {"ok":true}, or why not.
///
/// Who may speak is the socket file's permission, 0660, and beside that his process's
/// own credentials: root, the appliance's user, or a member of its group.  A key goes on
/// to the Workers at once and nowhere else.
class KeyFeed {
public:
    KeyFeed(asio::io_context& loop, const std::string& path, pipeline::WireSide& wire);

    void stop() { server_.stop(); }

    struct Counts {
        uint64_t taken = 0, refused = 0;
    };
    const Counts& counts() const noexcept { return counts_; }

private:
    std::string answer(std::string_view line);

    pipeline::WireSide& wire_;
    Counts counts_;
    AdminServer server_;
};

}  // namespace portcullis::control
