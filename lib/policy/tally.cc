#include "policy/tally.h"

#include <cmath>
#include <utility>

#include "checks/all.h"
#include "policy/trait.h"

namespace portcullis::policy {

namespace {

/// By CheckId.
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

using Places = std::array<uint8_t, checks::check_names.size()>;

template <class... C>
consteval std::array<bool, tally_places> places_taken(checks::CheckList<C...>,
                                                      const Places& places) {
    std::array<bool, tally_places> taken{};
    ((taken[places[checks::check_id(C::name)]] = true), ...);
    return taken;
}

template <class... C>
consteval void give_places(checks::CheckList<C...>, Places& places) {
    constexpr size_t minecrafts = MinecraftSet::size;
    std::array<bool, tally_places> taken{};
    for (const size_t id : {checks::check_id(C::name)...}) {
        if (id < minecrafts) taken[places[id]] = true;
    }
    size_t next = 0;
    for (const size_t id : {checks::check_id(C::name)...}) {
        if (id < minecrafts) continue;
        while (taken[next]) ++next;
        taken[next] = true;
        places[id] = static_cast<uint8_t>(next);
    }
}

/// Where a check is kept, by CheckId.  Minecraft's stand in their order, and a name of both
/// games has one place; Shadowland's own take those that its others leave.
consteval Places all_places() {
    Places places{};
    for (size_t id = 0; id < MinecraftSet::size; ++id) places[id] = static_cast<uint8_t>(id);
    give_places(checks::ShadowlandChecks{}, places);
    return places;
}

constexpr Places places = all_places();
static_assert(std::ranges::count(places_taken(checks::MinecraftChecks{}, places), true) ==
              MinecraftSet::size);
static_assert(std::ranges::count(places_taken(checks::ShadowlandChecks{}, places), true) ==
              ShadowlandSet::size);

constexpr uint8_t of_this_interval = 0x80;  ///< Beside the rank of a record.

/// Half the weight right at the threshold, all of it when certain.
float gain(const Trait& trait, float confidence, float threshold) noexcept {
    if (trait.statistical) return trait.weight * confidence;
    if (threshold >= 1) return trait.weight;
    return trait.weight * (0.5f + 0.5f * (confidence - threshold) / (1 - threshold));
}

/// What is left of a level after so long.
double decay(Nanos elapsed) noexcept {
    if (elapsed <= Nanos{}) return 1;
    return std::exp2(-to_seconds(elapsed) / to_seconds(Tally::level_half_life));
}

}  // namespace

Action gravest_at_once(checks::CheckId check, const Policy& policy) noexcept {
    const Trait& trait = traits[check];
    Action action = policy.action_at(trait.weight);
    if (trait.statistical) action = Action::log;
    if (trait.spoofable) action = std::min(action, Action::drop);
    return action;
}

float Tally::level(checks::CheckId check, Nanos now) const noexcept {
    if (check >= places.size()) return 0;
    return static_cast<float>(levels_[places[check]] * decay(now - levels_at_));
}

void Tally::let_decay(Nanos now) noexcept {
    if (now - levels_at_ < decay_step) return;
    const double left = decay(now - levels_at_);
    for (float& level : levels_) level = static_cast<float>(level * left);
    levels_at_ = now;
}

/// One finding more; whether it is to be written down now.
bool Tally::record_is_due(size_t place, uint8_t rank, Nanos now) noexcept {
    if (now - interval_began_ >= record_interval) {
        interval_began_ = now;
        for (uint8_t& recorded : recorded_) recorded &= ~of_this_interval;
    }
    const bool told = (recorded_[place] & of_this_interval) != 0;
    const bool graver = rank > (recorded_[place] & ~of_this_interval);
    if (told && !graver && repeats_[place] < repeats_max) {
        ++repeats_[place];
        return false;
    }
    recorded_[place] = rank | of_this_interval;
    return true;
}

Weighed Tally::weigh(const checks::Finding& finding, const Policy& policy, const Subject& subject,
                     Nanos now) noexcept {
    if (finding.check >= traits.size()) return {};
    const Trait& trait = traits[finding.check];
    const size_t place = places[finding.check];
    const float confidence =
        finding.confidence > 0 ? std::min(finding.confidence, 1.0f) : 0;  // NaN: 0.
    const bool counts = trait.statistical || confidence >= policy.act_at_confidence();
    const bool spared = policy.exempts(subject);

    let_decay(now);
    float& level = levels_[place];
    if (counts) {
        level = std::min(level_max, level + gain(trait, confidence, policy.act_at_confidence()));
    }

    Weighed weighed;
    weighed.level = level;
    weighed.acts = counts && !spared && !trait.statistical;
    if (counts && !spared) weighed.action = policy.action_at(level);
    if (trait.statistical) weighed.action = std::min(weighed.action, Action::alert);
    if (trait.spoofable) weighed.action = std::min(weighed.action, Action::drop);

    const auto rank = static_cast<uint8_t>(1 + 2 * static_cast<int>(weighed.action) + weighed.acts);
    weighed.record = record_is_due(place, rank, now);
    if (weighed.record) weighed.repeats = std::exchange(repeats_[place], 0);
    return weighed;
}

}  // namespace portcullis::policy
