#pragma once

#include <cstdint>

#include "base/names.h"

namespace portcullis {

/// Why a Packet did not go on.  Every drop has exactly one, named and counted.
enum class DropReason : uint8_t {
    none,                 ///< It goes on.
    truncated,            ///< The frame ends within a header that it announces.
    bad_checksum,         ///< IP or L4 sum wrong: the server would ignore it too.
    bad_header,           ///< Lengths, offsets or flag combinations no host accepts.
    fragment,             ///< An IP fragment for a Service; on_failure.fragments is closed.
    conflicting_overlap,  ///< Contradicts bytes of the same sequence numbers sent before.
    out_of_window,        ///< Outside what the receiver can accept now.
    wrong_side,           ///< In a server's name, from the side of its client.
    no_buffer,            ///< No room to keep the bytes; TCP will send them again.
    flow_table_full,      ///< on_failure.flow_table is closed.
    midstream,            ///< Of a connection whose beginning nobody here saw, toward a server:
                          ///< on_failure.midstream is closed, or another Worker may have it.
    decoder_error,        ///< on_failure.decoder is closed.
    flow_dead,            ///< The flow was severed; its late packets and retransmissions.
    verdict,              ///< A policy said drop.
    blocked,              ///< The source address is on the block list.
    urgent,               ///< Urgent data, and `urgent` is `drop`.
    rate_limit,           ///< Over a configured rate.
    tx_full,              ///< The port did not take it, retries included.
    no_memory,            ///< No room for a session; on_failure.memory is closed.
    stage_failed,         ///< on_failure.stage is closed.
    // What Shadowland's receivers would not take, by the words of the checks that say so.
    header_invalid,         ///< Size, channel, flags or numbers of a datagram.
    crc_bad,                ///< The sum behind a plain datagram.
    crypto_forged,          ///< The tag behind a sealed one.
    crypto_downgrade,       ///< Plain in an encrypted session, or the other way.
    session_hijack,         ///< A connection id from an address that is not its own.
    replay_window,          ///< A sequence seen before, too old, or too far ahead.
    cookie_forged,          ///< A cookie that the server did not make for this client.
    cookie_expired,         ///< A cookie that was good once.
    message_malformed,      ///< An unreliable packet that can not be read.
    message_direction,      ///< A message that only the other side sends.
    message_unknown,        ///< A type that nobody knows, where the Service refuses them.
    fragments_invalid,      ///< A fragment that fits no set.
    fragments_overlap,      ///< Other bytes at a place that has some.
    fragments_flood,        ///< One more incomplete set than a session may have.
    compression_bomb,       ///< Claims to be larger than it can be.
    compression_malformed,  ///< No LZ4 block.
    answered,               ///< A Connect of a flood: its sender got a cookie from us instead.
    out_of_interest,        ///< Shows a client what is too far away for it to see.
    count
};

inline constexpr NameTable<DropReason> drop_reason_names = {
    "none",
    "truncated",
    "bad_checksum",
    "bad_header",
    "fragment",
    "conflicting_overlap",
    "out_of_window",
    "wrong_side",
    "no_buffer",
    "flow_table_full",
    "midstream",
    "decoder_error",
    "flow_dead",
    "verdict",
    "blocked",
    "urgent",
    "rate_limit",
    "tx_full",
    "no_memory",
    "stage_failed",

    "header_invalid",
    "crc_bad",
    "crypto_forged",
    "crypto_downgrade",
    "session_hijack",
    "replay_window",
    "cookie_forged",
    "cookie_expired",
    "message_malformed",
    "message_direction",
    "message_unknown",
    "fragments_invalid",
    "fragments_overlap",
    "fragments_flood",
    "compression_bomb",
    "compression_malformed",
    "answered",
    "out_of_interest",
};
static_assert(complete(drop_reason_names));

}  // namespace portcullis
