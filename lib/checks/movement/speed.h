#pragma once

#include <array>

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// Speed: a player goes faster over ground than his feet can push him.
///
/// A ceiling on speed can not tell: sprint-jumping on ice under a low roof
/// reaches 19 blocks a second, thrice a sprint.  But speed has to be gained.
/// Each tick the client keeps a share of its speed (drag) and adds a little
/// (acceleration), and surfaces tie the two together: what keeps much gives
/// little.  So from the speed of the last tick follows the most that this tick
/// can have, whatever he stands on, and steady running ends at 0.29 blocks a tick
/// on every surface there is.  Only jumps (0.2 each, from the ground), effects,
/// pushes by the server and by entities add to that.
///
/// What no packet tells is paid from a small credit: the edge between two
/// surfaces, a current; and now and then a piston of slime throws somebody.
/// When the credit is used up, the excess is a finding.
///
/// It counts ticks as they were told, so the line can not make anybody fast.
/// A leap of more than five blocks uses up all the throws that he has saved.
///
/// Blind: below 0.32 blocks a tick, to jumps that only a low roof would allow, to
/// one throw for each trident charged and let go as long as the server shows them, while riding,
/// gliding or flying.
class Speed {
public:
    static constexpr std::string_view name = "movement.speed";

    struct Settings {
        double tolerance = 1.0;
        double credit_blocks = 0.2;
        double credit_blocks_per_tick = 0.003;
        double throws = 2;
        double throw_ticks = 100;
    };
    static constexpr std::array<Parameter<Settings>, 5> parameters = {{
        {"tolerance", &Settings::tolerance, 1, 10, "Factor on the speed that is possible."},
        {"credit_blocks", &Settings::credit_blocks, 0, 10,
         "Unexplained speed that is let pass, blocks a tick in sum."},
        {"credit_blocks_per_tick", &Settings::credit_blocks_per_tick, 0, 1,
         "How fast that credit comes back."},
        {"throws", &Settings::throws, 0, 100,
         "Sudden unexplained throws that are let pass (slime pistons)."},
        {"throw_ticks", &Settings::throw_ticks, 1, 72000, "Ticks until one throw comes back."},
    }};

    void on(const protocol::Move& move, const Player& player, const Settings& settings,
            Findings& out) noexcept;

private:
    static constexpr uint8_t any_surface = 0xff;

    /// `possible`, or more where pushes that are not spent yet explain `speed`.
    double pushed(double speed, double possible, double gain, const Player& player) noexcept;
    /// `runner`: what one who runs covers in a tick.
    void follow_runner(double speed, double runner, Nanos now) noexcept;
    void judge(double speed, double possible, const Player& player, const Settings& settings,
               Findings& out) noexcept;
    /// The largest share of his speed that what he may have stood on left him.
    double kept_max() const noexcept;
    void follow_surfaces(double speed, double attribute, const Player& player,
                         const Player::Step& step) noexcept;
    /// The server shows his throws by a trident, or shall have time to.
    bool spins_are_shown(const Player& player) noexcept;

    float momentum_ = 0;  ///< The most that the last tick can have ended with.
    float credit_ = -1;   ///< Below zero: not yet given.
    float throws_ = 0;
    uint8_t stood_on_ = any_surface;  ///< In the last tick, perhaps: a bit for each surface.
    uint8_t spins_unshown_ = 0;       ///< Throws by a trident that the server did not show,
    uint32_t spins_seen_ = 0;         ///< since it had shown so many.
    Nanos last_at_{};
    float lead_ = 0;           ///< Blocks he is ahead of one who runs all the time.
    uint32_t spin_spent_ = 0;  ///< Number of the last trident's throw that did,
    uint32_t push_spent_ = 0;  ///< and serial of the last push.
};

}  // namespace portcullis::checks
