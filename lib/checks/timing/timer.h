#pragma once

#include <array>

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// Timer: a client lives faster than time.
///
/// The client makes 20 ticks a second.  A bad line may keep them back and deliver
/// a hundred at once, so neither pace nor bursts tell anything.  But no line makes
/// ticks: when the answer to a request of the server comes by, the client had
/// lived until the request was sent at least, with the ticks seen by then.  From
/// there on it can have made no more than the time since holds, and ten that it
/// caught up after hanging (vanilla forgets the rest), plus what a fast clock adds.
/// So each answer sets a floor under the client's time, the highest one counts,
/// and whoever falls through it has made ticks out of nothing.
///
/// Ticks are: each movement packet that is not the answer to a teleport or a
/// repetition; where the client says when its ticks end (protocol 768 on), those, and each
/// movement more than one that no end follows.
/// The use of an item follows a repetition, so it is known for one a packet later.
/// Bare packets of protocols up to 47 are none behind a proxy that translates: they
/// may be its own.
/// Blind: within a half second and the line's delay of advantage; to a client that
/// holds its answers back as long; to one that was never asked anything.  Behind a
/// proxy that answers keep-alives itself the floor would stand too high.
class Timer {
public:
    static constexpr std::string_view name = "timing.timer";
    static constexpr float weight =
        8;  ///< One finding is a tenth of a second gained, after half a second.

    struct Settings {
        double catch_up_ticks = 11;
        double slack_ms = 50;
        double clock_fast_percent = 0.6;
        double again_ms = 100;
    };
    static constexpr std::array<Parameter<Settings>, 4> parameters = {{
        {"catch_up_ticks", &Settings::catch_up_ticks, 1, 1200,
         "Ticks a client that hung may make up for."},
        {"slack_ms", &Settings::slack_ms, 0, 60000, "What else a client may be ahead of time."},
        {"clock_fast_percent", &Settings::clock_fast_percent, 0, 10,
         "How fast an honest client's clock may be."},
        {"again_ms", &Settings::again_ms, 10, 60000, "Further gain until the next finding."},
    }};

    void on(const protocol::Move& e, const Player& player, const Settings& settings,
            Findings& out) noexcept;
    void on(const protocol::TickEnded& e, const Player& player, const Settings& settings,
            Findings& out) noexcept;
    void on(const protocol::UseItem&, const Player&, const Settings&, Findings&) noexcept {
        unclear_ticks_ = 0;
    }
    void on(const protocol::KeepAliveAnswered& e, const Player& player, const Settings& settings,
            Findings& out) noexcept;
    void on(const protocol::PingAnswered& e, const Player& player, const Settings& settings,
            Findings& out) noexcept;
    void on(const protocol::TeleportConfirmed& e, const Player& player, const Settings& settings,
            Findings& out) noexcept;

private:
    /// Those that a place which did not change stands for; else one.
    double ticks_of(const protocol::Move& e, const Player& player) const noexcept;
    void told_place(Nanos at) noexcept;
    /// A movement of the client's own, which stands for `ticks` unless its ends are told.
    void moved(double ticks, bool placed, const Player& player, const Settings& settings,
               Findings& out) noexcept;
    void ticked(double ticks, const Player& player, const Settings& settings,
                Findings& out) noexcept;
    void answered(RoundTrips::Kind kind, int64_t id, const Player& player,
                  const Settings& settings) noexcept;

    /// Moment at which the client's tick 0 would have been, had all ticks seen
    /// been made in time; grows when ticks are left out, never falls honestly.
    Nanos floor_{};
    Nanos floor_at_{};           ///< When the floor was right; the clock's fault grows since.
    double ticks_ = 0;           ///< Told and inferred.
    double ticks_at_place_ = 0;  ///< When a place was last told.
    Nanos place_at_{};
    double unclear_ticks_ = 0;  ///< Of what was taken for a repetition; told at
    Nanos unclear_at_{};
    uint8_t places_in_tick_ = 0;  ///< Movements since the client said that a tick ended,
    uint8_t turns_in_tick_ = 0;   ///< with a place and without.
    bool has_floor_ = false;
    bool has_place_ = false;
};

}  // namespace portcullis::checks
