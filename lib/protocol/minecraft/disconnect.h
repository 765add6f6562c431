#pragma once

#include <string_view>

#include "base/bytes.h"
#include "protocol/minecraft/session.h"

namespace portcullis::minecraft {

/// Room that `write_disconnect` never exceeds.
inline constexpr size_t disconnect_size_max = 512;

/// Writes the packet that shows `reason` to the player and ends the connection, as
/// the server would write it now: by version, by the state of the direction toward the
/// client, framed for the negotiated compression.  Returns its size; 0 when there is
/// no such packet in this state (handshake, status, opaque, broken) or no room.
/// A reason over 240 bytes is cut at a character.
size_t write_disconnect(const Session& session, std::string_view reason, MutableBytes out) noexcept;

/// Enciphers a message of our own as the client will expect it after all that went by,
/// if its connection is enciphered.  False: what went by ends within a packet, so no
/// message can follow now; it is unchanged.
bool seal(const Session& session, MutableBytes message) noexcept;

}  // namespace portcullis::minecraft
