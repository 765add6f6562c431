#pragma once

#include "checks/check.h"
#include "player/player.h"
#include "player/silence.h"

namespace portcullis::checks {

/// Packets: more of them than a player can cause, to keep the server busy.
///
/// A client at work sends 40 to 60 a second; crafting a stack with shift held on
/// 1.8 bursts past 200.  Mods that a server may welcome send more: AntiGhost 729 with a
/// key, Litematica some dozens of commands a tick.  Vanilla servers limit nothing, Paper's
/// kicks over 500 a second on average over 7 s (its `packet-limiter`): the defaults here
/// are those, so that nobody is kicked whom Paper would welcome.  After a stall all that was sent
/// in it arrives at once. So a bucket leaks at `per_second`, holds `burst`, and as much more as the
/// silence before may have held back.
/// Blind: few but costly packets.
class FloodPackets {
public:
    static constexpr std::string_view name = "flood.packets";
    static constexpr float weight = 2;

    struct Settings {
        double per_second = 500;
        double burst = 3500;
    };
    static constexpr std::array<Parameter<Settings>, 2> parameters = {{
        {"per_second", &Settings::per_second, 20, 100000, "Packets a second, sustained."},
        {"burst", &Settings::burst, 20, 100000, "Packets in one burst."},
    }};

    void on(const protocol::PacketSeen& packet, const Player& player, const Settings& settings,
            Findings& out) noexcept {
        if (packet.from_server) return;
        silence_.heard(player.now);
        // What a silence held back it pays for: then the bucket is less than empty.
        const double elapsed = to_seconds(std::max(Nanos{}, player.now - last_));
        const double paid = to_seconds(silence_.credit()) * held_back_per_second;
        last_ = player.now;
        level_ = std::max(-paid, level_ - elapsed * settings.per_second) + 1;
        if (level_ <= settings.burst) return;
        out.add(confidence, {.observed = level_, .limit = settings.burst, .unit = "packets"});
        level_ -= finding_every;
    }

private:
    static constexpr float confidence = 0.98f;
    static constexpr double held_back_per_second = 200;  ///< A busy client's, in a stall.
    static constexpr double finding_every = 100;         ///< Packets over the limit a finding.

    Silence silence_;
    Nanos last_{};
    double level_ = 0;
};

}  // namespace portcullis::checks
