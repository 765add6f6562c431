#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "base/concat.h"
#include "base/ip.h"
#include "base/setup_error.h"
#include "commands.h"
#include "minecraft/captured_session.h"
#include "output.h"
#include "shadowland/turn.h"

namespace portcullis::load {

namespace {

struct Options {
    Output::Options output;
    std::vector<std::string> captures;
    std::string first_client = "11.0.0.1";
    uint32_t players = 600;
    double seconds = 30;
    uint64_t seed = 1;
};

constexpr Nanos spread = 10s;  ///< Within which all have begun.
constexpr Nanos rest = 1s;     ///< Between two sessions of a player.
constexpr uint32_t players_max = 100'000;

/// Whose next frame comes when.
struct Next {
    Nanos time;
    uint32_t player;
    bool operator>(const Next& o) const noexcept {
        return std::tie(time, player) > std::tie(o.time, o.player);
    }
};

struct Player {
    uint32_t session, frame = 0;
    uint32_t address;  ///< Another one for each session: a connection is not begun twice.
    Nanos began;
};

/// Captured sessions, each by many players at once and again when it is over, in their own time.
class Crowd {
public:
    Crowd(const Options& options, std::vector<CapturedSession> sessions, uint32_t first_address)
        : sessions_(std::move(sessions)), next_address_(first_address) {
        Random random(options.seed);
        for (uint32_t i = 0; i < options.players; ++i) {
            const Nanos began(random.below(static_cast<uint32_t>(spread / 1us)) * int64_t{1000});
            players_.push_back(
                {i % static_cast<uint32_t>(sessions_.size()), 0, next_address_++, began});
            next_.push({began, i});
        }
    }

    /// Gives `send(time, frame, to_server)` everything before `end`.
    template <class Send>
    void play(Nanos end, Send&& send) {
        std::string bytes;
        while (next_.top().time < end) {
            const Next next = next_.top();
            next_.pop();
            Player& player = players_[next.player];
            const CapturedSession& session = sessions_[player.session];
            const CapturedFrame& frame = session[player.frame++];
            bytes = frame.bytes;
            change_client(bytes, frame.client_at, player.address);
            send(next.time, bytes, frame.to_server());
            if (player.frame == session.size()) {
                player = {player.session, 0, next_address_++, next.time + rest};
            }
            next_.push({player.began + session[player.frame].time, next.player});
        }
    }

private:
    std::vector<CapturedSession> sessions_;
    std::vector<Player> players_;
    std::priority_queue<Next, std::vector<Next>, std::greater<>> next_;
    uint32_t next_address_;
};

int run(const Options& options) {
    const auto first = parse_address(options.first_client);
    if (!first || !first->is_v4()) throw UsageError("--first-client: write an IPv4 address");
    std::vector<CapturedSession> sessions;
    for (const std::string& path : options.captures) {
        if (CapturedSession session = read_session(path); !session.empty()) {
            sessions.push_back(std::move(session));
        }
    }
    if (sessions.empty()) {
        throw SetupError(concat("no capture holds TCP over IPv4 to or from port ", minecraft_port));
    }
    Crowd crowd(options, std::move(sessions), first->as_v4());
    const std::unique_ptr<Output> output = Output::open(options.output);
    const auto began = std::chrono::steady_clock::now();
    uint64_t packets = 0;
    crowd.play(Nanos(static_cast<int64_t>(options.seconds * 1e9)),
               [&](Nanos time, const std::string& frame, bool to_server) {
                   output->send(to_server ? Side::outside : Side::inside, fixed_begin + time,
                                as_bytes(frame));
                   ++packets;
               });
    output->finish();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    const Output::Figures& figures = output->figures();
    std::printf(R"({"players": %u, "seed": %lu, "seconds": %.3f, "took_seconds": %.3f, )"
                R"("sent": {"outside": %lu, "inside": %lu}, "bytes": %lu, )"
                R"("packets_per_s": %.0f, "received": {"outside": %lu, "inside": %lu}, )"
                R"("refused": %lu, "latest_ms": %.3f})"
                "\n",
                options.players, options.seed, options.seconds, took.count(), figures.sent[0],
                figures.sent[1], figures.bytes, double(packets) / options.seconds,
                figures.received[0], figures.received[1], figures.refused,
                to_milliseconds(figures.late));
    return 0;
}

}  // namespace

void add_minecraft(CLI::App& app, Command& chosen) {
    CLI::App* sub = app.add_subcommand(
        "minecraft",
        "Captured Minecraft sessions, each by many players at once and again and again");
    const auto options = std::make_shared<Options>();
    options->output.declare(*sub);
    sub->add_option("captures", options->captures,
                    "Captures of one client each, to or from port "
                    "25565 over IPv4")
        ->required();
    sub->add_option("--players", options->players, "At once; their captures' in turn")
        ->check(CLI::Range(1u, players_max))
        ->capture_default_str();
    sub->add_option("--seconds", options->seconds)
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    sub->add_option("--seed", options->seed, "When each begins")->capture_default_str();
    sub->add_option("--first-client", options->first_client,
                    "The others have the next ones, another for each session")
        ->capture_default_str();
    sub->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace portcullis::load
