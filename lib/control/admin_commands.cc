#include "control/admin_commands.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/setup_error.h"
#include "metrics/wire_metrics.h"
#include "verdicts/json.h"

namespace portcullis::control {

namespace {

using verdicts::Order;

constexpr int64_t for_s_max = 10ll * 365 * 86'400;
constexpr size_t players_shown_max = 10'000;
// Wider than this is half the world, and surely a slip of the hand.
constexpr unsigned widest_block_v4 = 8, widest_block_v6 = 16;

std::string text_of(const Json& request, const char* key) {
    const auto at = request.find(key);
    if (at == request.end()) return "";
    if (!at->is_string()) throw UsageError(std::string(key) + " must be a text");
    return at->get<std::string>();
}

int64_t seconds_of(const Json& request, int64_t otherwise) {
    const auto at = request.find("for_s");
    if (at == request.end()) return otherwise;
    if (!at->is_number_integer() || *at < 1 || *at > for_s_max) {
        throw UsageError("for_s must be a whole number from 1 to " + std::to_string(for_s_max));
    }
    return at->get<int64_t>();
}

Json moment(Nanos time) {
    return time == Nanos{} ? Json(nullptr) : Json(verdicts::time_text(time));
}

Json brief(const State& state, const PlayerRegistry::Entry& entry) {
    Json json = {{"name", entry.identity.name.view()},
                 {"uuid", verdicts::uuid_text(entry.identity.uuid)},
                 {"version", entry.identity.version},
                 {"service", service_name(state, entry.service)},
                 {"client", to_string(entry.client)},
                 {"since", moment(entry.since)},
                 {"opaque", entry.opaque},
                 {"level", entry.level()}};
    Json& top = json["findings"] = Json::array();
    for (const auto& [check, found] : entry.gravest()) {
        if (top.size() == 3) break;
        top.push_back({{"check", check_name(check)}, {"count", found.count}});
    }
    return json;
}

Json whole(const State& state, const PlayerRegistry::Entry& entry) {
    Json json = brief(state, entry);
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

Json players(const State& state, const Json& request) {
    const std::string service = text_of(request, "service");
    Json list = Json::array();
    state.players.each([&](const PlayerRegistry::Entry& entry) {
        if (!service.empty() && service != service_name(state, entry.service)) return;
        if (list.size() < players_shown_max) list.push_back(brief(state, entry));
    });
    return {
        {"players", list}, {"count", state.players.size()}, {"unlisted", state.players.unlisted()}};
}

const PlayerRegistry::Entry& named_player(const State& state, const std::string& name) {
    if (name.empty()) throw UsageError("player is missing: give a name");
    const PlayerRegistry::Entry* entry = state.players.find(name);
    if (entry == nullptr) throw SetupError("no player named " + name + " is known to be here");
    return *entry;
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

Json wires(const State& state) {
    Json list = Json::array();
    const auto ports = state.wire.ports();
    for (size_t i = 0; i < state.config.wires.size(); ++i) {
        const std::string& name = state.config.wires[i].name;
        const metrics::WireTotals sum = metrics::wire_totals(state.wire, i);
        Json wire = {
            {"wire", name},           {"received", sum.received}, {"transmitted", sum.transmitted},
            {"dropped", sum.dropped}, {"injected", sum.injected}, {"in_flight", sum.in_flight()}};
        Json& its = wire["ports"] = Json::array();
        for (const PortStatus& port : ports) {
            if (port.wire != name) continue;
            its.push_back({{"port", name_in(stages::side_names, port.side)},
                           {"device", port.device},
                           {"up", port.up},
                           {"missed", port.rx_missed},
                           {"errors", port.rx_errors + port.tx_errors},
                           {"no_buffer", port.rx_no_mbuf}});
        }
        wire["drops"] = drops_of(state, i);
        list.push_back(std::move(wire));
    }
    return {{"wires", list}};
}

Json flows(const State& state) {
    Json services = Json::array();
    for (size_t s = 0; s < state.config.services.size(); ++s) {
        uint64_t flows = 0, logged_in = 0, logins = 0;
        for (uint16_t w = 0; w < state.wire.workers(); ++w) {
            const auto& counts = state.wire.counters(w).service[s];
            flows += counts.flows.get();
            logged_in += counts.players.get();
            logins += counts.logins.get();
        }
        const config::Service& service = state.config.services[s];
        services.push_back({{"service", service.name},
                            {"protocol", name_in(protocol::protocol_names, service.protocol)},
                            {"address", to_string(service.endpoint)},
                            {"flows", flows},
                            {"players", logged_in},
                            {"logins", logins}});
    }
    Json workers = Json::array();
    for (uint16_t w = 0; w < state.wire.workers(); ++w) {
        const stages::Counters& c = state.wire.counters(w);
        workers.push_back({{"worker", w},
                           {"alive", state.watch.alive(w)},
                           {"flows", c.flows.get()},
                           {"half_open", c.half_open.get()},
                           {"players", c.players.get()},
                           {"sessions", c.sessions.get()},
                           {"stream_bytes", c.stream_bytes.get()}});
    }
    return {{"services", services}, {"workers", workers}};
}

Json status(const State& state) {
    Json json = health(state);
    json["mode"] = name_in(verdicts::mode_names, state.config.mode);
    json["config"] = state.config.file;
    json["players"] = state.players.size();
    Json& records = json["records"] = Json::object();
    for (size_t k = 0; k < state.records.size(); ++k) {
        records[std::string(record_kind_names[k])] = state.records[k];
    }
    json["wires"] = wires(state)["wires"];
    json["blocks"] = state.blocks.blocks().size();
    return json;
}

IpPrefix prefix_of(const Json& request) {
    const std::string text = text_of(request, "prefix");
    const auto prefix = parse_prefix(text);
    if (!prefix) {
        throw UsageError("prefix is \"" + text +
                         "\"; allowed: an address, or a prefix such as "
                         "10.0.0.0/8");
    }
    const unsigned narrowest = prefix->address.is_v4() ? 96 + widest_block_v4 : widest_block_v6;
    if (prefix->bits < narrowest) {
        throw UsageError(
            "prefix " + text + " is wider than /" +
            std::to_string(prefix->address.is_v4() ? widest_block_v4 : widest_block_v6) +
            " and would keep half the world out; block narrower ones");
    }
    return *prefix;
}

/// The flow or the player that an order is about.
void aim(const State& state, const Json& request, Order& order) {
    const std::string client = text_of(request, "client"), server = text_of(request, "server");
    if (client.empty() && server.empty()) {
        const PlayerRegistry::Entry& entry = named_player(state, text_of(request, "player"));
        order.player = entry.identity.name;
        return;
    }
    const auto from = parse_endpoint(client), to = parse_endpoint(server);
    if (!from || !to) throw UsageError("client and server must both be ADDRESS:PORT");
    order.client = *from;
    order.server = *to;
}

Json give(State& state, const Order& order) {
    if (!state.orders.give(order)) {
        throw SetupError("too many orders wait for the workers already; try again");
    }
    return {{"ordered", true}};
}

Json order(State& state, const std::string& command, const Json& request) {
    Order order;
    order.reason.assign(text_of(request, "reason"));
    if (command == "block" || command == "unblock") {
        order.kind = command == "block" ? Order::Kind::block : Order::Kind::unblock;
        order.prefix = prefix_of(request);
        order.until = wall_clock() + std::chrono::seconds(seconds_of(request, 3'600));
    } else if (command == "trace") {
        order.kind = Order::Kind::trace;
        order.player = named_player(state, text_of(request, "player")).identity.name;
        order.until = wall_clock() + std::chrono::seconds(seconds_of(request, 60));
    } else {
        order.kind = command == "kick" ? Order::Kind::kick : Order::Kind::sever;
        if (order.reason.empty()) order.reason.assign("Disconnected by an operator.");
        aim(state, request, order);
    }
    return give(state, order);
}

Json blocks(const State& state) {
    Json list = Json::array();
    for (const BlockBook::Block& block : state.blocks.blocks()) {
        list.push_back({{"prefix", to_string(block.prefix)},
                        {"until", moment(block.until)},
                        {"reason", block.reason}});
    }
    return {{"blocks", list}};
}

Json configuration(const State& state) {
    std::string text;
    for (const config::Section& section : config::written(state.config)) text += section.text;
    return {{"file", state.config.file}, {"yaml", text}};
}

std::string written(const Json& answer) {
    return answer.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string good(const Json& result) { return written({{"ok", true}, {"result", result}}); }
std::string bad(const std::string& error) { return written({{"ok", false}, {"error", error}}); }

}  // namespace

Json AdminCommands::result(const std::string& command, const Json& request) {
    if (command == "status") return status(state_);
    if (command == "health") return health(state_);
    if (command == "wires") return wires(state_);
    if (command == "flows") return flows(state_);
    if (command == "players") return players(state_, request);
    if (command == "blocks") return blocks(state_);
    if (command == "config") return configuration(state_);
    for (const char* known : {"block", "unblock", "sever", "kick", "trace"}) {
        if (command == known) return order(state_, command, request);
    }
    throw UsageError(
        "unknown command \"" + command +
        "\"; allowed: status, health, wires, flows, players, player, blocks, block, unblock, "
        "sever, kick, trace, reload or config");
}

void AdminCommands::describe(const Json& request, const Reply& reply) {
    const PlayerRegistry::Entry& entry = named_player(state_, text_of(request, "player"));
    Json json = whole(state_, entry);
    state_.descriptions.ask(entry, [json, reply](const Json& context) {
        Json complete = json;
        complete["context"] = context;
        reply(good(complete));
    });
}

void AdminCommands::answer(std::string_view request, const Reply& reply) noexcept {
    try {
        const Json parsed = Json::parse(request);
        const std::string command = parsed.is_object() ? text_of(parsed, "command") : "";
        if (command == "reload") {
            reload_([reply](const Json& result) { reply(good(result)); },
                    [reply](const std::string& error) { reply(bad(error)); });
        } else if (command == "player") {
            describe(parsed, reply);
        } else {
            reply(good(result(command, parsed)));
        }
    } catch (const Json::parse_error&) {
        reply(bad("a request is one JSON object on one line"));
    } catch (const std::exception& error) {
        reply(bad(error.what()));
    }
}

}  // namespace portcullis::control
