#pragma once

#include <array>
#include <cstdint>

#include "base/names.h"
#include "protocol/event.h"
#include "protocol/minecraft/cfb8.h"
#include "protocol/protocol.h"

namespace portcullis::minecraft {

using protocol::Direction;

/// Which set of packet ids a direction speaks now.
enum class State : uint8_t {
    handshake,
    status,
    login,
    configuration,  ///< Protocol 764 on.
    play,
    framed,  ///< A version without tables: frames are cut and counted, and none is read.
    opaque,  ///< Encrypted without a key, or nothing we know: no byte is read again.
    broken,  ///< Framing was lost: no byte is read again.
    count
};
inline constexpr NameTable<State> state_names = {"handshake", "status", "login",  "configuration",
                                                 "play",      "framed", "opaque", "broken"};
static_assert(complete(state_names));

/// What must be remembered of one Minecraft connection between two packets.
///
/// A plain value without pointers, so it lives in a Pool and may be copied.  The
/// two directions change state each on its own packet: the server speaks
/// "configuration" while the client's last "play" packets are still on the way.
struct Session {
    static constexpr int32_t no_compression = -1;

    /// Whether both directions are enciphered from their next byte on.
    enum class Encryption : uint8_t {
        none,
        awaits_key,  ///< They are; without the key no byte can be read.
        known,
    };

    /// One direction of the stream.
    struct Half {
        State state = State::handshake;
        bool started = false;  ///< Its first byte was seen.
        /// The frame at the front is known to be wanted whole: its id need not be
        /// found out again while its bytes trickle in.
        bool front_wanted = false;
        uint8_t entered = 0;  ///< States since the login, counted; wraps.
        /// Bytes of the front frame at the last try to find its id, which failed.
        uint16_t front_tried = 0;
        /// Enciphered: bytes at the front of the next offer that nobody reads, but for
        /// the register.
        uint8_t passing = 0;
        bool waits = false;  ///< Enciphered: bytes came before the key did.
        /// Enciphered: with fewer bytes at the front than these there is nothing to do.
        uint32_t front_needs = 0;
        Cfb8::Register last{};  ///< Enciphered: the last bytes of it that were consumed.

        bool finished() const noexcept { return state >= State::opaque; }
    };

    Half& half(Direction d) noexcept { return halves[static_cast<size_t>(d)]; }
    const Half& half(Direction d) const noexcept { return halves[static_cast<size_t>(d)]; }

    /// Begins to decipher, with both registers as the secret says.
    void take_key(const Cfb8::Secret& secret) noexcept {
        cipher = Cfb8(secret);
        for (Half& half : halves) half.last = secret;
        encryption = Encryption::known;
    }
    bool awaits_key() const noexcept { return encryption == Encryption::awaits_key; }
    bool enciphered() const noexcept { return encryption != Encryption::none; }

    std::array<Half, 2> halves;
    int32_t version = 0;                 ///< Protocol number from the handshake; 0 before it.
    int32_t threshold = no_compression;  ///< Frames of at least so many bytes are compressed.
    protocol::EntityId self = -1;        ///< The player's own entity id, from play's login.
    int32_t forwarding_id = 0;           ///< Of the server's question for it.
    int16_t tables = -1;                 ///< Index of all_tables(); -1: none for this version.
    Encryption encryption = Encryption::none;
    bool legacy_asked = false;      ///< The client's first byte was 0xFE; see LegacyPing.
    bool forwarding_asked = false;  ///< It has no answer yet; see velocity.h.
    bool encryption_asked = false;  ///< By the server.
    bool login_over = false;        ///< Of a version without tables.
    bool mods_told = false;         ///< See ServerHasMods: what would say so again is not read.
    uint8_t lies_measured = 0;      ///< False lengths whose truth was looked for.
    uint8_t entity_flags = 0;       ///< Of the player's own metadata, as last sent.
    uint8_t living_flags = 0;
    uint8_t pose = 0;
    Cfb8 cipher;  ///< Last, for most sessions never look at it.
};
static_assert(sizeof(Session) <= 320);

/// What every packet asks for: all before the cipher.
inline constexpr size_t session_hot_bytes = sizeof(Session) - sizeof(Cfb8);

}  // namespace portcullis::minecraft
