#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "checks/check.h"
#include "checks/shadowland/clock.h"
#include "player/shadowland/player.h"

/// What a Shadowland client may do, how often, how far, and when.
namespace portcullis::checks {

struct ShadowAction {
    uint32_t cooldown_ms;
    double range;
};
inline constexpr uint32_t shadow_actions_end = 5;
/// By action id; those not here the server refuses itself.
inline constexpr std::array<ShadowAction, shadow_actions_end> shadow_actions = {{
    {0, 0},
    {600, 300},       // Slash
    {3'000, 3'000},   // Fireball
    {10'000, 1'500},  // Blink
    {5'000, 2'000},   // Heal
}};

/// Cooldown: the same action again before its time, by the client's own clock, which never
/// goes back.  Requests that the server refused do not count.
class ShadowCooldown {
public:
    static constexpr std::string_view name = "action.cooldown";
    static constexpr float weight = 2;

    struct Settings {
        double tolerance_ms = 20;
    };
    static constexpr std::array<Parameter<Settings>, 1> parameters = {{
        {"tolerance_ms", &Settings::tolerance_ms, 0, 10'000, "How much too early is forgiven."},
    }};

    void on(const shadowland::Acted& acted, const shadowland::Player& player,
            const Settings& settings, Findings& out) noexcept {
        if (acted.action == 0 || acted.action >= shadow_actions_end) return;
        if (player.self == 0) return;  // Whose requests are refused would not be known.
        if (const double back = clock_.back_by(acted.client_time_ms, acted.sequence); back > 0) {
            out.add(0.97f, {.observed = back, .unit = "ms", .note = "its clock goes back"});
        }
        Last& last = last_[acted.action];
        const uint32_t cooldown = shadow_actions[acted.action].cooldown_ms;
        if (last.known) {
            // Whichever of the two came first.
            const double passed = std::abs(double(acted.client_time_ms) - last.client_time_ms);
            if (passed + settings.tolerance_ms < cooldown) {
                out.add(0.97f, {.observed = passed, .limit = double(cooldown), .unit = "ms"});
            }
        }
        // What is ahead of its clock would hide all that comes until then.
        const uint32_t time_ms = std::min(acted.client_time_ms, player.client_now_ms());
        if (last.known && time_ms < last.client_time_ms) return;
        last = {true, acted.request_id, time_ms};
    }
    void on(const shadowland::ActionResult& result, const shadowland::Player& player,
            const Settings&, Findings&) noexcept {
        if (result.result == 0 || result.source != player.self) return;
        for (Last& last : last_) {
            if (last.known && last.request_id == result.request_id) last.known = false;
        }
    }

    void on(const shadowland::Missed&, const shadowland::Player&, const Settings&,
            Findings&) noexcept {
        last_.fill({});  // What was refused since is not known.
    }

private:
    struct Last {
        bool known = false;
        uint16_t request_id = 0;
        uint32_t client_time_ms = 0;
    };
    std::array<Last, shadow_actions_end> last_;
    ShadowClock clock_;
};

/// Range: further away than the action reaches, to its target and to its point.  The limit
/// grows by what both may have walked since they were last heard of; what only hangs on a
/// client that was silent for long, or on a very late Pong, is written down.
class ShadowRange {
public:
    static constexpr std::string_view name = "action.range";
    static constexpr float weight = 2;

    struct Settings {
        double tolerance = 1.1;
    };
    static constexpr std::array<Parameter<Settings>, 1> parameters = {{
        {"tolerance", &Settings::tolerance, 1, 10, "Times the range."},
    }};

    void on(const shadowland::Acted& acted, const shadowland::Player& player,
            const Settings& settings, Findings& out) noexcept;

private:
    static void judge(const shadowland::Acted& acted, const shadowland::Place& target,
                      double target_s, const shadowland::Player& player, const Settings& settings,
                      Findings& out) noexcept;
};

/// State: acting while dead, casting, stunned or frozen.
class ShadowActionState {
public:
    static constexpr std::string_view name = "action.state";

    struct Settings {};

    void on(const shadowland::Acted& acted, const shadowland::Player& player, const Settings&,
            Findings& out) noexcept {
        if (player.may_act(player.made_at(acted.client_time_ms))) return;
        out.add(0.96f, {.observed = double(player.flags.state), .unit = "bits"});
    }
};

/// Area of interest: the server tells a client of what it can not see.  The
/// client is not to blame, so this never acts on it.
class ShadowInterest {
public:
    static constexpr std::string_view name = "aoi.leak";
    static constexpr bool statistical = true;

    struct Settings {
        double slack = 2'000;  ///< Units: a cell's diagonal, hysteresis, motion in flight.
    };
    static constexpr std::array<Parameter<Settings>, 1> parameters = {{
        {"slack", &Settings::slack, 0, 100'000, "Units over the type's distance."},
    }};

    void on(const shadowland::Shown& shown, const shadowland::Player& player,
            const Settings& settings, Findings& out) noexcept;
};

using ShadowlandActions = CheckList<ShadowCooldown, ShadowRange, ShadowActionState, ShadowInterest>;

}  // namespace portcullis::checks
