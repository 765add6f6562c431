#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/time.h"
#include "checks/check.h"
#include "policy/policy.h"
#include "records/action.h"

namespace portcullis::policy {

/// What follows from one Finding.
struct Weighed {
    Action action = Action::log;
    float level = 0;  ///< The check's violation level with this finding in it.
    /// The finding reached act_at_confidence and nobody is spared: `action` is
    /// to be carried out.  Otherwise it is written down at most.
    bool acts = false;
    bool record = false;   ///< Write a VerdictRecord of it now.
    uint32_t repeats = 0;  ///< Findings of this check since the last record.
};

/// The gravest that a check's very first finding can lead to.
Action gravest_at_once(checks::CheckId check, const Policy& policy) noexcept;

/// How many places a Tally has: one for every check of the game that has the most.
inline constexpr size_t tally_places = std::max(MinecraftSet::size, ShadowlandSet::size);

/// One player's account with each check: how high the level stands, and when it
/// was last told.
///
/// A finding at or above act_at_confidence raises the level of its check by the
/// check's `weight` (1 where it names none): all of it when certain, half of it
/// right at the threshold.  Every minute halves a level.  So a player who
/// stumbles once an hour starts from nothing each time, while one with a certain
/// finding every tick stands on the kick rung (10) after half a second, and one
/// who sent a bomb (weight 10) at once.
///
/// Below the threshold a finding is only written down.  A check that is
/// `statistical` counts at any confidence but never goes past `alert`; one that is
/// `spoofable`, since anybody may have sent the packet, never past `drop`.
///
/// Every check of a game has a place of its own, so that who breaks many rules can not
/// make one forget him.  A Tally is for the checks of one game: those of two may share places.
class Tally {
public:
    static constexpr Nanos level_half_life = 60s;
    static constexpr float level_max =
        100;  ///< So that even a long attack is forgotten in minutes.
    /// A check has one record in each, but for graver ones and full counts of repeats.
    static constexpr Nanos record_interval = 1s;
    static constexpr uint32_t repeats_max = UINT16_MAX;  ///< With so many a record is due.

    Weighed weigh(const checks::Finding& finding, const Policy& policy, const Subject& subject,
                  Nanos now) noexcept;

    /// The level as it stands now.
    float level(checks::CheckId check, Nanos now) const noexcept;

private:
    /// Levels fall in steps no shorter: of less a float of 100 loses nothing.
    static constexpr Nanos decay_step = 1ms;

    void let_decay(Nanos now) noexcept;
    bool record_is_due(size_t place, uint8_t rank, Nanos now) noexcept;

    // Seven bytes a check: Shadowland's players have no more to give.
    std::array<float, tally_places> levels_{};
    std::array<uint16_t, tally_places> repeats_{};
    /// How grave the last record was, 0: there was none; and whether it is of this interval.
    std::array<uint8_t, tally_places> recorded_{};
    Nanos levels_at_{};
    Nanos interval_began_{};
};

}  // namespace portcullis::policy
