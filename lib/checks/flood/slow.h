#pragma once

#include "checks/check.h"
#include "player/player.h"
#include "protocol/source_events.h"

namespace portcullis::checks {

/// Slow: a connection that never gets anywhere, held open to take a place from others,
/// silent or with a byte now and then.
///
/// A client speaks as soon as it is connected and gives up after 30 s without an
/// answer; a byte that trickles in keeps a server's own timeout from firing.  What is
/// past its time counts from when the connection began, so trickling gains nothing.
/// Logins get minutes: mods exchange their lists in them.
/// Blind: behind encryption without a key, where nobody sees how far it has come.
class FloodSlow {
public:
    static constexpr std::string_view name = "flood.slow";
    static constexpr float weight = 10;  ///< One is enough.

    struct Settings {
        double handshake_s = 45;
        double status_s = 90;
        double login_s = 240;

        /// Seconds that a connection may stay in a stage; 0: for ever.
        double most(protocol::LoginStage stage) const noexcept {
            switch (stage) {
                case protocol::LoginStage::handshake:
                    return handshake_s;
                case protocol::LoginStage::status:
                    return status_s;
                case protocol::LoginStage::login:
                    return login_s;
                default:
                    return 0;
            }
        }
    };
    static constexpr std::array<Parameter<Settings>, 3> parameters = {{
        {"handshake_s", &Settings::handshake_s, 1, 86400,
         "Seconds until a whole handshake has come."},
        {"status_s", &Settings::status_s, 1, 86400, "Seconds that a status request may take."},
        {"login_s", &Settings::login_s, 1, 86400, "Seconds until the server has let him in."},
    }};

    void on(const protocol::StillThere& still, const Player&, const Settings& settings,
            Findings& out) noexcept {
        const double most = settings.most(still.stage);
        if (most <= 0 || still.seconds <= most) return;
        out.add(1, {.observed = still.seconds,
                    .limit = most,
                    .unit = "s",
                    .note = name_in(protocol::login_stage_names, still.stage)});
    }
};

}  // namespace portcullis::checks
