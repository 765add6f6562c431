#pragma once

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// Malformed: frames and fields that no vanilla client writes.
///
/// A broken frame may be an attack on the server's decoder, a modded client, a
/// version we know too little of, or our own mistake: the wire can not tell.  So
/// every fault is written down with the player, and none reaches 0.95: by default
/// a malformed frame never ends a connection.  What attacks the server for sure
/// has checks of its own, exploit.oversize and exploit.bomb.
/// The server's own faults are not the player's.
class Malformed {
public:
    static constexpr std::string_view name = "packets.malformed";

    struct Settings {};

    void on(const protocol::Malformed& malformed, const Player&, const Settings&,
            Findings& out) noexcept {
        if (malformed.from_server) return;
        const auto index = static_cast<size_t>(malformed.fault);
        if (index >= confidences.size()) return;
        out.add(confidences[index], {.observed = malformed.observed,
                                     .limit = malformed.limit,
                                     .note = name_in(protocol::fault_names, malformed.fault)});
    }

private:
    static constexpr std::array<float, static_cast<size_t>(protocol::Fault::count)> confidences = {
        0.9f,  // bad_varint
        0.9f,  // zero_length
        0.9f,  // length_lies
        0.9f,  // bad_deflate
        0.5f,  // below_threshold: harmless, and some proxies do it.
        0.6f,  // short_packet
        0.3f,  // trailing_bytes: modded clients extend packets.
        0.6f,  // bad_field
        0.2f,  // unknown_packet: mods and versions newer than our tables.
        0.6f,  // wrong_state
        0.1f,  // unknown_version
        0.9f,  // frame_too_long
        0.9f,  // inflated_too_long
        0.8f,  // string_too_long
        0.9f,  // nested_too_deep
        0.5f,  // no_proxy_header: somebody came past the balancer.
        0.9f,  // bad_proxy_header
        0.3f,  // unexpected_proxy_header: perhaps only we were not told of a balancer.
        0.9f,  // overpacked
    };
    static_assert(confidences.back() > 0, "a Fault without a row");
};

}  // namespace portcullis::checks
