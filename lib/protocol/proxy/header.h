#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/ip.h"

/// The PROXY protocol, versions 1 and 2 (HAProxy, doc/proxy-protocol.txt): what a
/// load balancer says of a connection before the connection's own first byte.
namespace portcullis::proxy {

/// The longest line of version 1, its end included.
inline constexpr size_t line_size_max = 107;
/// The longest header of version 2 that is believed; readers that take a longer one (its length
/// is 16 bits wide) go on behind it.  Addresses take 232 bytes at most,
/// and all that balancers are known to add (certificates' names, ids) a few hundred.
inline constexpr size_t header_size_max = 4096;

struct Header {
    enum class Status : uint8_t {
        absent,  ///< The connection begins with something else.
        need_more,
        whole,
        malformed,  ///< Begins like a header and is none, or says what can not be.
    };

    Status status = Status::absent;
    /// Bytes it takes; malformed: 0 when nobody can say, and perhaps more than are there.
    size_t size = 0;
    uint8_t version = 0;
    /// False: the balancer speaks for itself (health checks) or can not tell
    /// (UNKNOWN, LOCAL, Unix sockets), so the connection's own addresses hold.
    bool has_addresses = false;
    Endpoint source{};       ///< Who connected to the balancer,
    Endpoint destination{};  ///< and where to.
};

/// Reads what stands at the front of `in`.  Never allocates or reads outside `in`; the
/// same bytes cut shorter give `need_more` or the same answer.
Header read_header(Bytes in) noexcept;

}  // namespace portcullis::proxy
