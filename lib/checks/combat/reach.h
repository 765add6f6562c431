#pragma once

#include <array>
#include <optional>

#include "checks/check.h"
#include "checks/silence.h"
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

    void on(const protocol::PacketSeen& packet, const Player& player, const Settings&,
            Findings&) noexcept;
    void on(const protocol::KeepAliveAnswered& e, const Player& player, const Settings&,
            Findings&) noexcept {
        measured(player, player.trips().sent_at(RoundTrips::Kind::keep_alive, e.id));
    }
    void on(const protocol::PingAnswered& e, const Player& player, const Settings&,
            Findings&) noexcept {
        measured(player, player.trips().sent_at(RoundTrips::Kind::ping, e.id));
    }
    void on(const protocol::TeleportConfirmed& e, const Player& player, const Settings&,
            Findings&) noexcept {
        measured(player, player.trips().sent_at(RoundTrips::Kind::teleport, e.id));
    }
    void on(const protocol::Attack& attack, const Player& player, const Settings& settings,
            Findings& out) noexcept;
    void on(const protocol::AttributeSet& set, const Player& player, const Settings&,
            Findings&) noexcept;

private:
    Nanos unacknowledged_for(const Player& player) const noexcept;
    /// His eyes to the nearest that he may have seen it within `window`; nothing where
    /// that is not known.
    std::optional<double> reached(const Player& player, protocol::EntityId target,
                                  Nanos window) const noexcept;
    void measured(const Player& player, const RoundTrips::Answer& answer) noexcept;
    /// How far back he may look behind a proxy, whatever his line does now.
    Nanos surely_received(const Player& player) const noexcept;

    /// All bytes to the client from here on were sent then or later.
    struct Mark {
        uint64_t from_bytes = 0;
        Nanos at{};
    };
    /// A server sends once a tick, some frames together.
    static constexpr Nanos mark_interval = game_tick / 2;

    Silence silence_;
    Nanos answered_at_{};    ///< The last request that came back: when,
    Nanos answered_sent_{};  ///< and when it had been sent.
    uint64_t sent_bytes_ = 0;
    uint32_t marks_size_ = 0;
    /// Oldest first, back to what is not acknowledged.  When full every other one
    /// goes: a stall of any length keeps its beginning.
    std::array<Mark, 16> marks_;
    float scale_max_ = 1;  ///< Of any entity, 1.20.5 on.
};
static_assert(Hears<Reach, protocol::KeepAliveAnswered> && Hears<Reach, protocol::PingAnswered> &&
              Hears<Reach, protocol::TeleportConfirmed> && Hears<Reach, protocol::Attack> &&
              Hears<Reach, protocol::PacketSeen> && Hears<Reach, protocol::AttributeSet>);

}  // namespace portcullis::checks
