#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/names.h"
#include "protocol/protocol.h"

/// Shadowland's wire, version 1: the numbers that both ends must agree on.
/// All integers are little-endian.
namespace portcullis::shadowland {

using protocol::Direction;

inline constexpr size_t header_size = 14;
inline constexpr size_t crc_size = 4;
inline constexpr size_t tag_size = 16;
inline constexpr size_t key_size = 32;  ///< Of X25519, of ChaCha20, and a cookie secret's.
inline constexpr size_t cookie_size = 48;

inline constexpr size_t datagram_size_max = 1'200;
inline constexpr size_t plain_size_min = header_size + 1 + crc_size;
inline constexpr size_t sealed_size_min = header_size + 1 + tag_size;

inline constexpr uint64_t sequence_end = uint64_t{1} << 62;  ///< The first invalid one.

inline constexpr size_t messages_max = 64;           ///< In one bundle or queue.
inline constexpr size_t fragment_data_size = 1'160;  ///< Of every fragment but the last.
inline constexpr size_t fragment_unit = 8;           ///< What an Offset counts.
inline constexpr size_t compressed_size_min = 512;   ///< Not above this: not compressed.
inline constexpr size_t compression_ratio_max = 64;  ///< Original to compressed, prefix counted.
inline constexpr std::array<size_t, 2> large_payload_max = {65'536, 524'288};  ///< c2s, s2c.

constexpr size_t index_of(Direction d) noexcept { return static_cast<size_t>(d); }

enum class Channel : uint8_t { unreliable, reliable_ordered, reliable_unordered, count };
inline constexpr size_t channels = static_cast<size_t>(Channel::count);
constexpr size_t index_of(Channel c) noexcept { return static_cast<size_t>(c); }

inline constexpr uint8_t channel_bits = 0x03;
inline constexpr uint8_t key_phase_bit = 0x80;

namespace flag {
inline constexpr uint8_t encrypted = 0x01;
inline constexpr uint8_t aead = 0x02;
inline constexpr uint8_t rekey = 0x04;
inline constexpr uint8_t fragment = 0x08;
inline constexpr uint8_t compressed = 0x10;
inline constexpr uint8_t acknowledgment = 0x20;
inline constexpr uint8_t reliable_handshake = 0x40;
inline constexpr uint8_t control = 0x80;
inline constexpr uint8_t sealed = encrypted | aead;
/// At most one of these says what a control packet is for.
inline constexpr uint8_t purposes = rekey | fragment | acknowledgment | reliable_handshake;
}  // namespace flag

/// Why a receiver drops a packet or a message: the wire document's own names,
/// in the order in which they are looked for.
enum class Error : uint8_t {
    none,
    size,
    channel,
    flags,
    connection,
    sequence,
    crc,
    tag,
    type,
    direction,
    truncated,
    trailing,
    value,
    varint,
    fragment_total,
    fragment_offset,
    fragment_size,
    lz4_size,
    lz4,
    bundle,
    count
};
inline constexpr NameTable<Error> error_names = {
    "none",  "size",   "channel",        "flags",           "connection",    "sequence",
    "crc",   "tag",    "type",           "direction",       "truncated",     "trailing",
    "value", "varint", "fragment.total", "fragment.offset", "fragment.size", "lz4.size",
    "lz4",   "bundle"};
static_assert(complete(error_names));

enum class ControlType : uint8_t {
    connect,
    cookie,
    connection_accepted,
    connection_denied,
    ping,
    pong,
    disconnect,
    ack,
    fragment,
    reliable_handshake,
    crypto_test,
    crypto_test_ack,
    check_integrity,
    rekey_request,
    rekey_response,
    count
};

enum class ServerType : uint8_t {
    benchmark,
    create_entity,
    update_entity,
    remove_entity,
    update_entity_quantized,
    rekey_request,
    delta_sync,
    action_result,
    count
};

enum class ClientType : uint8_t {
    sync_entity,
    sync_entity_quantized,
    pong,
    enter_to_world,
    rekey_response,
    action_request,
    count
};

namespace payload_type {
inline constexpr uint8_t nop = 0x7d;
inline constexpr uint8_t bundle = 0x7e;
inline constexpr uint8_t queue = 0x7f;
}  // namespace payload_type

/// Which fields of an entity a message brings.
namespace delta {
inline constexpr uint8_t position = 0x01;
inline constexpr uint8_t rotation = 0x02;
inline constexpr uint8_t anim = 0x04;
inline constexpr uint8_t flags = 0x08;
inline constexpr uint8_t velocity = 0x10;
inline constexpr uint8_t all = 0x1f;
}  // namespace delta

namespace state {
inline constexpr uint8_t alive = 0x01;
inline constexpr uint8_t in_combat = 0x02;
inline constexpr uint8_t moving = 0x04;
inline constexpr uint8_t casting = 0x08;
inline constexpr uint8_t invisible = 0x10;
inline constexpr uint8_t stunned = 0x20;
inline constexpr uint8_t falling = 0x40;
inline constexpr uint8_t all = 0x7f;
}  // namespace state

namespace buff {
inline constexpr uint8_t frozen = 0x01;
inline constexpr uint8_t slowed = 0x08;
inline constexpr uint8_t stunned = 0x10;
inline constexpr uint8_t all = 0x7f;
}  // namespace buff

}  // namespace portcullis::shadowland
