#include <CLI/CLI.hpp>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <string>
#include <thread>

#include "admin_client.h"
#include "base/setup_error.h"
#include "choice.h"
#include "commands.h"
#include "config/config.h"
#include "ctl_text.h"
#include "flow/flow.h"

namespace portcullis::app {

namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t for_s_max = int64_t{10} * 365 * 86'400;

struct Options {
    std::string socket, config, format = "text";
    std::string player, service, state, client, server, prefix, reason;
    std::optional<int64_t> for_s;
    uint64_t limit = 0, skip = 0;
    bool detached = false;
};

/// What a file says of `admin.socket` that is wrong elsewhere; else the default.
std::string socket_despite(const UsageError& error, const std::string& file) {
    std::ifstream lines(file);
    if (!lines) throw error;
    std::string socket = config::Config{}.admin_socket;
    bool of_admin = false;
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty() && !std::strchr(" \t#", line[0])) of_admin = line.starts_with("admin:");
        std::smatch found;
        static const std::regex named(R"(^[^#]*\bsocket: *["']?(/[^ "',}#]+))");
        if (of_admin && std::regex_search(line, found, named)) socket = found[1];
    }
    std::cerr << error.what() << "\nthe appliance at " << socket << " is asked all the same\n";
    return socket;
}

std::string configured_socket(const std::string& file) {
    try {
        return config::load(file).admin_socket;
    } catch (const UsageError& error) {
        return socket_despite(error, file);
    }
}

std::string socket_of(const Options& options) {
    if (!options.socket.empty()) return options.socket;
    if (options.config.empty()) return config::Config{}.admin_socket;
    const std::string socket = configured_socket(options.config);
    if (socket.empty()) {
        throw UsageError(options.config + ": admin.socket is off, so nobody can be asked");
    }
    return socket;
}

Json request_of(const std::string& command, const Options& options) {
    Json request = {{"command", command}};
    const std::pair<const char*, const std::string&> texts[] = {
        {"player", options.player}, {"service", options.service}, {"state", options.state},
        {"client", options.client}, {"server", options.server},   {"prefix", options.prefix},
        {"reason", options.reason},
    };
    for (const auto& [key, value] : texts) {
        if (!value.empty()) request[key] = value;
    }
    if (options.for_s) request["for_s"] = *options.for_s;
    if (options.limit > 0) request["limit"] = options.limit;
    if (options.skip > 0) request["skip"] = options.skip;
    return request;
}

