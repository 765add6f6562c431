#pragma once

#include <array>

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// No fall: a player claims the ground while he falls past it, so that the server
/// does not count the fall.
///
/// Ground ends a fall: after a tick that stood on something, the next one drops by
/// 0.08 at most, for gravity begins anew.  To claim ground and go on down as fast
/// as before takes a client that lies.  One such tick may be a piston's work or a
/// vehicle's; two in a row, or the second in one fall, are not.
///
/// Nothing of it depends on the line: claim and fall are in the same packets.
/// Blind: to the single claim in the last tick above the real ground, and to
/// whoever never claims what he left.
class NoFall {
public:
    static constexpr std::string_view name = "movement.no_fall";
    static constexpr float weight = 4;

    struct Settings {
        double drop_blocks = 0.25;
    };
    static constexpr std::array<Parameter<Settings>, 1> parameters = {{
        {"drop_blocks", &Settings::drop_blocks, 0.1, 10,
         "A drop in one tick that can not begin on ground, under usual gravity."},
    }};

    void on(const protocol::Move& move, const Player& player, const Settings& settings,
            Findings& out) noexcept;

private:
    uint8_t lies_ = 0;  ///< In this fall.
};

}  // namespace portcullis::checks
