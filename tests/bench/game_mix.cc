// What a packet of honest play costs, from a port's ring to a port's ring, stage by stage.
//
//     game_mix CAPTURE... [--players N] [--rounds N]
//
// Goal: the figure that the design's budget is about: live play, not the same second over and over.
// Method: every capture is one client's session. Each is played by several clients at once, with
// addresses of their own and each beginning at another moment, so that what follows each other in
// a burst are packets of different players in different states. Time is the captures', rounded to
// where packets gather to full bursts, as they do on a wire that has something to do; so no check
// finds anything, and it is said if one did. Only the Worker's turns are measured. Machines are
// noisy, and every round is the same work: of each part of it the fastest round counts. One JSON
// object is printed.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <rte_cycles.h>

#include "base/setup_error.h"
#include "minecraft/captured_session.h"
#include "pipeline/capture.h"
#include "pipeline/replay.h"
#include "policy/rule_set.h"
#include "port/eal.h"
#include "protocol/minecraft/session.h"
#include "stages/detect/detect.h"

namespace portcullis {
namespace {

constexpr unsigned seed = 20261120;
constexpr Nanos gather = 2ms;  ///< Times are rounded to this.
constexpr Nanos spread = 10s;  ///< Within which all have begun.
constexpr uint32_t flows = 65'536;
constexpr uint32_t first_client = 0x0b000000;

using load::CapturedFrame;
using Session = load::CapturedSession;

/// Which packet comes next.
struct Turn {
    Nanos time;
    uint32_t player;
    uint32_t session;
    uint32_t frame;
};

std::vector<Turn> order_of(const std::vector<Session>& sessions, uint32_t players) {
    std::mt19937 random(seed);
    std::vector<Turn> turns;
    for (uint32_t player = 0; player < players; ++player) {
        const auto session = static_cast<uint32_t>(player % sessions.size());
        const Nanos begins(random() % static_cast<uint64_t>(spread / 1us) * 1000);
        for (uint32_t i = 0; i < sessions[session].size(); ++i) {
            const Nanos time = begins + sessions[session][i].time;
            turns.push_back({time / gather * gather, player, session, i});
        }
    }
    std::ranges::stable_sort(turns, {}, &Turn::time);
    return turns;
}

constexpr size_t part_size = 2048;  ///< Frames of a part, which take about a tenth of a time slice.

/// Cycles of whole turns, then of each stage.
using Cycles = std::array<uint64_t, 1 + stages::stages_max>;

struct Result {
    uint64_t bytes = 0, bursts = 0, found = 0, dropped = 0, game_packets = 0;
    std::vector<Cycles> parts;  ///< Up to the end of each.
};

Cycles cycles_of(const stages::Counters& counters) {
    Cycles cycles{counters.busy_cycles.get()};
    for (size_t i = 0; i < stages::stages_max; ++i) cycles[1 + i] = counters.stage_cycles[i].get();
    return cycles;
}

/// Of each part what its fastest round took.
Cycles best_of(const std::vector<Result>& rounds) {
    Cycles sum{};
    for (size_t part = 0; part < rounds[0].parts.size(); ++part) {
        const auto took = [part](const Result& round, size_t i) {
            return round.parts[part][i] - (part == 0 ? 0 : round.parts[part - 1][i]);
        };
        for (size_t i = 0; i < sum.size(); ++i) {
            uint64_t best = UINT64_MAX;
            for (const Result& round : rounds) best = std::min(best, took(round, i));
            sum[i] += best;
        }
    }
    return sum;
}

Result play(const pipeline::Replay::Setup& given, const std::vector<Session>& sessions,
            const std::vector<Turn>& turns) {
    constexpr Nanos epoch(1'700'000'000'000'000'000);
    Result result;
    pipeline::Replay::Setup setup = given;
    setup.on_record = [&](const verdicts::VerdictRecord& record) {
        result.found += record.kind == verdicts::VerdictRecord::Kind::verdict ? 1 : 0;
    };
    pipeline::Replay replay(setup);
    std::string bytes;
    size_t fed = 0;
    for (const Turn& turn : turns) {
        const CapturedFrame& frame = sessions[turn.session][turn.frame];
        bytes = frame.bytes;
        load::change_client(bytes, frame.client_at, first_client + turn.player);
        replay.feed({epoch + turn.time, static_cast<uint32_t>(bytes.size()), as_bytes(bytes)});
        result.bytes += bytes.size();
        if (++fed % part_size == 0) result.parts.push_back(cycles_of(replay.counters()));
    }
    replay.finish();
    const stages::Counters& counters = replay.counters();
    result.parts.push_back(cycles_of(counters));
    result.bursts = counters.bursts.get();
    for (const auto& drops : counters.wire[0].drops) result.dropped += drops.get();
    for (const auto& service : counters.service) result.game_packets += service.game_packets.get();
    return result;
}

void print(const std::vector<Result>& rounds, const std::vector<std::string>& stages,
           uint32_t players, size_t packets) {
    const Result& one = rounds.front();
    const Cycles cycles = best_of(rounds);
    const auto each = static_cast<double>(packets);
    const double nanos = 1e9 / static_cast<double>(rte_get_tsc_hz()) / each;
    printf(
        R"({"players": %u, "packets": %zu, "bytes_per_packet": %.0f, "packets_per_burst": %.1f, )"
        R"("game_packets": %lu, "found": %lu, "dropped": %lu, "ns_per_packet": %.1f, )"
        R"("stage_ns": {)",
        players, packets, static_cast<double>(one.bytes) / each,
        each / static_cast<double>(one.bursts), one.game_packets, one.found, one.dropped,
        static_cast<double>(cycles[0]) * nanos);
    for (size_t i = 0; i < stages.size(); ++i) {
        printf(R"(%s"%s": %.1f)", i == 0 ? "" : ", ", stages[i].c_str(),
               static_cast<double>(cycles[1 + i]) * nanos);
    }
    printf(R"(}, "bytes_per_flow": %zu, "bytes_per_player": %zu})"
           "\n",
           FlowTable(flows).memory() / flows, sizeof(minecraft::Session) + sizeof(stages::Watched));
}

int run(std::vector<std::string> arguments) {
    uint32_t players = 600, rounds = 5;
    std::vector<Session> sessions;
    for (size_t i = 1; i < arguments.size(); ++i) {
        const bool more = i + 1 < arguments.size();
        if (arguments[i] == "--players" && more) {
            players = static_cast<uint32_t>(std::stoul(arguments[++i]));
        } else if (arguments[i] == "--rounds" && more) {
            rounds = static_cast<uint32_t>(std::stoul(arguments[++i]));
        } else if (Session session = load::read_session(arguments[i]); !session.empty()) {
            sessions.push_back(std::move(session));
        }
    }
    if (sessions.empty()) throw SetupError("no capture holds TCP to or from port 25565");

    config::Config config = config::offline({});
    config.limits.flows = flows;
    config.limits.players = players;
    const std::shared_ptr<const policy::RuleSet> rules = policy::RuleSet::compile(config);
    port::Eal eal(pipeline::offline_eal());
    pipeline::ReplayWire wire;
    const auto file = pipeline::find_pipeline(config.pipeline, port::DataFiles(config.file));
    const std::vector<Turn> turns = order_of(sessions, players);
    std::vector<Result> results;
    for (uint32_t i = 0; i < rounds; ++i) {
        results.push_back(play({config, file, rules, wire, nullptr, {}, {}}, sessions, turns));
    }
    print(results, file.stages, players, turns.size());
    return 0;
}

}  // namespace
}  // namespace portcullis

int main(int argc, char** argv) {
    try {
        return portcullis::run({argv, argv + argc});
    } catch (const std::exception& error) {
        fprintf(stderr, "game_mix: %s\n", error.what());
        return 1;
    }
}
