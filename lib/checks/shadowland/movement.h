#pragma once

#include <array>

#include "checks/check.h"
#include "checks/shadowland/clock.h"
#include "player/shadowland/player.h"

/// How a Shadowland client may move, by its own clock and the server's word.
namespace portcullis::checks {

/// Speed: a longer way than legs carry.
///
/// Judged over windows of a second and more of the client's own time, so a line
/// that holds back and gives everything at once changes nothing.  Slowing down is
/// believed when the client has acknowledged it.
/// Blind: one step for each time that the server sent a correction, and half a second of
/// small ones toward it; a tenth more speed for less than a second.
class ShadowSpeed {
public:
    static constexpr std::string_view name = "movement.speed";
    static constexpr bool judges_by_front = true;

    struct Settings {
        double tolerance = 1.05;
        double steps = 8;     ///< Of quantisation.
        double clock_ms = 4;  ///< Of walking: how coarse the client's clock is.
    };
    static constexpr std::array<Parameter<Settings>, 1> parameters = {{
        {"tolerance", &Settings::tolerance, 1, 10, "Factor on the speed that is possible."},
    }};

    void on(const shadowland::Synced& synced, const shadowland::Player& player,
            const Settings& settings, Findings& out) noexcept;

private:
    static constexpr uint32_t window_ms = 1'000;
    static constexpr uint32_t mark_every_ms = 100;
    /// Those of a window, and what is between them and the next.
    static constexpr size_t marks_max = window_ms / mark_every_ms + 4;

    struct Mark {
        uint32_t time_ms;
        float path;
        float allowed;
    };
    void restart() noexcept { marks_size_ = 0; }

    // What a sync changes comes first: of the marks only one that is not in use.
    uint8_t marks_first_ = 0, marks_size_ = 0;
    double path_ = 0, allowed_ = 0;
    std::array<Mark, marks_max> marks_;
};

/// Teleport: one step far beyond what the time allows, without the server's word.
class ShadowTeleport {
public:
    static constexpr std::string_view name = "movement.teleport";
    static constexpr float weight = 5;

    /// Units over the allowed way that movement.speed leaves to this check.
    static constexpr double leap = 1'000;

    struct Settings {
        double beyond = leap;  ///< Units over the allowed distance.
    };
    static constexpr std::array<Parameter<Settings>, 1> parameters = {{
        {"beyond", &Settings::beyond, 100, leap, "Units over the allowed distance."},
    }};

    static double limit(const shadowland::Step& step, double beyond) noexcept {
        return step.allowed * 1.05 + beyond;
    }

    void on(const shadowland::Synced& synced, const shadowland::Player& player,
            const Settings& settings, Findings& out) noexcept;
};

/// Fly: hanging in the air, or higher than a jump.
/// Blind: on the way down from where the server put the client, however fast.
class ShadowFly {
public:
    static constexpr std::string_view name = "movement.fly";

    struct Settings {
        double jump_units = 95;  ///< Over the ground.
        double air_units = 5;    ///< From here on it is in the air.
        double level_units = 5;  ///< Heights within this are one height.
        double hover_ms = 300;
    };

    void on(const shadowland::Synced& synced, const shadowland::Player& player,
            const Settings& settings, Findings& out) noexcept;

private:
    static constexpr unsigned hover_syncs_min = 4;

    /// The server put it in the air, and it has not landed since: a jump over the lowest that
    /// it has been.  0: no.
    float lifted_to_ = 0;
    unsigned syncs_ = 0;  ///< At one height in the air.
    uint32_t since_ms_ = 0;
    float lowest_ = 0, highest_ = 0;
};

/// Timer: the client's clock runs faster than time, or goes back.
/// Blind: the first time that it gains at once what a slow line may have owed when it joined.
class ShadowTimer {
public:
    static constexpr std::string_view name = "movement.timer";

