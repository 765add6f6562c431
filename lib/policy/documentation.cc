#include "policy/documentation.h"

#include <sstream>
#include <string_view>

#include "checks/all.h"
#include "checks/check.h"
#include "config/problems.h"
#include "policy/trait.h"

namespace portcullis::policy {
namespace {

using config::in_digits;

constexpr std::string_view head =
    R"(<!-- Made by `ninja -C build checks-docs` from the checks' own declarations. -->
# Checks

A check hears what a player does and says what it found with a confidence: the share of such
findings that only a cheat or an attack explains. Below the policy's `act_at_confidence` it is
written down; at or above, it raises the check's level and the ladder decides
(`docs/CONFIGURATION.md`). *Weight* is what one certain finding adds to the level; a *statistical*
check alerts at most and never acts alone; a *spoofable* one drops at most, since anybody may have
sent the packet.

What each one takes for a cheat, what an honest player does that is near it, and where it is blind
stands in its family's page. Settings go under `policies: NAME: checks: {check: {setting:
value}}`, beside `enabled: false`.
)";

std::string_view family_of(std::string_view check) { return check.substr(0, check.find('.')); }

/// `game` tells it from another game's check of that name.
template <class Check>
void write(std::ostream& out, std::string_view game = {}) {
    constexpr Trait trait = trait_of<Check>();
    out << "\n### `" << Check::name << '`' << game << "\n\nWeight " << trait.weight
        << (trait.statistical ? ", statistical" : "") << (trait.spoofable ? ", spoofable" : "")
        << ".\n";
    if constexpr (requires { Check::parameters; }) {
        if (Check::parameters.size() == 0) return;
        out << "\n| setting | default | allowed | meaning |\n|---|---|---|---|\n";
        const typename Check::Settings defaults;
        for (const auto& row : Check::parameters) {
            out << "| `" << row.name << "` | " << in_digits(defaults.*row.member) << " | "
                << in_digits(row.min) << " to " << in_digits(row.max) << " | " << row.help
                << " |\n";
        }
    }
}

void write_heading(std::ostream& out, std::string_view folder) {
    out << "\n## " << folder << "\n\nHow it judges: [lib/checks/" << folder << "](../lib/checks/"
        << folder << "/README.md)\n";
}

/// A game whose families have a folder each.
template <class... Check>
void write_families(std::ostream& out, checks::CheckList<Check...>) {
    std::string_view family;
    const auto one = [&]<class C>() {
        if (family != family_of(C::name)) {
            family = family_of(C::name);
            write_heading(out, family);
        }
        write<C>(out);
    };
    (one.template operator()<Check>(), ...);
}

/// A game whose checks all stand in one folder.
template <class... Check>
void write_folder(std::ostream& out, std::string_view folder, checks::CheckList<Check...>) {
    write_heading(out, folder);
    (write<Check>(out, " (Shadowland)"), ...);
}

}  // namespace

std::string checks_documentation() {
    std::ostringstream out;
    out << head;
    write_families(out, checks::MinecraftChecks{});
    write_folder(out, "shadowland", checks::ShadowlandChecks{});
    return std::move(out).str();
}

}  // namespace portcullis::policy
