#pragma once

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// No swing: blows without the arm moving, as an aura strikes that nobody is
/// meant to see.
///
/// A vanilla client swings once with every attack: before it up to 1.8, after it
/// from 1.9 on; other clients do either.  So blows and swings are only counted
/// against each other: TCP keeps them in order, no line can part them.
/// A proxy that translates versions may hold swings back, of as many clicks as one
/// tick or one bunch of the line's has: there what is owed for less is no finding.
/// A hand of Vivecraft strikes without a swing; so it is only written down where that
/// is believed.  Spectators, who from 1.21.11 on only click at whom they want to watch, owe none.
/// Blind: an aura that swings.
class NoSwing {
public:
    static constexpr std::string_view name = "combat.no_swing";
    static constexpr float weight = 2;

    struct Settings {
        double slack = 2;
    };
    static constexpr std::array<Parameter<Settings>, 1> parameters = {
        {{"slack", &Settings::slack, 0, 20, "Blows that may be ahead of their swings."}}};

    void on(const protocol::Attack&, const Player& player, const Settings& settings,
            Findings& out) noexcept {
        if (player.bedrock() || player.may_be(protocol::GameMode::spectator)) return;
        owed_ += 1;
        if (owed_ > 0 && owed_ <= 1) owed_since_ = player.now;
        if (owed_ <= settings.slack) return;
        if (player.line.translated && player.now - owed_since_ < held_back) return;
        const bool sure = player.version <= version_known_max && !player.may_be_vr();
        out.add(sure ? certain : unsure,
                {.observed = owed_, .limit = settings.slack, .unit = "blows"});
        owed_ = settings.slack;
    }
    void on(const protocol::Swing&, const Player&, const Settings&, Findings&) noexcept {
        // One ahead is a swing that waits for its blow (1.8); more are misses.
        owed_ = owed_ > 0 ? owed_ - 1 : -1;
    }

private:
    static constexpr int32_t version_known_max = 774;  ///< 1.21.11.
    static constexpr float certain = 0.97f;
    static constexpr float unsure = 0.8f;
    /// ViaRewind lets go of them at the next movement, a tick later; before
    /// 2024-04 after 5 ms by another thread's clock.
    static constexpr Nanos held_back = 250ms;

    double owed_ = 0;
    Nanos owed_since_{};  ///< When it rose above none.
};

}  // namespace portcullis::checks
