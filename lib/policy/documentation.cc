#include "policy/documentation.h"

#include <sstream>
#include <string_view>

#include "checks/all.h"
#include "checks/check.h"

namespace portcullis::policy {
namespace {

constexpr std::string_view head =
    R"(<!-- Made by `ninja -C build checks-docs` from the checks' own declarations. -->
# Checks

A check hears what a player does and says what it found with a confidence: the share of such
findings that only a cheat or an attack explains. Below the policy's `act_at_confidence` it is
written down; at or above, it raises the check's level and the ladder decides
(`docs/CONFIGURATION.md`). *Weight* is what one certain finding adds to the level; a *statistical*
check alerts at most and never acts alone.

What each one takes for a cheat, what an honest player does that is near it, and where it is blind
stands in its family's page. Settings go under `policies: NAME: checks: {check: {setting:
value}}`, beside `enabled: false`.
)";

std::string_view family_of(std::string_view check) { return check.substr(0, check.find('.')); }

template <class Check>
float weight_of() {
    if constexpr (requires { Check::weight; }) return static_cast<float>(Check::weight);
    return 1;
}
template <class Check>
bool is_statistical() {
    if constexpr (requires { Check::statistical; }) return Check::statistical;
    return false;
}

template <class Check>
void write(std::ostream& out, std::string_view& family) {
    if (family != family_of(Check::name)) {
        family = family_of(Check::name);
        out << "\n## " << family << "\n\nHow it judges: [lib/checks/" << family
            << "](../lib/checks/" << family << "/README.md)\n";
    }
    out << "\n### `" << Check::name << "`\n\nWeight " << weight_of<Check>()
        << (is_statistical<Check>() ? ", statistical.\n" : ".\n");
    if constexpr (requires { Check::parameters; }) {
        if (Check::parameters.size() == 0) return;
        out << "\n| setting | default | allowed | meaning |\n|---|---|---|---|\n";
        const typename Check::Settings defaults;
        for (const auto& row : Check::parameters) {
            out << "| `" << row.name << "` | " << defaults.*row.member << " | " << row.min << " to "
                << row.max << " | " << row.help << " |\n";
        }
    }
}

template <class... Check>
void write_all(std::ostream& out, checks::CheckList<Check...>) {
    std::string_view family;
    (write<Check>(out, family), ...);
}

}  // namespace

std::string checks_documentation() {
    std::ostringstream out;
    out << head;
    write_all(out, checks::MinecraftChecks{});
    return std::move(out).str();
}

}  // namespace portcullis::policy