    struct Settings {
        double ahead_ms = 500;
        double drift = 0.001;  ///< Of the time since: clocks differ.
    };
    static constexpr std::array<Parameter<Settings>, 1> parameters = {{
        {"ahead_ms", &Settings::ahead_ms, 100, 60'000, "How far the clock may run ahead."},
    }};

    void on(const shadowland::Synced& synced, const shadowland::Player& player,
            const Settings& settings, Findings& out) noexcept;
    void on(const shadowland::Acted& acted, const shadowland::Player& player,
            const Settings& settings, Findings& out) noexcept {
        hear(acted.client_time_ms, player, settings, out);
    }

private:
    static constexpr Nanos learning = 2s;
    /// By so much one message may raise the base, and all while it is learnt.
    static constexpr double raise_max_ms = 5'000;
    /// What the line may have owed since he joined, and how long it takes to give it back.
    static constexpr double owed_max_ms = 3'000, told_once_max_ms = 10'000;
    static constexpr Nanos owed_for_max = 1s;
    /// So little ahead is none.  A line gives back its debt sooner after that than a clock that
    /// runs fast gains as much.
    static constexpr double level_max_ms = 100;
    static constexpr Nanos from_level_max = 1'500ms;

    void hear(uint32_t time_ms, const shadowland::Player& player, const Settings& settings,
              Findings& out) noexcept;

    bool begun_ = false;
    bool told_ = false;    ///< That the line owed him too much.
    float raised_ms_ = 0;  ///< The base: while it is learnt, then since `raised_at_`.
    ShadowClock clock_;
    Nanos since_{};
    Nanos raised_at_{};  ///< For the first time since it is learnt.
    Nanos level_at_{};   ///< When the clock was last not ahead.
    double base_ms_ = 0;
};

/// Clip: through a wall, or the ground.
///
/// Between two syncs a client may have gone round a wall: accused is who had no time for that.
/// Blind: boxes that one can pass under, or leap over from where both syncs are; from where
/// the server put the client below the ground until it has come up.
class ShadowClip {
public:
    static constexpr std::string_view name = "movement.clip";
    static constexpr float weight = 5;

    struct Settings {};

    void on(const shadowland::Synced& synced, const shadowland::Player& player, const Settings&,
            Findings& out) noexcept;

private:
    static constexpr double depth_max = 50;  ///< Units: deeper no slope of a cell explains.

    bool sunk_ = false;  ///< The server put it below the ground, and it has not come up since.
};

/// State: a client may say that it moves and that it falls; the rest is the server's, and so is
/// where it plays once it is in the world.
class ShadowState {
public:
    static constexpr std::string_view name = "state.forged";

    struct Settings {};

    void on(const shadowland::Synced& synced, const shadowland::Player&, const Settings&,
            Findings& out) noexcept {
        constexpr uint8_t own = shadowland::state::moving | shadowland::state::falling;
        if (!synced.has_state || (synced.state & ~own) == 0) return;
        out.add(1.0f, {.observed = double(synced.state), .limit = double(own), .unit = "bits"});
    }
    void on(const shadowland::EnterToWorld& message, const shadowland::Player& player,
            const Settings&, Findings& out) noexcept {
        if (player.self == 0) return;
        out.add(0.97f, {.observed = double(message.map), .unit = "map", .note = "enters again"});
    }
};

/// Origin: a position in no quadrant of the map, or far outside its own.
class ShadowOrigin {
public:
    static constexpr std::string_view name = "world.origin";

    struct Settings {};

    void on(const shadowland::OutOfWorld& out_of_world, const shadowland::Player&, const Settings&,
            Findings& out) noexcept {
        out.add(0.97f, {.observed = double(out_of_world.quadrant), .unit = "quadrant"});
    }
};

using ShadowlandMovement = CheckList<ShadowSpeed, ShadowTeleport, ShadowFly, ShadowTimer,
                                     ShadowClip, ShadowState, ShadowOrigin>;

}  // namespace portcullis::checks
