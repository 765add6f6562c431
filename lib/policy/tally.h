#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"
#include "checks/check.h"
#include "policy/action.h"
#include "policy/policy.h"

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
class Tally {
public:
    static constexpr Nanos level_half_life = 60s;
    static constexpr float level_max =
        100;  ///< So that even a long attack is forgotten in minutes.
    static constexpr Nanos record_interval = 1s;  ///< Between like records of one check.

    Weighed weigh(const checks::Finding& finding, const Policy& policy, const Subject& subject,
                  Nanos now) noexcept;

    /// The level as it stands now.
    float level(checks::CheckId check, Nanos now) const noexcept;

private:
    static constexpr checks::CheckId nobodys = checks::CheckId(-1);

    struct Account {
        float level = 0;
        uint32_t repeats = 0;
        Nanos level_at{};
        Nanos recorded_at{};
        checks::CheckId check = nobodys;
        uint8_t recorded_rank = 0;  ///< How grave the last record was; 0: there was none.
    };
    static float decayed(const Account& account, Nanos now) noexcept;
    Account& account_of(checks::CheckId check, Nanos now) noexcept;

    /// Few players ever meet a check, and nobody meets most of them: when all are taken, the
    /// one that stands lowest gives way.
    static constexpr size_t accounts_max = 8;
    std::array<Account, accounts_max> accounts_;
};

}  // namespace portcullis::policy
