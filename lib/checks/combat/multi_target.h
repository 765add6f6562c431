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
///
/// Who stands at a mob farm does nothing else, mobs die and jostle, and a line that
/// delivers in bunches makes a group of each.  So what mobs are among and a silence
/// before it may have held back, a blow a tick, is only written down and counts
/// nothing.  Against players nobody keeps his aim that still.
/// A hand of Vivecraft strikes all that its weapon meets; so it is only written down
/// where that is believed.
/// Blind where ticks are not seen: an aura that turns between its blows; one that stands
/// still among mobs and strikes no more of them in each pause than it has ticks.
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

    void on(const protocol::PacketSeen& packet, const Player& player, const Settings&,
            Findings&) noexcept;
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
    /// A silence before may have held back all blows of the group, one a tick.
    bool held_back(const Player& player) const noexcept;

    ClientTicks ticks_;
    protocol::EntityId target_ = 0;
    Nanos at_{};  ///< The last blow.
    uint32_t tick_ = 0;
    bool struck_ = false;  ///< There was a blow before.
    bool moved_ = false;   ///< The client moved or turned since.
    bool group_counted_ = false;
    bool group_told_ = false;  ///< Written down, and counts nothing.
    bool mobs_ = false;        ///< In this group; or nobody knows what it was.
    uint8_t targets_ = 1;      ///< In turn, of this group.
    float groups_ = 0;         ///< Several targets: up; single blows: down.
    Nanos heard_{};            ///< The client's last packet,
    Nanos quiet_{};            ///< and the silence before what arrived together with it.
};

}  // namespace portcullis::checks
