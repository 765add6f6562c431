#include "control/admin_commands.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>

#include <spdlog/spdlog.h>

#include "base/ip_mask.h"
#include "base/setup_error.h"
#include "config/problems.h"
#include "control/admin_answers.h"

namespace portcullis::control {

namespace {

using verdicts::Order;

constexpr int64_t for_s_max = 10ll * 365 * 86'400;
constexpr size_t flows_shown = 50;
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

IpPrefix prefix_of(const Json& request) {
    const std::string text = text_of(request, "prefix");
    const auto prefix = parse_prefix(text);
    if (!prefix) {
        throw UsageError("prefix is \"" + text +
                         "\"; allowed: an address, or a prefix such as "
                         "10.0.0.0/8");
    }
    const unsigned narrowest =
        prefix->address.is_v4() ? v4_bits + widest_block_v4 : widest_block_v6;
    if (prefix->bits < narrowest) {
        throw UsageError(
            "prefix " + text + " is wider than /" +
            std::to_string(prefix->address.is_v4() ? widest_block_v4 : widest_block_v6) +
            " and would keep half the world out; block narrower ones");
    }
    return *prefix;
}

uint64_t number_of(const Json& request, const char* key, uint64_t otherwise, uint64_t most) {
    const auto at = request.find(key);
    if (at == request.end()) return otherwise;
    if (!at->is_number_unsigned() || at->get<uint64_t>() > most) {
        throw UsageError(std::string(key) + " must be a whole number from 0 to " +
                         std::to_string(most));
    }
    return at->get<uint64_t>();
}

/// Of a service there is, or nothing.
std::string service_of(const State& state, const Json& request) {
    const std::string given = text_of(request, "service");
    std::vector<std::string> names;
    for (const config::Service& service : state.config.services) names.push_back(service.name);
    if (given.empty() || std::ranges::find(names, given) != names.end()) return given;
    throw UsageError(
        "no service is called " + config::in_quotes(given) + config::suggestion(given, names) +
        "; allowed: " + (names.empty() ? "none is configured" : config::alternatives(names)));
}

/// Of a state there is, or nothing.
std::string flow_state_of(const Json& request) {
    const std::string given = text_of(request, "state");
    const std::vector<std::string> names(flow_state_names.begin(), flow_state_names.end());
    if (given.empty() || std::ranges::find(names, given) != names.end()) return given;
    throw UsageError("no connection is in state " + config::in_quotes(given) +
                     config::suggestion(given, names) +
                     "; allowed: " + config::alternatives(names));
}

void give(State& state, const Order& order) {
    if (state.orders.give_for_operator(order)) return;
    throw SetupError("too many orders wait for the workers already; try again");
}

/// Ends the connection that is named, or all of a player.
Json end_connections(State& state, const std::string& command, const Json& request) {
    Order order;
    order.kind = command == "kick" ? Order::Kind::kick : Order::Kind::sever;
    order.reason.assign(text_of(request, "reason"));
    if (order.reason.empty()) order.reason.assign("Disconnected by an operator.");
    const std::string client = text_of(request, "client"), server = text_of(request, "server");
    std::vector<std::pair<Endpoint, Endpoint>> flows;
    if (client.empty() && server.empty()) {
        for (const auto* entry : named_players(state, text_of(request, "player"))) {
            flows.emplace_back(entry->client, entry->server);
        }
    } else {
        const auto from = parse_endpoint(client), to = parse_endpoint(server);
        if (!from || !to) throw UsageError("client and server must both be ADDRESS:PORT");
        flows.emplace_back(*from, *to);
    }
    Json ended = Json::array();
    for (const auto& [from, to] : flows) {
        order.client = from;
        order.server = to;
        give(state, order);
        ended.push_back({{"client", to_string(from)}, {"server", to_string(to)}});
    }
    return {{"ordered", true}, {"flows", ended}};
}

Json unblock(State& state, Order order) {
    const IpPrefix& prefix = order.prefix;
    const std::vector<BlockBook::Block>& blocks = state.blocks.blocks();
    const bool known = std::ranges::find(blocks, prefix, &BlockBook::Block::prefix) != blocks.end();
    // Whatever the book says: should Workers hold more than it knows of, they let go of it.
    give(state, order);
    if (known) return {{"ordered", true}};
    // What is no entry of its own can not be let in by itself.
    const auto wider = std::ranges::find_if(blocks, [&](const BlockBook::Block& block) {
        return block.prefix.bits < prefix.bits && block.prefix.contains(prefix.address);
    });
    const std::string given = to_string(prefix);
    if (wider == blocks.end()) {
        return {{"ordered", true},
                {"note", given + " was in no list; the workers were told all the same"}};
    }
    throw UsageError(given + " is blocked as a part of " + to_string(wider->prefix) +
                     "; unblock that one");
}

/// What an operator should know of a block that he ordered; empty: nothing.
std::string trouble_with_blocks(const State& state) {
    for (const auto& sink : state.sinks) {
        for (const Condition& condition : sink->status().conditions) {
            if (condition.part == "blocklist" && !condition.well) return condition.says;
        }
    }
    return {};
}

Json block(State& state, const std::string& command, const Json& request) {
    Order order;
    order.kind = command == "block" ? Order::Kind::block : Order::Kind::unblock;
    order.reason.assign(text_of(request, "reason"));
    order.prefix = prefix_of(request);
    if (order.kind == Order::Kind::unblock) return unblock(state, order);
    order.lasts = std::chrono::seconds(seconds_of(request, 3'600));
    for (const auto& sink : state.sinks) {
        const std::string why = sink->objection(order);
        if (!why.empty()) throw SetupError(why);
    }
    give(state, order);
    Json answer = {{"ordered", true}, {"until", moment(wall_clock() + order.lasts)}};
    const std::string trouble = trouble_with_blocks(state);
    if (!trouble.empty()) answer["note"] = trouble;
    return answer;
}

Json trace(State& state, const Json& request) {
    Order order;
    order.kind = Order::Kind::trace;
    order.player = named_players(state, text_of(request, "player")).front()->identity.name;
    order.lasts = std::chrono::seconds(seconds_of(request, 60));
    give(state, order);
    return {{"ordered", true},
            {"player", order.player.view()},
            {"until", moment(wall_clock() + order.lasts)},
            {"next", state.packets.next()}};
}

std::string written(const Json& answer) {
    return answer.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json good(const Json& result) { return {{"ok", true}, {"result", result}}; }
Json bad(const std::string& error) { return {{"ok", false}, {"error", error}}; }

/// All but questions.
constexpr std::array<std::string_view, 6> orders = {"block", "unblock", "sever",
                                                    "kick",  "trace",   "reload"};

/// Of either side, in a line of the log: enough for every order that means something.
constexpr size_t logged_bytes_max = 1'024;

/// Texts in it come from anywhere, so all but ASCII is escaped.
std::string logged(const Json& json) {
    return json.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, logged_bytes_max);
}

void log_order(const Peer& peer, const std::string& request, const Json& answer) {
    const bool ok = answer.at("ok").get<bool>();
    spdlog::log(ok ? spdlog::level::info : spdlog::level::warn,
                "admin: process {} of user {} orders {}: {}", peer.process, peer.user, request,
                logged(answer));
}

}  // namespace

Json AdminCommands::result(const std::string& command, const Json& request) {
    if (command == "status") return status_answer(state_);
    if (command == "health") return health(state_);
    if (command == "wires") return wires_answer(state_);
    if (command == "services") return services_answer(state_);
    if (command == "workers") return workers_answer(state_);
    if (command == "blocks") return blocks_answer(state_);
    if (command == "config") return config_answer(state_);
    if (command == "block" || command == "unblock") return block(state_, command, request);
    if (command == "sever" || command == "kick") return end_connections(state_, command, request);
    if (command == "trace") return trace(state_, request);
    if (command == "traced") {
        const uint64_t from = number_of(request, "from", 0, UINT64_MAX);
        return traced_answer(state_, text_of(request, "player"), from);
    }
    throw UsageError(
        "unknown command \"" + command +
        "\"; allowed: status, health, wires, services, workers, flows, players, player, blocks, "
        "block, unblock, sever, kick, trace, traced, reload or config");
}

/// What only Workers know: asked of them, and answered when they have told.
bool AdminCommands::ask_workers(const std::string& command, const Json& request, const Tell& tell) {
    FlowInquiry::Question question;
    std::function<Json(const FlowInquiry::Answer&)> answer;
    if (command == "flows") {
        FlowChoice choice{service_of(state_, request), flow_state_of(request),
                          number_of(request, "skip", 0, FlowInquiry::flows_max),
                          number_of(request, "limit", flows_shown, FlowInquiry::flows_max)};
        const bool any = choice.service.empty() && choice.flow_state.empty();
        const size_t wanted = any ? choice.skip + choice.show : FlowInquiry::flows_max;
        question.flows_max =
            static_cast<uint16_t>(std::min<size_t>(wanted, FlowInquiry::flows_max));
        answer = [this, choice](const auto& told) { return flows_answer(state_, told, choice); };
    } else if (command == "players") {
        question.flows_max = FlowInquiry::flows_max;
        question.players_only = true;
        const std::string service = service_of(state_, request);
        answer = [this, service](const auto& told) {
            return players_answer(state_, told, service);
        };
    } else {
        return false;
    }
    question.done = [answer, tell](const FlowInquiry::Answer& told) noexcept {
        try {
            tell(good(answer(told)));
        } catch (const std::exception& error) {
            tell(bad(error.what()));
        }
    };
    state_.inquiry.ask(std::move(question));
    return true;
}

void AdminCommands::describe(const Json& request, const Tell& tell) {
    const PlayerRegistry::Entry& entry = *named_players(state_, text_of(request, "player")).front();
    Json json = player_answer(state_, entry);
    state_.descriptions.ask(entry, [json, tell](const Json& context) {
        Json complete = json;
        complete["context"] = context;
        tell(good(complete));
    });
}

void AdminCommands::answer(std::string_view request, const Peer& peer,
                           const Reply& reply) noexcept {
    Tell tell = [reply](const Json& answer) { reply(written(answer)); };
    try {
        const Json parsed = Json::parse(request);
        const std::string command = parsed.is_object() ? text_of(parsed, "command") : "";
        if (std::ranges::find(orders, command) != orders.end()) {
            tell = [peer, reply, order = logged(parsed)](const Json& answer) {
                log_order(peer, order, answer);
                reply(written(answer));
            };
        }
        if (command == "reload") {
            reload_([tell](const Json& result) { tell(good(result)); },
                    [tell](const std::string& error) { tell(bad(error)); });
        } else if (command == "player") {
            describe(parsed, tell);
        } else if (!ask_workers(command, parsed, tell)) {
            tell(good(result(command, parsed)));
        }
    } catch (const Json::parse_error&) {
        tell(bad("a request is one JSON object on one line"));
    } catch (const std::exception& error) {
        tell(bad(error.what()));
    }
}

}  // namespace portcullis::control
