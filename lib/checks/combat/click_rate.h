#pragma once

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// Click rate: more clicks a second than a hand makes.
///
/// Practised hands reach 16 a second for a while and some tricks 20, mice
/// bounce, macros click: likelihood, so it tells people and never acts alone.
/// Arms also swing at every tick of digging, with every block placed, item used
/// or thing dropped: none of that is counted.  What a stall held back and then
/// delivered at once is granted on top.
/// Blind: an automatic clicker set to a human rate.
class ClickRate {
public:
    static constexpr std::string_view name = "combat.click_rate";
    static constexpr bool statistical = true;

    struct Settings {
        double per_second = 20;
        double burst = 8;
    };
    static constexpr std::array<Parameter<Settings>, 2> parameters = {{
        {"per_second", &Settings::per_second, 5, 100, "Clicks a second a hand keeps up."},
        {"burst", &Settings::burst, 1, 200, "Clicks beyond that for a moment."},
    }};

    void on(const protocol::Swing&, const Player& player, const Settings& settings,
            Findings& out) noexcept;
    void on(const protocol::Dig& dig, const Player& player, const Settings&, Findings&) noexcept;
    void on(const protocol::Place&, const Player&, const Settings&, Findings&) noexcept {
        forgive();
    }
    void on(const protocol::UseItem&, const Player&, const Settings&, Findings&) noexcept {
        forgive();
    }
    void on(const protocol::Interact&, const Player&, const Settings&, Findings&) noexcept {
        forgive();
    }

private:
    void forgive() noexcept {
        if (level_ > 0) level_ = std::max(0.0, level_ - 1);
    }

    Nanos last_{};
    Nanos last_dig_{};
    double level_ = 0;
    bool digging_ = false;
};

}  // namespace portcullis::checks
