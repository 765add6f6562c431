#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/concat.h"
#include "base/setup_error.h"
#include "base/wall_clock.h"
#include "commands.h"
#include "key_writer.h"
#include "output.h"
#include "packet/packet_builder.h"
#include "shadowland/game.h"

namespace portcullis::load {

namespace {

struct Options {
    Game::Settings game;
    Output::Options output;
    std::string server = "10.0.0.3:3565", first_client = "198.18.0.1";
    std::vector<std::string> attacks;
    double seconds = 10, rekey_s = 0;
    std::string keys, feed, attackers;
    bool clients_only = false;
};

/// The appliance gives keys to its workers on its own time.
constexpr Nanos after_keys = 500ms;

std::vector<Game::Share> shares(const std::vector<std::string>& texts) {
    std::vector<Game::Share> found;
    for (const std::string& text : texts) {
        const size_t equals = text.find('=');
        const auto attack = value_in<Attack>(attack_names, text.substr(0, equals));
        double share = 0;
        const bool number = equals != std::string::npos &&
                            CLI::detail::lexical_cast(text.substr(equals + 1), share);
        if (!attack || *attack == Attack::none) {
            throw UsageError(concat("--attack ", text, ": no such attack; there are ",
                                    CLI::detail::join(std::vector<std::string>(
                                        attack_names.begin() + 1, attack_names.end()))));
        }
        if (!number || share < 0 || share > 1) {
            throw UsageError(concat("--attack ", text, ": write NAME=SHARE, a share of 0 to 1"));
        }
        found.push_back({*attack, share});
    }
    return found;
}

Game::Settings settings_of(const Options& options) {
    Game::Settings settings = options.game;
    const auto server = parse_endpoint(options.server);
    const auto client = parse_address(options.first_client);
    if (!server || !server->address.is_v4())
        throw UsageError("--server: write ADDRESS:PORT (IPv4)");
    if (!client || !client->is_v4()) throw UsageError("--first-client: write an IPv4 address");
    settings.server = *server;
    settings.first_client = *client;
    settings.attacks = shares(options.attacks);
    settings.rekey_every = Nanos(static_cast<int64_t>(options.rekey_s * 1e9));
    const bool live = options.output.pcap.empty();
    settings.begins = live ? wall_clock() : fixed_begin;
    return settings;
}

/// Frames between two hosts whose link addresses nobody looks at.
class Framer {
public:
    explicit Framer(const Endpoint& server) : server_(server) {
        to_server_.addresses = {0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1};
        to_client_ = to_server_.reversed();
    }
    Bytes frame(const Said& said) {
        const bool up = said.direction == Direction::to_server;
        const size_t size = PacketBuilder{}
                                .link(up ? to_server_ : to_client_)
                                .from(up ? said.client : server_)
                                .to(up ? server_ : said.client)
                                .udp()
                                .payload(said.bytes)
                                .build(room_);
        return Bytes(room_).first(size);
    }

private:
    Endpoint server_;
    LinkHeader to_server_, to_client_;
    std::array<std::byte, 1'514> room_;
};

struct Counts {
    uint64_t all = 0, honest = 0, play = 0;
};

void print(const Options& options, const Output::Figures& figures, const Counts& counts,
           double took_s) {
    std::printf(R"({"sessions": %u, "encrypted": %s, "seed": %lu, "play_seconds": %.3f, )"
                R"("took_seconds": %.3f, "sent": {"outside": %lu, "inside": %lu}, )"
                R"("of_attackers": %lu, "bytes": %lu, "play_packets_per_s": %.0f, )"
                R"("received": {"outside": %lu, "inside": %lu}, "refused": %lu, )"
                R"("latest_ms": %.3f})"
                "\n",
                options.game.sessions, options.game.encrypted ? "true" : "false", options.game.seed,
                options.seconds, took_s, figures.sent[0], figures.sent[1],
                counts.all - counts.honest, figures.bytes, double(counts.play) / options.seconds,
                figures.received[0], figures.received[1], figures.refused,
                to_milliseconds(figures.late));
}

void write_attackers(const std::string& path, const Game& game) {
    std::ofstream file(path, std::ios::trunc);
    for (const Session& s : game.sessions()) {
        if (s.attack == Attack::none) continue;
        file << R"({"client":")" << to_string(s.client) << R"(","attack":")"
             << name_in(attack_names, s.attack) << "\"}\n";
    }
    file.close();
    if (!file) throw SetupError(concat(path, ": can not be written"));
}

int run(const Options& options) {
    const Game::Settings settings = settings_of(options);
    Game game(settings);
    const Nanos play = Nanos(static_cast<int64_t>(options.seconds * 1e9));
    const Nanos end = game.plays_from() + play;
    if (!options.keys.empty()) write_keys(options.keys, game.keys(end));
    if (!options.attackers.empty()) write_attackers(options.attackers, game);
    if (!options.feed.empty()) {
        feed_keys(options.feed, game.keys(end));
        std::this_thread::sleep_for(after_keys);
    }
    const std::unique_ptr<Output> output = Output::open(options.output);
    Framer framer(settings.server);
    Counts counts;
    const auto began = std::chrono::steady_clock::now();
    game.play([&](const Said& said) {
        if (said.time >= end) return false;
        const bool client = said.direction == Direction::to_server;
        if (!client && options.clients_only) return true;
        output->send(client ? Side::outside : Side::inside, said.time, framer.frame(said));
        ++counts.all;
        counts.honest += said.honest ? 1 : 0;
        counts.play += said.time >= game.plays_from() ? 1 : 0;
        return true;
    });
    output->finish();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    print(options, output->figures(), counts, took.count());
    return 0;
}

}  // namespace

void add_shadowland(CLI::App& app, Command& chosen) {
    CLI::App* sub = app.add_subcommand(
        "shadowland", "Both ends of Shadowland sessions: honest play and chosen shares of attacks");
    const auto options = std::make_shared<Options>();
    options->output.declare(*sub);
    Game::Settings& game = options->game;
    sub->add_option("--sessions", game.sessions, "Players at once")->capture_default_str();
    sub->add_option("--rate", game.rate, "Datagrams a second, both directions together")
        ->capture_default_str();
    sub->add_option("--seconds", options->seconds, "Of play, after all have entered")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    sub->add_flag("--encrypted,!--plain", game.encrypted, "Sealed sessions");
    sub->add_option("--seed", game.seed, "The same seed plays the same")->capture_default_str();
    sub->add_option("--attack", options->attacks,
                    "NAME=SHARE: so many of the sessions do what the check NAME finds; may be "
                    "given again")
        ->take_all();
    sub->add_option("--connects", game.connects_per_second, "Players that enter, a second")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    sub->add_option("--rekey", options->rekey_s, "New keys after so many seconds; 0: never")
        ->check(CLI::NonNegativeNumber);
    sub->add_option("--server", options->server, "The service")->capture_default_str();
    sub->add_option("--first-client", options->first_client, "The others have the next ones")
        ->capture_default_str();
    sub->add_option("--keys", options->keys,
                    "Write the keys there, as `inspect --keys` reads them");
    sub->add_option("--attackers", options->attackers,
                    "Write there who attacks and how, one JSON object a line");
    sub->add_option("--feed", options->feed, "Feed the keys to this socket of a running appliance");
    sub->add_flag("--clients-only,!--both-sides", options->clients_only,
                  "Say what the players say and not what the server does");
    sub->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace portcullis::load