/// Reads along until the time is over: what comes in the last moment too.
int follow_trace(const Options& options) {
    const std::string socket = socket_of(options);
    const Json begun = ask_appliance(socket, request_of("trace", options));
    const auto until =
        std::chrono::steady_clock::now() + std::chrono::seconds(options.for_s.value_or(60));
    Json question = {{"command", "traced"}, {"player", begun.at("player")}};
    Json next = begun.at("next");
    for (bool over = false; !over;) {
        over = std::chrono::steady_clock::now() >= until;
        question["from"] = next;
        const Json told = ask_appliance(socket, question);
        next = told.at("next");
        for (const Json& packet : told.at("packets")) {
            std::cout << (options.format == "json" ? packet.dump() : traced_text(packet)) << '\n';
        }
        if (!told.at("here").get<bool>()) return 0;  // He has left.
        if (told.at("missed") > 0) std::cerr << told.at("missed") << " packets were missed\n";
        std::cout << std::flush;
        if (!std::cout) return 1;  // Whoever read along has gone.
        if (told.at("packets").empty()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return 0;
}

int run(const std::string& command, CtlText text, const Options& options) {
    if (command == "trace" && !options.detached) return follow_trace(options);
    // Patterns take their time to compile; all else is answered at once.
    const Json result =
        ask_appliance(socket_of(options), request_of(command, options),
                      command == "reload" ? "the new rules are being compiled; still waiting" : "");
    if (options.format == "json") {
        std::cout << result.dump() << '\n';
    } else {
        std::cout << text(result);
    }
    return 0;
}

/// Seconds from "90", "90s", "10m", "2h" or "7d".
const std::map<std::string, int64_t> time_units = {
    {"s", 1}, {"m", 60}, {"h", 3'600}, {"d", 86'400}};

using Shared = std::shared_ptr<Options>;

CLI::App* add_one(CLI::App& ctl, const std::string& command, const std::string& help,
                  const Shared& options, Command& chosen) {
    CLI::App* sub = ctl.add_subcommand(command, help);
    sub->callback([command, text = ctl_text(command), options, &chosen] {
        chosen = [command, text, options] { return run(command, text, *options); };
    });
    return sub;
}

void add_plain(CLI::App& ctl, const Shared& options, Command& chosen) {
    const std::pair<const char*, const char*> plain[] = {
        {"status", "How the appliance is, in short."},
        {"health", "What /health says."},
        {"wires", "Packets and ports of each wire."},
        {"services", "What each service sees: connections, players, logins, verdicts."},
        {"workers", "Each worker: time, latency, what it keeps, how full its rings are."},
        {"blocks", "Addresses kept out, and until when."},
        {"reload", "Read the configuration file again."},
        {"config", "The configuration in force, defaults included."},
    };
    for (const auto& [name, help] : plain) add_one(ctl, name, help, options, chosen);
}

void add_with_arguments(CLI::App& ctl, const Shared& options, Command& chosen) {
    Options& o = *options;
    const auto add = [&](const std::string& command, const std::string& help) {
        return add_one(ctl, command, help, options, chosen);
    };
    const auto add_time = [&](CLI::App* sub, const std::string& otherwise) {
        sub->add_option("--for", o.for_s, "How long: 90s, 10m, 2h or 7d; " + otherwise)
            ->transform(CLI::AsNumberWithUnit(time_units, CLI::AsNumberWithUnit::CASE_INSENSITIVE))
            ->check(CLI::Range(int64_t{1}, for_s_max));
    };
    CLI::App* flows = add("flows", "Connections, one a line.");
    flows->add_option("--service", o.service, "Only those to this service");
    flows->add_option("--state", o.state, "Only those in this state")
        ->check(choice(std::vector<std::string>(flow_state_names.begin(), flow_state_names.end())));
    flows->add_option("--limit", o.limit, "So many; 50 when left out")
        ->check(CLI::Range(1, 65'535));
    flows->add_option("--skip", o.skip, "Not the first ones: with --limit, page by page")
        ->check(CLI::Range(0, 65'535));
    CLI::App* players = add("players", "Who is logged in, and what was found of them.");
    players->add_option("--service", o.service, "Only players of this service");
    players->add_option("--limit", o.limit, "So many; 10000 when left out")
        ->check(CLI::Range(1, 10'000));
    players->add_option("--skip", o.skip, "Not the first ones: with --limit, page by page")
        ->check(CLI::Range(uint64_t{0}, uint64_t{UINT32_MAX}));
    add("player", "All about one player.")->add_option("name", o.player)->required();

    CLI::App* block = add("block", "Keep an address or prefix out for a time.");
    block->add_option("prefix", o.prefix, "Address or prefix, such as 198.51.100.0/24")->required();
    block->add_option("--reason", o.reason, "Why, for the list");
    add_time(block, "an hour when left out");
    add("unblock", "Let an address or prefix in again.")
        ->add_option("prefix", o.prefix)
        ->required();

    for (const std::string command : {"sever", "kick"}) {
        CLI::App* sub = add(command, command == "kick" ? "Throw a player out; he reads why."
                                                       : "Reset a connection on both sides.");
        sub->add_option("player", o.player, "Name; or give --client and --server");
        CLI::Option* client = sub->add_option("--client", o.client, "ADDRESS:PORT");
        CLI::Option* server = sub->add_option("--server", o.server, "ADDRESS:PORT");
        client->needs(server);
        server->needs(client);
        sub->add_option("--reason", o.reason, "What the player reads");
    }
    CLI::App* trace = add("trace", "Show every game packet of a player for a time.");
    trace->add_option("player", o.player)->required();
    add_time(trace, "a minute when left out");
    trace->add_flag("--log", o.detached, "Leave them to the appliance's log, and show none here");
}

}  // namespace

void add_ctl(CLI::App& app, Command& chosen) {
    CLI::App* ctl = app.add_subcommand("ctl", "Ask or order a running appliance.");
    const auto options = std::make_shared<Options>();
    ctl->add_option("--socket", options->socket, "Its admin socket");
    ctl->add_option("--config", options->config, "Or the configuration that names it");
    ctl->add_option("--format", options->format, "text or json")->check(choice({"text", "json"}));
    ctl->require_subcommand(1);
    ctl->fallthrough();
    add_plain(*ctl, options, chosen);
    add_with_arguments(*ctl, options, chosen);
}

}  // namespace portcullis::app
