#pragma once

#include <array>
#include <string_view>

#include "base/names.h"
#include "checks/check.h"
#include "player/shadowland/player.h"

namespace portcullis::checks {

/// A check whose rule is the wire's own: the decoder finds the breach, here it gets its name.
struct WireRow {
    shadowland::Fault fault{};
    std::string_view name;
    /// Nothing in such a packet proves who sent it: it is dropped, and nobody's session
    /// ends for it, or a stranger could end them all.
    bool spoofable = false;
    /// How much one breach is worth: what betrays a changed client ends the session at once
    /// when it is beyond doubt, and soon when it is nearly so.
    float weight = 1;
};

// In the order of Fault.
inline constexpr std::array<WireRow, static_cast<size_t>(shadowland::Fault::count)> wire_rows = {{
    {.fault = shadowland::Fault::header_invalid, .name = "header.invalid", .spoofable = true},
    {.fault = shadowland::Fault::crc_bad, .name = "crc.bad", .spoofable = true},
    {.fault = shadowland::Fault::cookie_forged, .name = "cookie.forged", .spoofable = true},
    {.fault = shadowland::Fault::cookie_expired, .name = "cookie.expired", .spoofable = true},
    {.fault = shadowland::Fault::session_hijack, .name = "session.hijack", .spoofable = true},
    {.fault = shadowland::Fault::crypto_downgrade, .name = "crypto.downgrade", .spoofable = true},
    {.fault = shadowland::Fault::crypto_forged, .name = "crypto.forged", .spoofable = true},
    {.fault = shadowland::Fault::replay_window, .name = "replay.window", .spoofable = true},
    {.fault = shadowland::Fault::message_malformed, .name = "message.malformed"},
    {.fault = shadowland::Fault::message_direction, .name = "message.direction"},
    {.fault = shadowland::Fault::rekey_invalid, .name = "rekey.invalid", .weight = 4},
    {.fault = shadowland::Fault::reliable_abuse, .name = "reliable.abuse"},
    {.fault = shadowland::Fault::fragments_invalid, .name = "fragments.invalid"},
    {.fault = shadowland::Fault::fragments_overlap, .name = "fragments.overlap", .weight = 4},
    {.fault = shadowland::Fault::fragments_flood, .name = "fragments.flood"},
    {.fault = shadowland::Fault::fragments_timeout, .name = "fragments.timeout"},
    {.fault = shadowland::Fault::compression_bomb, .name = "compression.bomb"},
    {.fault = shadowland::Fault::compression_malformed, .name = "compression.malformed"},
    {.fault = shadowland::Fault::heartbeat_missing, .name = "heartbeat.missing", .weight = 10},
    {.fault = shadowland::Fault::heartbeat_forged, .name = "heartbeat.forged"},
    {.fault = shadowland::Fault::integrity_failed, .name = "integrity.failed", .weight = 10},
    {.fault = shadowland::Fault::rate_flood, .name = "rate.flood", .spoofable = true},
    {.fault = shadowland::Fault::handshake_flood, .name = "handshake.flood", .spoofable = true},
}};
static_assert(in_order(wire_rows, &WireRow::fault), "a Fault lacks its row, or has it elsewhere");

/// Blind: without keys, to everything inside encrypted packets.
template <shadowland::Fault fault>
class WireCheck {
public:
    static constexpr const WireRow& row = wire_rows[static_cast<size_t>(fault)];
    static constexpr std::string_view name = row.name;
    static constexpr float weight = row.weight;
    static constexpr bool spoofable = row.spoofable;

    struct Settings {};

    void on(const shadowland::Violation& violation, const shadowland::Player&, const Settings&,
            Findings& out) noexcept {
        if (violation.fault != fault) return;
        out.add(violation.confidence, {.observed = violation.observed,
                                       .limit = violation.limit,
                                       .unit = violation.unit,
                                       .note = violation.note});
    }
};
static_assert(
    Hears<WireCheck<shadowland::Fault::crc_bad>, shadowland::Violation, shadowland::Player>);

namespace detail {
template <class>
struct WireChecks;
template <size_t... I>
struct WireChecks<std::index_sequence<I...>> {
    using type = CheckList<WireCheck<static_cast<shadowland::Fault>(I)>...>;
};
}  // namespace detail

/// One check for each Fault.
using ShadowlandWire = typename detail::WireChecks<
    std::make_index_sequence<static_cast<size_t>(shadowland::Fault::count)>>::type;

}  // namespace portcullis::checks
