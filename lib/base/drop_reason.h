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
    fragment,             ///< An IP fragment for a Service, while policy refuses them.
    conflicting_overlap,  ///< Contradicts bytes of the same sequence numbers sent before.
    out_of_window,        ///< Outside what the receiver can accept now.
    no_buffer,            ///< No room to keep the bytes; TCP will send them again.
    flow_table_full,      ///< on_failure.flow_table is closed.
    midstream,            ///< on_failure.midstream is closed.
    decoder_error,        ///< on_failure.decoder is closed.
    flow_dead,            ///< The flow was severed; its late packets and retransmissions.
    verdict,              ///< A policy said drop.
    blocked,              ///< The source address is on the block list.
    urgent,               ///< Urgent data, while policy refuses it.
    replaced,             ///< A rewritten or injected packet went in its place.
    rate_limit,           ///< Over a configured rate.
    tx_full,              ///< The port did not take it, retries included.
    no_memory,            ///< No mbuf to write a reply or a copy.
    stage_failed,         ///< on_failure.stage is closed.
    not_believed,  ///< A datagram that its receiver would not take: header, sum, tag, replay.
    count
};

inline constexpr NameTable<DropReason> drop_reason_names = {
    "none",          "truncated",     "bad_checksum",
    "bad_header",    "fragment",      "conflicting_overlap",
    "out_of_window", "no_buffer",     "flow_table_full",
    "midstream",     "decoder_error", "flow_dead",
    "verdict",       "blocked",       "urgent",
    "replaced",      "rate_limit",    "tx_full",
    "no_memory",     "stage_failed",  "not_believed",
};
static_assert(complete(drop_reason_names));

}  // namespace portcullis
