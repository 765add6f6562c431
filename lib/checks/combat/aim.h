#pragma once

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// Aim: blows at players behind his back, as an aura strikes whoever is near.
///
/// A client strikes what is under its crosshair when its tick begins, and says at that
/// tick's end where it looked then.  So the look is the last one told or the next; the one
/// before is believed too.  He is blamed for a blow only if all of the body that he struck,
/// wherever he may have seen it (as for combat.reach), was behind the plane through his eyes
/// for each of them: that far off no mod and no finger on a screen aims.  One such blow may
/// be a fluke that nobody thought of; `blows` of them, less a quarter for each blow ahead,
/// are not.
/// A hand of Vivecraft strikes anywhere; so it is only written down where that is believed.
/// Blind: whoever turns to what he strikes, as most auras do; mobs; while the target runs
/// round him faster than his line tells; on vehicles, his own or the target's; creative.
class Aim {
public:
    static constexpr std::string_view name = "combat.aim";
    static constexpr float weight = 2.5f;

    struct Settings {
        double behind_blocks = 0.5;
        double blows = 3;
    };
    static constexpr std::array<Parameter<Settings>, 2> parameters = {{
        {"behind_blocks", &Settings::behind_blocks, 0, 3,
         "How far behind his eyes all of a body must be to count, blocks."},
        {"blows", &Settings::blows, 2, 100,
         "Blows at what is behind, less a quarter for each ahead, that are too many."},
    }};

    void on(const protocol::Attack& attack, const Player& player, const Settings&,
            Findings&) noexcept;
    void on(const protocol::Move& move, const Player& player, const Settings& settings,
            Findings& out) noexcept;
    void on(const protocol::TickEnded&, const Player& player, const Settings& settings,
            Findings& out) noexcept {
        judge(player, settings, out);
    }

private:
    void judge(const Player& player, const Settings& settings, Findings& out) noexcept;

    /// From all places his eyes may have been at to all that the body may have filled,
    /// in the tick that is not over; it waits for that tick's look.
    Box way_{};
    float ahead_ = 0;      ///< The furthest that any of it is ahead of his eyes.
    float behind_ = 0;     ///< Blows at what was behind, less what those ahead explain.
    bool struck_ = false;  ///< `way_` is to be judged.
};

}  // namespace portcullis::checks
