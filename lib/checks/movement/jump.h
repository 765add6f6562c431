#pragma once

#include <array>

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// Jump: a player leaves the ground faster than legs push.
///
/// The first tick of a jump rises 0.42 blocks, with jump boost 0.1 more a level,
/// or 0.6 where it takes a step on the way.  Others are thrown up, too: by slime
/// and beds as fast as they fell on them, by pistons, which move them by half
/// blocks without making them fast, or, of slime, with a speed of 1.  So the rise
/// has to go on for two ticks as a throw of its own would, and not as a piston's.
///
/// Nothing here depends on time or line: ticks follow each other as they were made.
/// Blind: to jumps up to a step's height, with pushes by the server on the way.
class Jump {
public:
    static constexpr std::string_view name = "movement.jump";
    static constexpr float weight = 10;  ///< One finding is a whole jump.

    struct Settings {
        double tolerance_blocks = 0.02;
    };
    static constexpr std::array<Parameter<Settings>, 1> parameters = {{
        {"tolerance_blocks", &Settings::tolerance_blocks, 0.001, 10,
         "How much higher than possible the first tick may be."},
    }};

    void on(const protocol::Move& move, const Player& player, const Settings& settings,
            Findings& out) noexcept;

private:
    static constexpr int no_jump = 0, rose = 1, rose_on = 2;

    bool may_be_piston(double first_rise, const Player& player) noexcept;

    float thrown_x_ = 0, thrown_z_ = 0;  ///< Where a throw like a piston's last began,
    uint32_t thrown_at_ = 0;             ///< in which tick,
    uint8_t throws_ = 0;                 ///< and how many went before it in a row.
    float first_rise_ = 0, limit_ = 0, last_rise_ = 0;
    uint8_t seen_ = no_jump;
};

}  // namespace portcullis::checks
