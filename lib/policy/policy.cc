#include "policy/policy.h"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

#include "base/hex.h"
#include "config/problems.h"
#include "policy/kick_message.h"
#include "policy/tally.h"

namespace portcullis::policy {

namespace {

using checks::MinecraftChecks;
using config::Problems;

std::string quoted(std::string_view text) { return config::in_quotes(text); }

/// What a check's parameters may be called, and a row for each that was given.
template <class C>
void set_parameters(typename C::Settings& settings, const config::CheckSettings& from,
                    std::vector<bool>& taken, std::string& known, Problems& problems) {
    if constexpr (requires { C::parameters; }) {
        for (const auto& row : C::parameters) {
            known += ", " + std::string(row.name);
            size_t index = 0;
            for (const auto& [name, value] : from.parameters) {
                const size_t at = index++;
                if (row.name != name) continue;
                const bool said = taken[at];  // By the other game's check of that name.
                taken[at] = true;
                if (value >= row.min && value <= row.max) {
                    settings.*row.member = value;
                } else if (!said) {
                    problems.add(from.mark, std::string(C::name) + '.' + name + " is " +
                                                config::in_digits(value) +
                                                ", allowed: " + config::in_digits(row.min) +
                                                " to " + config::in_digits(row.max));
                }
            }
        }
    }
}

/// Sets the checks of this name in one protocol's list.  False if it has none.
template <class... C, class Settings>
bool set_check(checks::CheckList<C...>, std::string_view name, const config::CheckSettings& given,
               Settings& settings, std::vector<bool>& taken, std::string& known,
               Problems& problems) {
    size_t index = 0;
    bool found = false;
    const auto try_one = [&]<class Check>() {
        if (Check::name == name) {
            found = true;
            settings.enabled[index] = given.enabled;
            set_parameters<Check>(std::get<typename Check::Settings>(settings.of), given, taken,
                                  known, problems);
        }
        ++index;
    };
    (try_one.template operator()<C>(), ...);
    return found;
}

/// A name that several protocols' checks have is set for all of them.
void set_checks(const config::Policy& from, MinecraftSet::Settings& minecraft,
                ShadowlandSet::Settings& shadowland, Problems& problems) {
    for (const auto& [name, given] : from.checks) {
        std::vector<bool> taken(given.parameters.size());
        std::string known;
        bool found = set_check(MinecraftChecks{}, name, given, minecraft, taken, known, problems);
        found |=
            set_check(checks::ShadowlandChecks{}, name, given, shadowland, taken, known, problems);
        if (!found) {
            std::string names;
            for (const std::string_view one : checks::check_names) {
                names += (names.empty() ? "" : ", ") + std::string(one);
            }
            problems.add(given.mark, "policy " + quoted(from.name) + ": no check " + quoted(name) +
                                         ", allowed: " + names);
            continue;
        }
        size_t index = 0;
        for (const auto& [parameter, value] : given.parameters) {
            if (taken[index++]) continue;
            problems.add(given.mark, name + " has no parameter " + quoted(parameter) +
                                         ", allowed: enabled" + known);
        }
    }
}

/// 32 hexadecimal digits, dashes wherever they stand.
std::optional<protocol::Uuid> parse_uuid(std::string_view text) {
    protocol::Uuid uuid{};
    size_t digits = 0;
    for (const char c : text) {
        if (c == '-') continue;
        const int digit = hex_value(c);
        if (digit < 0 || digits == 32) return std::nullopt;
        uint8_t& octet = uuid[digits++ / 2];
        octet = static_cast<uint8_t>(octet << 4 | digit);
    }
    return digits == 32 ? std::optional(uuid) : std::nullopt;
}

/// By Action: which checks' very first finding may be acted on so or more gravely.
template <class Set>
void set_at_once(const Policy& policy, auto& at_once) {
    for (size_t check = 0; check < Set::size; ++check) {
        const auto id = static_cast<checks::CheckId>(checks::check_id(Set::names[check]));
        const auto gravest = static_cast<size_t>(gravest_at_once(id, policy));
        for (size_t action = 0; action <= gravest; ++action) at_once[action].set(check);
    }
}

template <protocol::SourceAct act>
void set_limit(const MinecraftSet::Settings& settings, uint32_t workers, SourceLimits& limits) {
    using Check = checks::SourceRate<act>;
    const auto& rate = std::get<typename Check::Settings>(settings.of);
    const auto index = static_cast<size_t>(act);
    const auto at = std::ranges::find(MinecraftSet::names, Check::name);
    limits.counted[index] = settings.enabled[static_cast<size_t>(at - MinecraftSet::names.begin())];
    double times = 1;
    for (size_t width = 0; width < SourceLimits::widths; ++width) {
        limits.of[index][width] = share_of(rate.per_second * times, rate.burst * times, workers);
        times *= width == 0 ? rate.neighbours : 2;
    }
}

template <size_t... act>
SourceLimits limits_from(const MinecraftSet::Settings& settings, uint32_t workers,
                         std::index_sequence<act...>) {
    SourceLimits limits;
    (set_limit<static_cast<protocol::SourceAct>(act)>(settings, workers, limits), ...);
    return limits;
}

}  // namespace

Policy::Policy(const config::Policy& from, Problems& problems, uint32_t workers)
    : name_(from.name),
      act_at_confidence_(static_cast<float>(from.act_at_confidence)),
      block_for_(std::chrono::seconds(from.block_s)),
      exempt_addresses_(from.exempt_addresses),
      exempt_versions_(from.exempt_versions),
      kick_message_(from.kick_message) {
    set_checks(from, minecraft_, shadowland_, problems);
    source_limits_ =
        limits_from(minecraft_, workers, std::make_index_sequence<SourceLimits::acts>());

    for (const config::Rung& rung : from.ladder) {
        ladder_.push_back({static_cast<float>(rung.level), rung.action});
    }
    std::ranges::stable_sort(ladder_, {}, &Rung::level);
    set_at_once<MinecraftSet>(*this, at_once_);
    set_at_once<ShadowlandSet>(*this, shadowland_at_once_);
    for (const std::string& player : from.exempt_players) {
        if (const auto uuid = parse_uuid(player))
            exempt_uuids_.push_back(*uuid);
        else
            exempt_names_.push_back(player);
    }
    std::ranges::sort(exempt_names_);
    std::ranges::sort(exempt_uuids_);
    std::ranges::sort(exempt_versions_);
}

void Policy::attach(signatures::Scanners& scanners, signatures::RuleBook& book,
                    uint64_t signatures) noexcept {
    signatures_ = book.empty() ? 0 : signatures;
    std::get<checks::Log4Shell::Settings>(minecraft_.of).scanners = &scanners;
    std::get<checks::Signature::Settings>(minecraft_.of).book = book.empty() ? nullptr : &book;
}

Action Policy::action_at(float level) const noexcept {
    Action action = Action::log;
    for (const Rung& rung : ladder_) {
        if (level >= rung.level) action = rung.action;
    }
    return action;
}

bool Policy::exempts(const Subject& subject) const noexcept {
    const auto covers = [&](const IpPrefix& prefix) { return prefix.contains(subject.address); };
    return std::ranges::binary_search(exempt_versions_, subject.version) ||
           std::ranges::binary_search(exempt_uuids_, subject.uuid) ||
           std::ranges::binary_search(exempt_names_, subject.name) ||
           std::ranges::any_of(exempt_addresses_, covers);
}

InlineText<Policy::reason_size_max> Policy::reason(std::string_view check,
                                                   std::string_view player) const noexcept {
    std::array<char, reason_size_max> text;
    size_t size = 0;
    const auto append = [&](std::string_view part) {
        const size_t taken = std::min(part.size(), text.size() - size);
        std::copy_n(part.data(), taken, text.data() + size);
        size += taken;
    };
    fill_message(kick_message_, check, player, append);
    return std::string_view(text.data(), size);
}

}  // namespace portcullis::policy
