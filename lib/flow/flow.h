#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "base/side.h"
#include "base/time.h"
#include "flow/flow_key.h"
#include "packet/link_header.h"
#include "protocol/protocol.h"
#include "stream/connection.h"

namespace portcullis {

/// What we do with the packets of a Flow.
enum class FlowState : uint8_t {
    inspected,  ///< Every packet goes through the decoder.
    bypass,     ///< on_failure said open: its packets pass uninspected.
    opaque,     ///< Inspected, but encrypted without a key; only reports tell it apart.
    dead,       ///< We ended it; whatever still comes is dropped.
    count
};
inline constexpr NameTable<FlowState> flow_state_names = {"inspected", "bypass", "opaque", "dead"};
static_assert(complete(flow_state_names));
static_assert(size_t(FlowState::count) < 8, "three bits in a Flow");

/// Our memory of one connection.  Made when the client completes its handshake: TCP's,
/// or the session's that is spoken over UDP.
///
/// The first cache line finds it and says what to do; the Connection follows.
struct alignas(64) Flow {
    static constexpr uint32_t none = UINT32_MAX;  ///< No handle.

    FlowKey key;
    Nanos last_seen{};
    uint32_t session = none;  ///< Handle of the decoder's state; decode's pool.
    uint32_t player = none;   ///< Handle of Player and checks; detect's pool.
    uint8_t service = 0;      ///< Index of the rule set's services.
    uint8_t wire = 0;
    FlowState state : 3 = FlowState::inspected;
    bool client_is_low : 1 = true;
    bool client_outside : 1 = true;      ///< The Side the client's packets come in on.
    bool client_both_sides : 1 = false;  ///< The wire lies twice on their way.
    bool reopening : 1 = false;          ///< A new handshake on the same ports is under way.
    bool kick_waiting : 1 = false;       ///< enforce waits for a message boundary.
    bool link_known_server : 1 = false;  ///< A frame of the server's was seen.
    bool link_known_client : 1 = false;  ///< A frame of the client's was seen.
    bool said_goodbye : 1 = false;       ///< A session over UDP ended; late packets still come.
    bool early_data : 1 = false;  ///< The server took a SYN's data; decode has it yet to read.
    bool suspect : 1 = false;     ///< Its packets are recorded, as evidence.
    /// Past its login, or nobody can say, as where it is encrypted: it may stay.  Who is known
    /// to play is `Account::logged_in`.
    bool let_in : 1 = false;
    /// In ms, wrapping after 49 days.  While it lives: when it began.  Once dead: before
    /// this none of its packets is answered.
    uint32_t moment_ms = 0;

    stream::Connection connection;  ///< Of a TCP flow.

    static uint32_t in_ms(Nanos t) noexcept {
        return static_cast<uint32_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(t).count());
    }
    /// Of a living one.
    Nanos age(Nanos now) const noexcept {
        return std::chrono::milliseconds(in_ms(now) - moment_ms);
    }
    Endpoint client() const noexcept { return client_is_low ? key.low : key.high; }
    Endpoint server() const noexcept { return client_is_low ? key.high : key.low; }
    bool is_tcp() const noexcept { return key.protocol == ip_protocol_tcp; }
    Side client_side() const noexcept { return client_outside ? Side::outside : Side::inside; }
    /// The port through which frames in this direction leave.
    Side way_out(protocol::Direction direction) const noexcept {
        return direction == protocol::Direction::to_client ? client_side()
                                                           : opposite(client_side());
    }
};

/// How a Flow's frames are addressed below IP, by protocol::Direction: what we
/// need to make frames of our own.  Kept apart, since nobody else needs it.
struct FlowLinks {
    std::array<LinkHeader, 2> to;
    uint32_t began_s = 0;  ///< When the Flow was made, since the epoch; for whoever asks.
};

/// What one Flow costs, its share of the table's buckets included.
inline constexpr size_t flow_bytes_max = 256;
static_assert(sizeof(Flow) == 192);

}  // namespace portcullis
