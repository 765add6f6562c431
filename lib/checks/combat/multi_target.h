#pragma once

#include "checks/check.h"
#include "checks/client_ticks.h"
#include "player/player.h"

namespace portcullis::checks {

/// Multi target: blows at two different targets within one tick of the client.
///
/// A client looks what is under its crosshair once a tick, and every click of
/// that tick strikes it.  Where the wire shows the ticks, two targets in one are
/// impossible, whatever the line did: order is all that counts.
///
/// From 1.9 to 1.21.1 it does not show them.  There, two targets at one instant
/// with no movement in between are either one tick's, or a stall pushed the blows
/// of some ticks together while the player neither moved nor turned and his
/// targets jostled each other through his crosshair.  One such group says little;
/// an aura strikes in nothing else, so groups count up and single blows down.
/// A hand of Vivecraft strikes all that its weapon meets; so it is only written down
/// where that is believed.
/// Blind where ticks are not seen: an aura that turns between its blows.
class MultiTarget {
public:
    static constexpr std::string_view name = "combat.multi_target";
    static constexpr float weight = 2.5f;

    struct Settings {
        double groups = 4;
    };
    static constexpr std::array<Parameter<Settings>, 1> parameters = {
        {{"groups", &Settings::groups, 2, 100,
          "Groups of blows at several targets, more than single blows, that are too many "
          "where ticks are not seen."}}};

    void on(const protocol::Attack& attack, const Player& player, const Settings& settings,
            Findings& out) noexcept;
    void on(const protocol::Move& move, const Player& player, const Settings&, Findings&) noexcept {
        ticks_.on(move, player);
        moved_ = true;
    }
    void on(const protocol::TickEnded& ended, const Player&, const Settings&, Findings&) noexcept {
        ticks_.on(ended);
    }

private:
    void judge_group(const Player& player, const Settings& settings, Findings& out) noexcept;

    ClientTicks ticks_;
    protocol::EntityId target_ = 0;
    Nanos at_{};  ///< The last blow.
    uint32_t tick_ = 0;
    bool struck_ = false;  ///< There was a blow before.
    bool moved_ = false;   ///< The client moved or turned since.
    bool group_counted_ = false;
    double groups_ = 0;  ///< Several targets: up; single blows: down.
};
static_assert(Hears<MultiTarget, protocol::Attack> && Hears<MultiTarget, protocol::Move> &&
              Hears<MultiTarget, protocol::TickEnded>);

}  // namespace portcullis::checks
