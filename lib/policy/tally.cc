#include "policy/tally.h"

#include <algorithm>
#include <cmath>

namespace portcullis::policy {

namespace {

/// What a check says of itself, by CheckId.
struct Trait {
    float weight = 1;          ///< Levels that one certain finding is worth.
    bool spoofable = false;    ///< Anybody may have sent it: no more than drop.
    bool statistical = false;  ///< Likelihood, not impossibility: tells people, never acts.
};

template <class C>
consteval Trait trait_of() {
    Trait trait;
    if constexpr (requires { C::weight; }) trait.weight = C::weight;
    if constexpr (requires { C::statistical; }) trait.statistical = C::statistical;
    if constexpr (requires { C::spoofable; }) trait.spoofable = C::spoofable;
    return trait;
}

using Traits = std::array<Trait, checks::check_names.size()>;

template <class... C>
consteval void set_traits(checks::CheckList<C...>, Traits& traits) {
    ((traits[checks::check_id(C::name)] = trait_of<C>()), ...);
}

/// Where several protocols have a check of one name, they agree on these.
consteval Traits all_traits() {
    Traits traits{};
    set_traits(checks::ShadowlandChecks{}, traits);
    set_traits(checks::MinecraftChecks{}, traits);
    return traits;
}

constexpr Traits traits = all_traits();

/// Half the weight right at the threshold, all of it when certain.
float gain(const Trait& trait, float confidence, float threshold) noexcept {
    if (trait.statistical) return trait.weight * confidence;
    if (threshold >= 1) return trait.weight;
    return trait.weight * (0.5f + 0.5f * (confidence - threshold) / (1 - threshold));
}

}  // namespace

Action gravest_at_once(checks::CheckId check, const Policy& policy) noexcept {
    const Trait& trait = traits[check];
    Action action = policy.action_at(trait.weight);
    if (trait.statistical) action = Action::log;
    if (trait.spoofable) action = std::min(action, Action::drop);
    return action;
}

float Tally::decayed(const Account& account, Nanos now) noexcept {
    if (account.level == 0 || now <= account.level_at) return account.level;
    const double halvings = to_seconds(now - account.level_at) / to_seconds(level_half_life);
    return static_cast<float>(account.level * std::exp2(-halvings));
}

float Tally::level(checks::CheckId check, Nanos now) const noexcept {
    const auto found = std::ranges::find(accounts_, check, &Account::check);
    return found != accounts_.end() ? decayed(*found, now) : 0;
}

Tally::Account& Tally::account_of(checks::CheckId check, Nanos now) noexcept {
    const auto found = std::ranges::find(accounts_, check, &Account::check);
    if (found != accounts_.end()) return *found;
    const auto worth = [now](const Account& account) {
        return account.check == nobodys ? -1 : decayed(account, now);
    };
    Account& lowest = *std::ranges::min_element(accounts_, {}, worth);
    lowest = {};
    lowest.check = check;
    return lowest;
}

Weighed Tally::weigh(const checks::Finding& finding, const Policy& policy, const Subject& subject,
                     Nanos now) noexcept {
    if (finding.check >= traits.size()) return {};
    const Trait& trait = traits[finding.check];
    Account& account = account_of(finding.check, now);
    const float confidence =
        finding.confidence > 0 ? std::min(finding.confidence, 1.0f) : 0;  // NaN: 0.
    const bool counts = trait.statistical || confidence >= policy.act_at_confidence();
    const bool spared = policy.exempts(subject);

    account.level = decayed(account, now);
    account.level_at = std::max(account.level_at, now);
    if (counts) {
        account.level = std::min(
            level_max, account.level + gain(trait, confidence, policy.act_at_confidence()));
    }

    Weighed weighed;
    weighed.level = account.level;
    weighed.acts = counts && !spared && !trait.statistical;
    if (counts && !spared) weighed.action = policy.action_at(account.level);
    if (trait.statistical) weighed.action = std::min(weighed.action, Action::alert);
    if (trait.spoofable) weighed.action = std::min(weighed.action, Action::drop);

    const auto rank = static_cast<uint8_t>(1 + 2 * static_cast<int>(weighed.action) + weighed.acts);
    const bool first = account.recorded_rank == 0;
    const bool graver = rank > account.recorded_rank;
    const bool due = now - account.recorded_at >= record_interval;
    if (first || graver || due) {
        weighed.record = true;
        weighed.repeats = account.repeats;
        account.repeats = 0;
        account.recorded_at = now;
        account.recorded_rank = rank;
    } else {
        ++account.repeats;
    }
    return weighed;
}

}  // namespace portcullis::policy
