#include "control/state.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "metrics/wire_metrics.h"
#include "policy/policy.h"

namespace portcullis::control {

namespace {

using metrics::Exposition;
using metrics::Metric;

bool ports_up(const State& state) {
    const auto ports = state.wire.ports();
    return std::ranges::all_of(ports, &pipeline::PortStatus::up);
}

void add_sinks(const State& state, Exposition& out) {
    for (const auto& sink : state.sinks) {
        const SinkStatus status = sink->status();
        out.add(Metric::record_waiting, {sink->name()}, static_cast<double>(status.waiting));
        out.add(Metric::record_lag_seconds, {sink->name()}, status.lag_s);
        for (const Outcome& o : status.outcomes) {
            out.add(Metric::outcomes, {o.part, o.outcome}, static_cast<double>(o.count));
        }
        for (const Condition& c : status.conditions) {
            out.add(Metric::part_well, {c.part}, c.well ? 1 : 0);
        }
    }
}

void add_control(const State& state, Exposition& out) {
    for (size_t w = 0; w < state.wire.workers(); ++w) {
        out.add(Metric::worker_alive, {std::to_string(w)}, state.watch.alive(w) ? 1 : 0);
    }
    for (size_t k = 0; k < state.records.size(); ++k) {
        out.add(Metric::records, {verdicts::record_kind_names[k]},
                static_cast<double>(state.records[k]));
    }
    const OrderDesk::Counts orders = state.orders.counts();
    out.add(Metric::orders, {"given"}, static_cast<double>(orders.given));
    out.add(Metric::orders, {"refused"}, static_cast<double>(orders.refused));
    out.add(Metric::orders_waiting, static_cast<double>(orders.waiting));
    out.add(Metric::keys, {"taken"}, static_cast<double>(state.keys_taken));
    out.add(Metric::keys, {"refused"}, static_cast<double>(state.keys_refused));
    out.add(Metric::reloads, {"done"}, static_cast<double>(state.reloads_done));
    out.add(Metric::reloads, {"refused"}, static_cast<double>(state.reloads_refused));
    out.add(Metric::watchdog_feeds, static_cast<double>(state.watchdog_feeds));
    out.add(Metric::build_info, {PORTCULLIS_VERSION}, 1);
    out.add(Metric::start_time_seconds, to_seconds(state.started));
}

}  // namespace

std::string_view check_name(uint8_t check) {
    constexpr std::span<const std::string_view> names = checks::check_names;
    return check < names.size() ? names[check] : "unknown";
}

std::string_view service_name(const State& state, uint16_t service) {
    return service < state.config.services.size() ? state.config.services[service].name
                                                  : std::string_view("unknown");
}

Standing standing(const State& state) {
    if (!state.watch.begun()) return Standing::starting;
    if (!state.watch.all_alive() || !ports_up(state)) return Standing::failing;
    for (const auto& sink : state.sinks) {
        if (!std::ranges::all_of(sink->status().conditions, &Condition::well)) {
            return Standing::degraded;
        }
    }
    return Standing::well;
}

Json health(const State& state) {
    Json answer = {{"status", name_in(standing_names, standing(state))},
                   {"version", PORTCULLIS_VERSION},
                   {"uptime_s", static_cast<int64_t>(to_seconds(wall_clock() - state.started))}};
    Json& ports = answer["ports"] = Json::array();
    for (const pipeline::PortStatus& port : state.wire.ports()) {
        ports.push_back({{"wire", port.wire},
                         {"port", name_in(side_names, port.side)},
                         {"device", port.device},
                         {"present", port.present},
                         {"up", port.up},
                         {"held", port.held}});
    }
    Json& workers = answer["workers"] = Json::array();
    for (size_t w = 0; w < state.wire.workers(); ++w) {
        workers.push_back({{"worker", w}, {"alive", state.watch.alive(w)}});
    }
    Json& parts = answer["parts"] = Json::array();
    for (const auto& sink : state.sinks) {
        for (const Condition& c : sink->status().conditions) {
            parts.push_back({{"part", c.part}, {"well", c.well}, {"says", c.says}});
        }
    }
    return answer;
}

uint64_t orders_kept(const State& state) {
    uint64_t kept = UINT64_MAX;
    for (const auto& sink : state.sinks) kept = std::min(kept, sink->orders_kept());
    return kept;
}

std::string scrape(const State& state) {
    Exposition out;
    metrics::add_wire_side(state.wire,
                           {state.config.wires, state.config.services, checks::check_names}, out);
    add_sinks(state, out);
    add_control(state, out);
    return out.text();
}

}  // namespace portcullis::control
