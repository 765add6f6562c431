#pragma once

#include <memory>

#include "base/bytes.h"
#include "protocol/event.h"
#include "protocol/minecraft/frame.h"
#include "protocol/minecraft/session.h"
#include "protocol/protocol.h"

namespace portcullis::minecraft {

/// What a Listener hears besides `listener.on(const protocol::X&)` for each Event:
///
///     void frame(const Frame&) noexcept;   // once a game packet, before its events
///
/// An Event that the Listener has no `on` for is not told.

/// Bytes in order in, game packets and Events out.
///
/// One for each Worker: it owns the room to inflate in, made at construction,
/// and keeps nothing of a connection; that is the Session's.  Bytes that no
/// decision needs (chunks, light, registries) are skipped by their length.
class Decoder {
public:
    struct Settings {
        Settings() noexcept {}
        /// Give `Frame::body` for every packet that a layout is kept for, not only for
        /// those that events are made from: for `inspect --packets`.
        bool all_bodies = false;
        /// Longest a packet may be once inflated, bytes.
        uint32_t inflated_max_to_server = 2u << 20;
        uint32_t inflated_max_to_client = 8u << 20;
    };

    explicit Decoder(const Settings& settings = Settings());
    ~Decoder();
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;

    /// Decodes what `in` holds of whole packets.  `in` starts where the last call's
    /// Progress ended: after `consumed` and `skip` bytes.  Never reads outside `in`.
    template <class Listener>
    protocol::Progress feed(Session& session, Direction direction, Bytes in,
                            Listener& listener) noexcept;
};

}  // namespace portcullis::minecraft
