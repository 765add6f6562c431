#pragma once

#include "base/names.h"
#include "checks/check.h"
#include "player/shadowland/player.h"

namespace portcullis::checks {

/// The checks whose rule is the wire's own: the decoder finds the breach, here it
/// gets its name.
inline constexpr NameTable<shadowland::Fault> wire_check_names = {
    "header.invalid",    "crc.bad",           "cookie.forged",
    "cookie.expired",    "session.hijack",    "crypto.downgrade",
    "crypto.forged",     "replay.window",     "message.malformed",
    "message.direction", "rekey.invalid",     "reliable.abuse",
    "fragments.invalid", "fragments.overlap", "fragments.flood",
    "fragments.timeout", "compression.bomb",  "compression.malformed",
    "heartbeat.missing", "heartbeat.forged",  "integrity.failed",
    "rate.flood",        "handshake.flood",
};
static_assert(complete(wire_check_names));

/// Nothing in such a packet proves who sent it: it is dropped, and nobody's session
/// ends for it, or a stranger could end them all.
constexpr bool is_spoofable(shadowland::Fault fault) noexcept {
    using shadowland::Fault;
    switch (fault) {
        case Fault::header_invalid:
        case Fault::crc_bad:
        case Fault::cookie_forged:
        case Fault::cookie_expired:
        case Fault::session_hijack:
        case Fault::crypto_downgrade:
        case Fault::crypto_forged:
        case Fault::replay_window:
        case Fault::rate_flood:
        case Fault::handshake_flood:
            return true;
        default:
            return false;
    }
}

/// How much one breach is worth: what betrays a changed client ends the session at once
/// when it is beyond doubt, and soon when it is nearly so.
constexpr float wire_weight(shadowland::Fault fault) noexcept {
    using shadowland::Fault;
    switch (fault) {
        case Fault::integrity_failed:
        case Fault::heartbeat_missing:
            return 10;
        case Fault::fragments_overlap:
        case Fault::rekey_invalid:
            return 4;
        default:
            return 1;
    }
}

/// Blind: without keys, to everything inside encrypted packets.
template <shadowland::Fault fault>
class WireCheck {
public:
    static constexpr std::string_view name = name_in(wire_check_names, fault);
    static constexpr float weight = wire_weight(fault);
    static constexpr bool spoofable = is_spoofable(fault);

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
