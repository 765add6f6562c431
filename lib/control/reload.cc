#include "control/reload.h"

#include <algorithm>
#include <iterator>

#include "base/setup_error.h"
#include "config/schema.h"

namespace portcullis::control {

namespace {

bool same_place(const config::Service& a, const config::Service& b) {
    return a.name == b.name && a.protocol == b.protocol && a.endpoint == b.endpoint &&
           a.proxy_protocol == b.proxy_protocol && a.forwarding == b.forwarding &&
           a.cookie_secret_file == b.cookie_secret_file &&
           a.integrity_secret_file == b.integrity_secret_file &&
           a.forwarding_secret_file == b.forwarding_secret_file && a.proxies == b.proxies &&
           a.translates == b.translates && a.floodgate == b.floodgate && a.vivecraft == b.vivecraft;
}

/// Flows hold their service by index, so the list stays; each service takes its
/// policy from its namesake in the new file.
bool take_policies(std::vector<config::Service>& services, const config::Config& fresh) {
    bool same = services.size() == fresh.services.size();
    for (size_t i = 0; i < services.size(); ++i) {
        config::Service& service = services[i];
        same = same && same_place(service, fresh.services[i]);
        const auto namesake =
            std::ranges::find(fresh.services, service.name, &config::Service::name);
        if (namesake != fresh.services.end()) {
            service.policy = namesake->policy;
            service.aoi = namesake->aoi;
            service.unknown_types = namesake->unknown_types;
            service.reseal = namesake->reseal;
            service.mark = namesake->mark;
        }
        const auto is_its = [&](const config::Policy& p) { return p.name == service.policy; };
        if (std::ranges::none_of(fresh.policies, is_its)) {
            throw UsageError(fresh.file + ": service \"" + service.name + "\" runs with policy \"" +
                             service.policy +
                             "\", which the new file does not have; name the service with another "
                             "policy, or restart");
        }
    }
    return same;
}

}  // namespace

Reload plan_reload(const config::Config& running, config::Config fresh) {
    Reload plan{running, {}};
    if (!take_policies(plan.config.services, fresh)) plan.kept.push_back("services");
    plan.config.file = fresh.file;
    plan.config.mode = fresh.mode;
    plan.config.policies = fresh.policies;
    plan.config.signatures_file = fresh.signatures_file;
    plan.config.signatures_text = fresh.signatures_text;
    plan.config.signatures = fresh.signatures;
    plan.config.logging = fresh.logging;

    // What still differs, although all that can be taken over was, is kept.
    fresh.services = plan.config.services;
    const auto before = config::written(plan.config);
    const auto after = config::written(fresh);
    for (size_t i = 0; i < before.size(); ++i) {
        if (before[i].text != after[i].text) plan.kept.push_back(before[i].key);
    }
    return plan;
}

}  // namespace portcullis::control
