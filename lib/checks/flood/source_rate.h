#pragma once

#include <array>
#include <string_view>

#include "checks/check.h"
#include "player/player.h"
#include "protocol/source_events.h"

namespace portcullis::checks {

namespace detail {

using protocol::SourceAct;

inline constexpr NameTable<SourceAct> source_check_names = {
    "flood.syns", "flood.connections", "flood.status", "flood.logins", "flood.garbage"};
inline constexpr NameTable<SourceAct> source_units = {"SYNs", "connections", "status requests",
                                                      "logins", "connections"};
static_assert(complete(source_check_names) && complete(source_units));

struct SourceDefault {
    double per_second, burst;
};
/// Generous: behind one address may live a campus or a mobile network, of which hundreds
/// come back at once when the server does, each pinging it from the list before.
constexpr SourceDefault source_default(SourceAct act) noexcept {
    switch (act) {
        case SourceAct::syn:
            return {200, 4000};
        case SourceAct::login:
            return {10, 500};
        case SourceAct::garbage:
            return {1, 30};
        default:
            return {30, 1000};
    }
}

/// Which of a source's prefixes did it.
constexpr std::string_view source_note(bool is_v4, uint8_t bits) noexcept {
    if (is_v4) return bits == 128 ? "one address" : "all of its /24";
    return bits == 64 ? "its /64" : bits == 56 ? "all of its /56" : "all of its /48";
}

}  // namespace detail

/// Connections from one source, or what they begin with, more often than all who may
/// live behind an address can cause.
///
/// A bucket for each source holds `burst` and leaks at `per_second`; a player who joins
/// costs one, and so does each refresh of the list of servers.  Only a SYN can be sent
/// in another's name, so that what exceeds `flood.syns` is dropped and nothing more;
/// all else comes after TCP's handshake and may go as far as the ladder does.
/// Blind: floods of many sources that each stay below.
template <protocol::SourceAct act>
class SourceRate {
public:
    static constexpr std::string_view name = name_in(detail::source_check_names, act);
    static constexpr bool spoofable = act == protocol::SourceAct::syn;

    struct Settings {
        double per_second = detail::source_default(act).per_second;
        double burst = detail::source_default(act).burst;
        double neighbours = 8;
    };
    static constexpr std::array<Parameter<Settings>, 3> parameters = {{
        {"per_second", &Settings::per_second, 1, 100000, "Of one source a second, sustained."},
        {"burst", &Settings::burst, 1, 100000, "Of one source in one burst."},
        {"neighbours", &Settings::neighbours, 1, 256,
         "How many times as much its /24 or /56 may do; a /48 twice that."},
    }};

    void on(const protocol::SourceOverrun& overrun, const Player&, const Settings&,
            Findings& out) noexcept {
        if (overrun.act != act) return;
        out.add(confidence, {.observed = overrun.observed,
                             .limit = overrun.limit,
                             .unit = name_in(detail::source_units, act),
                             .note = detail::source_note(overrun.is_v4, overrun.bits)});
    }

private:
    static constexpr float confidence = 0.97f;
};
using FloodSyns = SourceRate<protocol::SourceAct::syn>;
using FloodConnections = SourceRate<protocol::SourceAct::connection>;
using FloodStatus = SourceRate<protocol::SourceAct::status>;
using FloodLogins = SourceRate<protocol::SourceAct::login>;
using FloodGarbage = SourceRate<protocol::SourceAct::garbage>;

}  // namespace portcullis::checks
