#include "control/admin_commands.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <type_traits>

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

/// Which one of the operators' it is.
uint64_t give(State& state, const Order& order) {
    const uint64_t number = state.orders.give_for_operator(order);
    if (number != 0) return number;
    throw SetupError("too many orders wait for the workers already; try again");
}

/// Ends the connection that is named, or all of a player.
template <Order::Kind kind>
Json end_connections(State& state, const Json& request) {
    Order order;
    order.kind = kind;
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

Order about_prefix(Order::Kind kind, const Json& request) {
    Order order;
    order.kind = kind;
    order.reason.assign(text_of(request, "reason"));
    order.prefix = prefix_of(request);
    return order;
}

/// What is to be said of an Order that was given.
struct Given {
    uint64_t number;  ///< Of the operators'.
    Json answer;
};

Given give_unblock(State& state, const Order& order) {
    const IpPrefix& prefix = order.prefix;
    const std::vector<BlockBook::Block>& blocks = state.blocks.blocks();
    const bool known = std::ranges::find(blocks, prefix, &BlockBook::Block::prefix) != blocks.end();
    // Whatever the book says: should Workers hold more than it knows of, they let go of it.
    const uint64_t number = give(state, order);
    if (known) return {number, {{"ordered", true}}};
    // What is no entry of its own cannot be let in by itself.
    const auto wider = std::ranges::find_if(blocks, [&](const BlockBook::Block& block) {
        return block.prefix.bits < prefix.bits && block.prefix.contains(prefix.address);
    });
    const std::string given = to_string(prefix);
    if (wider == blocks.end()) {
        return {number,
                {{"ordered", true},
                 {"note", given + " was in no list; the workers were told all the same"}}};
    }
    throw UsageError(given + " is blocked as a part of " + to_string(wider->prefix) +
                     "; unblock that one");
}

Given give_block(State& state, const Order& order) {
    for (const auto& sink : state.sinks) {
        const std::string why = sink->objection(order);
        if (!why.empty()) throw SetupError(why);
    }
    const uint64_t number = give(state, order);
    return {number, {{"ordered", true}, {"until", moment(wall_clock() + order.lasts)}}};
}

/// What is wrong with the list that blocks are remembered in; empty: nothing.
std::string trouble_with_blocks(const State& state) {
    for (const auto& sink : state.sinks) {
        for (const Condition& condition : sink->status().conditions) {
            if (condition.part == "blocklist" && !condition.well) return condition.says;
        }
    }
    return {};
}

/// What an operator should know of a block, or of the end of one, that he ordered.
void add_note(Json& answer, const std::string& note) {
    if (note.empty()) return;
    const std::string before = answer.value("note", "");
    answer["note"] = before.empty() ? note : before + "; " + note;
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

Json traced(const State& state, const Json& request) {
    const uint64_t from = number_of(request, "from", 0, UINT64_MAX);
    return traced_answer(state, text_of(request, "player"), from);
}

using Tell = std::function<void(const Json& answer)>;

/// One request, and what answering it takes.
struct Asked {
    State& state;
    const AdminCommands::Reload& reload;
    const Json& request;
    Tell tell;  ///< Called once, at once or later.
};

/// For what Control knows by itself, or orders.
template <auto answer>
void at_once(const Asked& asked) {
    if constexpr (std::is_invocable_v<decltype(answer), State&>) {
        asked.tell(good(answer(asked.state)));
    } else {
        asked.tell(good(answer(asked.state, asked.request)));
    }
}

using WorkersAnswer = std::function<Json(const FlowInquiry::Answer&)>;

/// For what only Workers know: answered when they have told.
void ask_workers(const Asked& asked, FlowInquiry::Question question, const WorkersAnswer& answer) {
    question.done = [answer, tell = asked.tell](const FlowInquiry::Answer& told) noexcept {
        try {
            tell(good(answer(told)));
        } catch (const std::exception& error) {
            tell(bad(error.what()));
        }
    };
    asked.state.inquiry.ask(std::move(question));
}

void flows(const Asked& asked) {
    const Json& request = asked.request;
    const FlowChoice choice{service_of(asked.state, request), flow_state_of(request),
                            number_of(request, "skip", 0, FlowInquiry::flows_max),
                            number_of(request, "limit", flows_shown, FlowInquiry::flows_max)};
    const bool any = choice.service.empty() && choice.flow_state.empty();
    const size_t wanted = any ? choice.skip + choice.show : FlowInquiry::flows_max;
    FlowInquiry::Question question;
    question.flows_max = static_cast<uint16_t>(std::min<size_t>(wanted, FlowInquiry::flows_max));
    ask_workers(asked, std::move(question), [&state = asked.state, choice](const auto& told) {
        return flows_answer(state, told, choice);
    });
}

void players(const Asked& asked) {
    FlowInquiry::Question question;
    question.flows_max = FlowInquiry::flows_max;
    question.players_only = true;
    const PlayerChoice choice{
        service_of(asked.state, asked.request), number_of(asked.request, "skip", 0, UINT32_MAX),
        number_of(asked.request, "limit", PlayerChoice::shown_max, PlayerChoice::shown_max)};
    ask_workers(asked, std::move(question), [&state = asked.state, choice](const auto& told) {
        return players_answer(state, told, choice);
    });
}

void player(const Asked& asked) {
    const PlayerRegistry::Entry& entry =
        *named_players(asked.state, text_of(asked.request, "player")).front();
    const Json json = player_answer(asked.state, entry);
    asked.state.descriptions.ask(entry, [json, tell = asked.tell](const Json& context) {
        Json complete = json;
        complete["context"] = context;
        tell(good(complete));
    });
}

/// Answered when it would outlive a restart, or when it is clear that it may not.
void answer_once_kept(const Asked& asked, const Given& given, bool blocks) {
    const auto done = [&state = asked.state, given, blocks, tell = asked.tell](bool kept) {
        Json answer = given.answer;
        if (!kept) {
            add_note(answer, "this holds until the restart only: it is not on the disk after " +
                                 std::to_string(Receipts::patience.count()) + " s");
        }
        if (blocks || !kept) add_note(answer, trouble_with_blocks(state));
        tell(good(answer));
    };
    asked.state.receipts.await(given.number, done, Receipts::Clock::now());
}

void block(const Asked& asked) {
    Order order = about_prefix(Order::Kind::block, asked.request);
    order.lasts = std::chrono::seconds(seconds_of(asked.request, 3'600));
    answer_once_kept(asked, give_block(asked.state, order), true);
}

void unblock(const Asked& asked) {
    const Order order = about_prefix(Order::Kind::unblock, asked.request);
    answer_once_kept(asked, give_unblock(asked.state, order), false);
}

void reload(const Asked& asked) {
    asked.reload([tell = asked.tell](const Json& result) { tell(good(result)); },
                 [tell = asked.tell](const std::string& error) { tell(bad(error)); });
}

/// An order is logged with who gave it and what came of it.
enum class Is : uint8_t { question, order };

struct Command {
    std::string_view name;
    Is is;
    void (*answer)(const Asked&);
};

constexpr Command commands[] = {
    {"status", Is::question, at_once<status_answer>},
    {"health", Is::question, at_once<health>},
    {"wires", Is::question, at_once<wires_answer>},
    {"services", Is::question, at_once<services_answer>},
    {"workers", Is::question, at_once<workers_answer>},
    {"flows", Is::question, flows},
    {"players", Is::question, players},
    {"player", Is::question, player},
    {"blocks", Is::question, at_once<blocks_answer>},
    {"block", Is::order, block},
    {"unblock", Is::order, unblock},
    {"sever", Is::order, at_once<end_connections<Order::Kind::sever>>},
    {"kick", Is::order, at_once<end_connections<Order::Kind::kick>>},
    {"trace", Is::order, at_once<trace>},
    {"traced", Is::question, at_once<traced>},
    {"reload", Is::order, reload},
    {"config", Is::question, at_once<config_answer>},
};

const Command& command_of(const Json& request) {
    const std::string given = request.is_object() ? text_of(request, "command") : "";
    const auto* found = std::ranges::find(commands, given, &Command::name);
    if (found != std::end(commands)) return *found;
    std::vector<std::string> names;
    for (const Command& command : commands) names.emplace_back(command.name);
    throw UsageError("unknown command \"" + given + "\"; allowed: " + config::alternatives(names));
}

}  // namespace

void AdminCommands::answer(std::string_view request, const Peer& peer,
                           const Reply& reply) noexcept {
    Tell tell = [reply](const Json& answer) { reply(written(answer)); };
    try {
        const Json parsed = Json::parse(request);
        const Command& command = command_of(parsed);
        if (command.is == Is::order) {
            tell = [peer, reply, order = logged(parsed)](const Json& answer) {
                log_order(peer, order, answer);
                reply(written(answer));
            };
        }
        command.answer({state_, reload_, parsed, tell});
    } catch (const Json::parse_error&) {
        tell(bad("a request is one JSON object on one line"));
    } catch (const std::exception& error) {
        tell(bad(error.what()));
    }
}

}  // namespace portcullis::control
