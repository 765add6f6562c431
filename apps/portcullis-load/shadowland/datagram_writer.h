#pragma once

#include <array>

#include "base/writer.h"
#include "protocol/shadowland/cipher.h"
#include "protocol/shadowland/walks.h"
#include "session.h"

namespace portcullis::load {

/// Writes the datagrams of sessions with the wire's own writers: header, payload, and
/// the sum or tag that the session's mode asks for.
///
///     writer.begin(session, Direction::to_server, Channel::unreliable);
///     writer.message(type, shadowland::SyncEntity{...});
///     const MutableBytes datagram = writer.end();
class DatagramWriter {
public:
    /// Before the session exists: never sealed, no number.
    void begin_handshake(uint32_t connection_id, Direction direction) noexcept;
    /// The next datagram of this direction and channel; `flags` without those of the sealing.
    void begin(Session& session, Direction direction, shadowland::Channel channel,
               uint8_t flags = 0) noexcept;

    /// What `begin` made of the header may be bent, which is an attacker's business.
    shadowland::Header& header() noexcept { return header_; }
    Writer& body() noexcept { return body_; }

    /// A type and its fields.
    template <class Type, class M>
    void message(Type type, const M& message) noexcept {
        body_.u8(static_cast<uint8_t>(type));
        write_body(body_, message, direction_);
    }
    /// The same inside a bundle, whose type stands before the first.
    template <class Type, class M>
    void bundled(Type type, const M& message) noexcept {
        std::array<std::byte, 256> room;
        Writer one(room);
        one.u8(static_cast<uint8_t>(type));
        write_body(one, message, direction_);
        body_.le_u16(static_cast<uint16_t>(one.size()));
        body_.bytes(one.written());
    }

    /// Seals or sums it.  Valid until the next `begin`.
    MutableBytes end() noexcept;
    /// Puts the sum right again after a plain datagram was bent.
    static void mend(MutableBytes datagram, bool encrypted) noexcept;

private:
    std::array<std::byte, shadowland::datagram_size_max> room_;
    Writer body_{MutableBytes{}};
    shadowland::Header header_;
    const shadowland::Key* key_ = nullptr;
    Direction direction_{};
};

}  // namespace portcullis::load
