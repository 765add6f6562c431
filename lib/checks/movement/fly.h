#pragma once

#include <array>

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// Fly: a player stays up in the air with nothing to hold him.
///
/// Whoever is off the ground falls.  What may hold an honest player is not seen
/// by us, but each of it leaves its mark on the way he moves:
/// - a ladder holds only who sneaks, and lets nobody go sideways faster than 0.15;
/// - water lets sink, unless one swims (the server says so) or is pressed against
///   a ceiling: then the head, so also the feet, stand on the grid of sixteenths;
/// - webs let sink, scaffolds and powder snow too; who treads water goes up and
///   down by more than a hand;
/// - whatever slows the fall is slow sideways as well: in water at most 0.36, and
///   who was thrown or pushed faster (a trident, a blow) loses a tenth a tick.
/// So three things are told: hanging still at a height no ceiling explains;
/// keeping height at a speed that any such block would take away; and rising faster
/// than any of them lifts.
///
/// Blind: to whoever claims ground under his feet, to slow sinking and rising at
/// the pace of water, to hanging while sneaking at the pace of a ladder.
class Fly {
public:
    static constexpr std::string_view name = "movement.fly";
    static constexpr float weight = 8;  ///< One finding is a second of flight.

    struct Settings {
        double hover_ticks = 20;
        double glide_ticks = 10;
        double rise_ticks = 12;
    };
    static constexpr std::array<Parameter<Settings>, 3> parameters = {{
        {"hover_ticks", &Settings::hover_ticks, 5, 1200, "Ticks of hanging still until a finding."},
        {"glide_ticks", &Settings::glide_ticks, 3, 1200,
         "Ticks of not falling at speed until a finding."},
        {"rise_ticks", &Settings::rise_ticks, 3, 1200, "Ticks of rising until a finding."},
    }};

    void on(const protocol::Move& move, const Player& player, const Settings& settings,
            Findings& out) noexcept;
    /// The place before it was said once more for this use, and no tick.
    void on(const protocol::UseItem&, const Player&, const Settings&, Findings&) noexcept {
        unclear_ = Hang::none;
    }

private:
    /// What an unmoved player may hang on.
    enum class Hang : uint8_t { none, air, perhaps_held, held };

    /// A move of height by less than this is none.
    static constexpr double rest = 1e-3;

    void forget() noexcept {
        hover_ = excused_hover_ = glide_ = rise_ = sprint_swims_ = 0;
        column_x_ = column_z_ = 0;
        unclear_ = Hang::none;
    }
    /// Pushes hold nobody up but one after another.
    bool held_by_pushes(Player::MoveKind kind, const Player& player) noexcept;
    void follow_chunks(Player::MoveKind kind, const Player::Step& step) noexcept;
    /// He sprints, and no longer than the server takes to say that he swims.
    bool sprint_swims(const Player& player) noexcept;
    void judge_hover(const protocol::Move& move, const Player& player, const Player::Step& step,
                     const Settings& settings, Findings& out) noexcept;
    void hang(Hang on, uint16_t ticks, const Settings& settings, Findings& out) noexcept;
    void judge_glide(const Player& player, const Player::Step& step, const Settings& settings,
                     Findings& out) noexcept;

    void judge_column(bool lifted, const Player::Step& step, Findings& out) noexcept;

    Nanos place_at_{};
    double lowest_ = 0, highest_ = 0;         ///< While hanging.
    uint16_t hover_ = 0, excused_hover_ = 0;  ///< Ticks, in a row.
    uint16_t glide_ = 0, rise_ = 0;           ///< Ticks, less those that fell.
    uint16_t sprint_swims_ = 0;  ///< Ticks in which he hung so, without the server's word.
    float column_x_ = 0,
          column_z_ = 0;  ///< How far he went while he rose as a bubble column lifts.
    uint32_t pushes_seen_ = 0;
    uint8_t pushed_lately_ = 0;  ///< Ticks until as many blows as he was given are over.
    bool no_chunk_ = false;  ///< He was last put where he is, or sank there as where no chunk is.
    Hang unclear_ = Hang::none;  ///< The last place, if the use of an item
                                 ///< may explain it.
};

}  // namespace portcullis::checks
