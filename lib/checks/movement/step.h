#pragma once

#include <array>

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// Step: a player walks up what he would have to jump.
///
/// From ground to ground within one tick the client climbs 0.6 blocks (1.20.5 on
/// as much as the server's attribute says).  A piston lifts by up to 0.75 in a
/// tick; what is between that and a whole block is told, what is more is certain:
/// it is said by a client whose feet were on the ground before and after.
///
/// Teleports, beds and vehicles put a player higher as well; for some ticks after
/// those nothing is judged.  No line joins two ticks to one.
/// Blind: to steps that claim to be in the air in between.
class Step {
public:
    static constexpr std::string_view name = "movement.step";
    static constexpr float weight = 10;  ///< One finding is a whole climb.

    struct Settings {
        double certain_blocks = 1.02;
    };
    static constexpr std::array<Parameter<Settings>, 1> parameters = {{
        {"certain_blocks", &Settings::certain_blocks, 0.8, 100, "A step that nothing explains."},
    }};

    void on(const protocol::Move& move, const Player& player, const Settings& settings,
            Findings& out) noexcept;

private:
    uint32_t last_at_ = 0;  ///< Tick of the last suspicious step.
};

}  // namespace portcullis::checks
