#pragma once

#include <cstdint>

#include "base/names.h"
#include "base/time.h"
#include "protocol/shadowland/header.h"
#include "protocol/shadowland/traffic.h"

namespace portcullis::shadowland {

/// What a packet broke, by the name of the check that says so.
enum class Fault : uint8_t {
    header_invalid,
    crc_bad,
    cookie_forged,
    cookie_expired,
    session_hijack,
    crypto_downgrade,
    crypto_forged,
    replay_window,
    message_malformed,
    message_direction,
    rekey_invalid,
    reliable_abuse,
    fragments_invalid,
    fragments_overlap,
    fragments_flood,
    fragments_timeout,
    compression_bomb,
    compression_malformed,
    heartbeat_missing,
    heartbeat_forged,
    integrity_failed,
    rate_flood,
    handshake_flood,
    count
};

/// A packet, or its absence, that no honest peer's is.
struct Violation {
    Fault fault{};
    Error error = Error::none;
    /// Who sent it is beyond doubt: it carried the session's tag, or the session
    /// is plain and its sum and its id were right.  Otherwise anybody may have, and it
    /// is on no player's account.
    bool proven = false;
    /// The packet is one of too many, and not itself to blame: it goes on.
    bool innocent = false;
    /// It hangs on what others do, or on secrets: the packets of its session do not show it.
    bool by_others = false;
    float confidence = 1;
    double observed = 0;
    double limit = 0;
    std::string_view unit = {};
    std::string_view note = {};
};

/// One datagram of a session, or of the handshake before it.
struct PacketSeen {
    Header header;
    size_t size = 0;
    Error error = Error::none;
    bool fresh = false;   ///< Its receiver believes it and has not seen it before.
    bool opened = false;  ///< What it holds could be read.
    /// Its receiver holds it back until one before it on channel 1 has come.
    bool waits = false;
    uint32_t epoch = 0;  ///< Meaningful when encrypted and opened.
};

/// The server said something that could not be read and never will be: its key came too
/// late, or not at all for an epoch.
struct Missed {
    bool reliable = false;  ///< On channels 1 and 2 too, and with it who and where the client is.
};

/// The client has all that the server sent on a reliable channel up to a sequence.
struct Delivered {
    Channel channel = Channel::reliable_ordered;
    uint64_t sequence = 0;
};

/// The client's round trip, each time it answers a Ping.
struct RoundTrip {
    double ms = 0;
};

}  // namespace portcullis::shadowland
