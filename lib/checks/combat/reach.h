#pragma once

#include <optional>

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// Reach: a player struck somebody further away than an arm is long.
///
/// The server knows where the target is now; the player struck where his screen
/// showed it, one way of the line and three ticks of easing ago, and his own
/// place is known to a tick.  So the distance is the shortest between all places
/// his eyes may have been at and all that the target may have been shown at:
/// better to miss a cheat by a hand than to blame a slow line.
///
/// What his TCP has not acknowledged he has not seen, and what arrives after a
/// silence may have been done at any time in it: both let him look further back.
/// Where that is further than the target's way is kept, nothing is judged.  A proxy's
/// TCP says nothing of his own line, which may have got slow since it was measured: there,
/// what a picture from before the last request that came back explains is written down.
/// Mobs come in all sizes,
/// which are not told: they are only written down, measured to a body of 4 by 4. Blind: on
/// vehicles, his own or the target's, in creative mode, a few tenths of a block on any line.
class Reach {
public:
    static constexpr std::string_view name = "combat.reach";
    static constexpr float weight = 2.5f;

    struct Settings {
        double margin_blocks = 0.1;
    };
    static constexpr std::array<Parameter<Settings>, 1> parameters = {
        {{"margin_blocks", &Settings::margin_blocks, 0, 3,
          "How far beyond all that latency explains a blow must have gone, blocks."}}};

    void on(const protocol::Attack& attack, const Player& player, const Settings& settings,
            Findings& out) noexcept;

private:
    /// His eyes to the nearest that he may have seen it within `window`; nothing where
    /// that is not known.
    std::optional<double> reached(const Player& player, protocol::EntityId target,
                                  Nanos window) const noexcept;
};

}  // namespace portcullis::checks
