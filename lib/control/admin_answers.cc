#include "control/admin_answers.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/setup_error.h"
#include "pipeline/wire_totals.h"
#include "verdicts/json.h"

namespace portcullis::control {

namespace {

constexpr size_t traced_shown_max = 1'000;

using FlowName = std::pair<Endpoint, Endpoint>;
using Reports = std::map<FlowName, const stages::FlowReport*>;

Reports by_flow(const FlowInquiry::Answer& told) {
    Reports reports;
    for (const stages::FlowReport& report : told.flows) {
        reports[{report.client, report.server}] = &report;
    }
    return reports;
}

const stages::FlowReport* report_of(const Reports& reports, const PlayerRegistry::Entry& entry) {
    const auto at = reports.find({entry.client, entry.server});
    return at == reports.end() ? nullptr : at->second;
}

Json milliseconds(Nanos time) { return std::round(to_milliseconds(time) * 10) / 10; }

Json brief(const State& state, const PlayerRegistry::Entry& entry,
           const stages::FlowReport* report) {
    Json json = {{"name", entry.identity.name.view()},
                 {"uuid", verdicts::uuid_text(entry.identity.uuid)},
                 {"version", entry.identity.version},
                 {"service", service_name(state, entry.service)},
                 {"client", to_string(entry.client)},
                 {"address", to_string(entry.identity.address_told() ? entry.identity.address
                                                                     : entry.client.address)},
                 {"since", moment(entry.since)},
                 {"opaque", entry.opaque},
                 {"latency_ms", nullptr},
                 {"level", entry.level()}};
    if (report != nullptr && report->player.measured) {
        json["latency_ms"] = milliseconds(report->player.latency);
    }
    Json& top = json["findings"] = Json::array();
    for (const auto& [check, found] : entry.gravest()) {
        if (top.size() == 3) break;
        top.push_back({{"check", check_name(check)}, {"count", found.count}});
    }
    return json;
}

Json flow(const State& state, const stages::FlowReport& report, Nanos now) {
    const double age = report.began == Nanos{} ? 0 : to_seconds(now - report.began);
    Json json = {
        {"service", service_name(state, report.service)},
        {"client", to_string(report.client)},
        {"server", to_string(report.server)},
        {"state", name_in(flow_state_names, report.state)},
        {"player", nullptr},
        {"worker", report.worker},
        {"age_s", static_cast<int64_t>(std::max(age, 0.0))},
        {"idle_s", static_cast<int64_t>(std::max(to_seconds(now - report.last_seen), 0.0))},
        {"packets", nullptr},
        {"to_server_bytes", nullptr},
        {"to_client_bytes", nullptr}};
    if (report.has_player && !report.player.identity.name.empty()) {
        json["player"] = report.player.identity.name.view();
    }
    if (report.counted) {
        json["packets"] = report.packets;
        json["to_server_bytes"] = report.bytes_to_server;
        json["to_client_bytes"] = report.bytes_to_client;
    }
    return json;
}

Json drops_of(const State& state, size_t wire) {
    Json drops = Json::object();
    for (size_t r = 1; r < drop_reason_names.size(); ++r) {
        uint64_t sum = 0;
        for (uint16_t w = 0; w < state.wire.workers(); ++w) {
            sum += state.wire.counters(w).wire[wire].drops[r].get();
        }
        if (sum > 0) drops[std::string(drop_reason_names[r])] = sum;
    }
    return drops;
}

/// The bound under which so many of what was counted lie, in microseconds.
Json quantile_us(const stages::Durations& times, double share) {
    uint64_t all = 0, counted = 0;
    for (size_t p = 0; p < stages::Durations::places; ++p) all += times.count(p);
    if (all == 0) return nullptr;
    for (size_t p = 0; p + 1 < stages::Durations::places; ++p) {
        counted += times.count(p);
        if (static_cast<double>(counted) >= share * static_cast<double>(all)) {
            return static_cast<double>(stages::Durations::bound_ns(p)) / 1e3;
        }
    }
    return nullptr;
}

}  // namespace

Json moment(Nanos time) {
    return time == Nanos{} ? Json(nullptr) : Json(verdicts::time_text(time));
}

std::vector<const PlayerRegistry::Entry*> named_players(const State& state,
                                                        const std::string& name) {
    if (name.empty()) throw UsageError("player is missing: give a name");
    const auto found = state.players.find_all(name);
    if (found.empty()) throw SetupError("no player named " + name + " is known to be here");
    return found;
}

Json players_answer(const State& state, const FlowInquiry::Answer& told,
                    const PlayerChoice& choice) {
    const Reports reports = by_flow(told);
    Json list = Json::array();
    size_t fit = 0;
    state.players.each([&](const PlayerRegistry::Entry& entry) {
        if (!choice.service.empty() && choice.service != service_name(state, entry.service)) {
            return;
        }
        if (++fit > choice.skip && list.size() < choice.show) {
            list.push_back(brief(state, entry, report_of(reports, entry)));
        }
    });
    const bool more = fit > choice.skip + list.size();
    return {{"players", list},
            {"count", state.players.size()},
            {"more", more},
            {"unlisted", state.players.unlisted()},
            {"silent_workers", told.silent_workers}};
}

Json player_answer(const State& state, const PlayerRegistry::Entry& entry) {
    Json json = brief(state, entry, nullptr);
    json.erase("latency_ms");
    json["server"] = to_string(entry.server);
    json["protocol"] = name_in(protocol::protocol_names, entry.protocol);
    json["worker"] = entry.worker;
    Json& all = json["findings"] = Json::array();
    for (const auto& [check, found] : entry.gravest()) {
        all.push_back({{"check", check_name(check)},
                       {"count", found.count},
                       {"level", found.level},
                       {"confidence", found.confidence_max},
                       {"last", moment(found.last)}});
    }
    return json;
}

Json flows_answer(const State& state, const FlowInquiry::Answer& told, const FlowChoice& choice) {
    const Nanos now = wall_clock();
    Json list = Json::array();
    size_t fit = 0;
    for (const stages::FlowReport& report : told.flows) {
        if (!choice.service.empty() && choice.service != service_name(state, report.service)) {
            continue;
        }
        if (!choice.flow_state.empty() &&
            choice.flow_state != name_in(flow_state_names, report.state)) {
            continue;
        }
        if (++fit > choice.skip && list.size() < choice.show) {
            list.push_back(flow(state, report, now));
        }
    }
    uint64_t all = 0;
    for (uint16_t w = 0; w < state.wire.workers(); ++w) all += state.wire.counters(w).flows.get();
    const bool more = told.more || fit > choice.skip + list.size();
    return {
        {"flows", list}, {"count", all}, {"more", more}, {"silent_workers", told.silent_workers}};
}

Json wires_answer(const State& state) {
    Json list = Json::array();
    const auto ports = state.wire.ports();
    for (size_t i = 0; i < state.config.wires.size(); ++i) {
        const std::string& name = state.config.wires[i].name;
        const pipeline::WireTotals sum = pipeline::wire_totals(state.wire, i);
        Json wire = {
            {"wire", name},           {"received", sum.received}, {"transmitted", sum.transmitted},
            {"dropped", sum.dropped}, {"injected", sum.injected}, {"in_flight", sum.in_flight()}};
        Json& its = wire["ports"] = Json::array();
        for (const pipeline::PortStatus& port : ports) {
            if (port.wire != name) continue;
            its.push_back({{"port", name_in(side_names, port.side)},
                           {"device", port.device},
                           {"present", port.present},
                           {"up", port.up},
                           {"held", port.held},
                           {"reopened", port.reopened},
                           {"missed", port.rx_missed},
                           {"errors", port.rx_errors + port.tx_errors},
                           {"no_buffer", port.rx_no_mbuf}});
        }
        wire["drops"] = drops_of(state, i);
        list.push_back(std::move(wire));
    }
    return {{"wires", list}};
}

Json services_answer(const State& state) {
    Json services = Json::array();
    for (size_t s = 0; s < state.config.services.size(); ++s) {
        uint64_t flows = 0, logged_in = 0, logins = 0, packets = 0, verdicts = 0;
        for (uint16_t w = 0; w < state.wire.workers(); ++w) {
            const auto& counts = state.wire.counters(w).service[s];
            flows += counts.flows.get();
            logged_in += counts.players.get();
            logins += counts.logins.get();
            packets += counts.game_packets.get();
            verdicts += counts.verdicts.get();
        }
        const config::Service& service = state.config.services[s];
        services.push_back({{"service", service.name},
                            {"protocol", name_in(protocol::protocol_names, service.protocol)},
                            {"address", to_string(service.endpoint)},
                            {"policy", service.policy},
                            {"flows", flows},
                            {"players", logged_in},
                            {"logins", logins},
                            {"game_packets", packets},
                            {"verdicts", verdicts}});
    }
    return {{"services", services}};
}

Json workers_answer(const State& state) {
    Json workers = Json::array();
    for (uint16_t w = 0; w < state.wire.workers(); ++w) {
        const stages::Counters& c = state.wire.counters(w);
        const double busy =
            static_cast<double>(c.busy_cycles.get()) / std::max(state.wire.tsc_hz(), 1.0);
        Json worker = {{"worker", w},
                       {"alive", state.watch.alive(w)},
                       {"busy_s", std::round(busy * 1e3) / 1e3},
                       {"latency_p50_us", quantile_us(c.latencies, 0.5)},
                       {"latency_p99_us", quantile_us(c.latencies, 0.99)},
                       {"flows", c.flows.get()},
                       {"half_open", c.half_open.get()},
                       {"players", c.players.get()},
                       {"sessions", c.sessions.get()},
                       {"stream_bytes", c.stream_bytes.get()}};
        Json& rings = worker["rings"] = Json::object();
        for (const pipeline::RingStatus& ring : state.wire.rings(w)) {
            rings[std::string(ring.name)] = {{"used", ring.used}, {"capacity", ring.capacity}};
        }
        workers.push_back(std::move(worker));
    }
    const pipeline::BufferStatus buffers = state.wire.buffers();
    return {{"workers", workers},
            {"packet_buffers", {{"used", buffers.used}, {"total", buffers.total}}}};
}

Json status_answer(const State& state) {
    Json json = health(state);
    json["mode"] = name_in(verdicts::mode_names, state.config.mode);
    json["config"] = state.config.file;
    json["players"] = state.players.size();
    Json& records = json["records"] = Json::object();
    for (size_t k = 0; k < state.records.size(); ++k) {
        records[std::string(verdicts::record_kind_names[k])] = state.records[k];
    }
    json["services"] = services_answer(state)["services"];
    json["wires"] = wires_answer(state)["wires"];
    json["blocks"] = state.blocks.blocks().size();
    return json;
}

Json blocks_answer(const State& state) {
    Json list = Json::array();
    for (const BlockBook::Block& block : state.blocks.blocks()) {
        list.push_back({{"prefix", to_string(block.prefix)},
                        {"until", moment(block.until)},
                        {"reason", block.reason}});
    }
    return {{"blocks", list}};
}

Json config_answer(const State& state) {
    std::string text;
    for (const config::Section& section : config::written(state.config)) text += section.text;
    return {{"file", state.config.file}, {"yaml", text}};
}

Json traced_answer(const State& state, const std::string& name, uint64_t from) {
    const auto his = state.players.find_all(name);
    const auto is_his = [&](const PacketBook::Packet& packet) {
        return std::ranges::any_of(his, [&](const PlayerRegistry::Entry* entry) {
            return entry->client == packet.client && entry->server == packet.server;
        });
    };
    Json list = Json::array();
    const uint64_t first = state.packets.first();
    uint64_t next = std::max(from, first);
    for (; next < state.packets.next() && list.size() < traced_shown_max; ++next) {
        const PacketBook::Packet& packet = state.packets[next];
        if (!is_his(packet)) continue;
        Json one = Json::parse(packet.json, nullptr, false);
        if (!one.is_discarded()) list.push_back(std::move(one));
    }
    return {{"packets", list},
            {"next", next},
            {"missed", first > from ? first - from : 0},
            {"here", !his.empty()}};
}

}  // namespace portcullis::control
