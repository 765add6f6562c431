#include "control/reload.h"

#include <algorithm>
#include <vector>

#include "base/setup_error.h"
#include "config/schema.h"

namespace portcullis::control {

namespace {

/// Services have their policy from the new file, or their own where it does not know them.
void refuse_lost_policies(const std::vector<config::Service>& services,
                          const config::Config& fresh) {
    for (const config::Service& service : services) {
        if (std::ranges::count(fresh.policies, service.policy, &config::Policy::name) > 0) continue;
        throw UsageError(fresh.file + ": service \"" + service.name + "\" runs with policy \"" +
                         service.policy +
                         "\", which the new file does not have; name the service with another "
                         "policy, or restart");
    }
}

}  // namespace

Reload plan_reload(const config::Config& running, const config::Config& fresh) {
    Reload plan{running, {}};
    config::take_live(config::schema(), plan.config, fresh);
    refuse_lost_policies(plan.config.services, fresh);
    plan.config.file = fresh.file;
    // No keys of the file, but what stands in the one that `signatures` names.
    plan.config.signatures_text = fresh.signatures_text;
    plan.config.signatures = fresh.signatures;

    // What still differs, although all that can be taken over was, is kept.
    const auto before = config::written(plan.config);
    const auto after = config::written(fresh);
    for (size_t i = 0; i < before.size(); ++i) {
        if (before[i].text != after[i].text) plan.kept.push_back(before[i].key);
    }
    return plan;
}

}  // namespace portcullis::control
