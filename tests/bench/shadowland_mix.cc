// What a packet of Shadowland costs, from a port's ring to a port's ring, stage by stage.
//
//     shadowland_mix [--encrypted] [--sessions N] [--rate N] [--seconds N] [--rounds N]
//                    [--attack NAME=SHARE] [--no-evidence]
//
// Goal: the figure that the budget of half a core is about: 600,000 datagrams a second of 10,000
// sessions, each in another state.
// Method: the load generator's game, both ends of every session in their own time, written down
// beforehand so that only the Worker's turns are measured; what follows each other are datagrams of
// different sessions, so nothing is in the cache by luck. Entering is played and not measured.
// Machines are noisy, and every round is the same work: of each part of it the fastest round
// counts. One JSON object is printed.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <rte_cycles.h>

#include "base/setup_error.h"
#include "packet/packet_builder.h"
#include "pipeline/replay.h"
#include "policy/rule_set.h"
#include "port/eal.h"
#include "protocol/shadowland/session.h"
#include "shadowland/game.h"
#include "stages/detect/detect.h"

namespace portcullis {
namespace {

constexpr size_t part_size = 128;  ///< Datagrams of a part: far less than a time slice takes.
constexpr size_t frame_size_max = 1'514;

/// Frames one behind the other, as they shall come.
struct Frames {
    struct Frame {
        Nanos time;
        uint64_t at;
        uint32_t size;
    };
    std::vector<Frame> list;
    std::string bytes;
    size_t measured_from = 0;  ///< The first of play.

    pipeline::CapturedFrame operator[](size_t i) const {
        const Frame& frame = list[i];
        return {frame.time, frame.size, as_bytes(bytes).subspan(frame.at, frame.size)};
    }
};

Frames write_down(load::Game& game, const Endpoint& server, Nanos play) {
    Frames frames;
    LinkHeader to_server;
    to_server.addresses = {0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1};
    const LinkHeader to_client = to_server.reversed();
    std::array<std::byte, frame_size_max> room;
    game.play([&](const load::Said& said) {
        const Nanos since = said.time - game.plays_from();
        if (since >= play) return false;
        if (since < Nanos{}) frames.measured_from = frames.list.size() + 1;
        const bool up = said.direction == load::Direction::to_server;
        const size_t size = PacketBuilder{}
                                .link(up ? to_server : to_client)
                                .from(up ? said.client : server)
                                .to(up ? server : said.client)
                                .udp()
                                .payload(said.bytes)
                                .build(room);
        frames.list.push_back({said.time, frames.bytes.size(), static_cast<uint32_t>(size)});
        frames.bytes.append(reinterpret_cast<const char*>(room.data()), size);
        return true;
    });
    return frames;
}

/// Cycles of whole turns, then of each stage.
using Cycles = std::array<uint64_t, 1 + stages::stages_max>;

struct Round {
    uint64_t found = 0, dropped = 0, bursts = 0;
    std::vector<Cycles> parts;  ///< Up to the end of each.
};

Cycles cycles_of(const stages::Counters& counters) {
    Cycles cycles{counters.busy_cycles.get()};
    for (size_t i = 0; i < stages::stages_max; ++i) cycles[1 + i] = counters.stage_cycles[i].get();
    return cycles;
}

Round play(const pipeline::Replay::Setup& given, const Frames& frames) {
    Round round;
    pipeline::Replay::Setup setup = given;
    setup.on_record = [&](const verdicts::VerdictRecord& record) {
        round.found += record.kind == verdicts::VerdictRecord::Kind::verdict ? 1 : 0;
    };
    pipeline::Replay replay(setup);
    uint64_t bursts_before = 0;
    for (size_t i = 0; i < frames.list.size(); ++i) {
        if (i >= frames.measured_from && (i - frames.measured_from) % part_size == 0) {
            if (round.parts.empty()) bursts_before = replay.counters().bursts.get();
            round.parts.push_back(cycles_of(replay.counters()));
        }
        replay.feed(frames[i]);
    }
    replay.finish();
    const stages::Counters& counters = replay.counters();
    round.parts.push_back(cycles_of(counters));
    round.bursts = counters.bursts.get() - bursts_before;
    for (const auto& drops : counters.wire[0].drops) round.dropped += drops.get();
    return round;
}

/// Of each part what its fastest round took.
Cycles best_of(const std::vector<Round>& rounds) {
    Cycles sum{};
    for (size_t part = 1; part < rounds[0].parts.size(); ++part) {
        for (size_t i = 0; i < sum.size(); ++i) {
            uint64_t best = UINT64_MAX;
            for (const Round& round : rounds) {
                best = std::min(best, round.parts[part][i] - round.parts[part - 1][i]);
            }
            sum[i] += best;
        }
    }
    return sum;
}

struct Options {
    load::Game::Settings game;
    double seconds = 2;
    uint32_t rounds = 5;
    bool evidence = true;
};

Options parse(const std::vector<std::string>& arguments) {
    Options options;
    options.game.begins = Nanos(1'795'000'000'000'000'000);
    options.game.server = *parse_endpoint("10.0.0.3:3565");
    options.game.first_client = *parse_address("198.18.0.1");
    for (size_t i = 1; i < arguments.size(); ++i) {
        const std::string& name = arguments[i];
        if (name == "--encrypted") {
            options.game.encrypted = true;
            continue;
        }
        if (name == "--no-evidence") {
            options.evidence = false;
            continue;
        }
        if (++i == arguments.size()) throw UsageError(name + " wants a value");
        const std::string& value = arguments[i];
        if (name == "--sessions") {
            options.game.sessions = uint32_t(std::stoul(value));
        } else if (name == "--rate") {
            options.game.rate = std::stod(value);
        } else if (name == "--seconds") {
            options.seconds = std::stod(value);
        } else if (name == "--rounds") {
            options.rounds = uint32_t(std::stoul(value));
        } else if (name == "--attack") {
            const size_t equals = value.find('=');
            const auto attack = value_in<load::Attack>(load::attack_names, value.substr(0, equals));
            if (!attack || equals == std::string::npos) throw UsageError("--attack NAME=SHARE");
            options.game.attacks.push_back({*attack, std::stod(value.substr(equals + 1))});
        } else {
            throw UsageError("no such option: " + name);
        }
    }
    return options;
}

void print(const Options& options, const Frames& frames, const std::vector<Round>& rounds,
           const std::vector<std::string>& stages) {
    const Round& one = rounds.front();
    const Cycles cycles = best_of(rounds);
    const auto count = static_cast<double>(frames.list.size() - frames.measured_from);
    const double nanos = 1e9 / static_cast<double>(rte_get_tsc_hz()) / count;
    const double each = static_cast<double>(cycles[0]) * nanos;
    const double bytes = double(frames.bytes.size() - frames.list[frames.measured_from].at) / count;
    printf(R"({"sessions": %u, "encrypted": %s, "packets": %.0f, "bytes_per_packet": %.0f, )"
           R"("packets_per_burst": %.1f, "found": %lu, "dropped": %lu, "ns_per_packet": %.1f, )"
           R"("core_share": %.3f, "stage_ns": {)",
           options.game.sessions, options.game.encrypted ? "true" : "false", count, bytes,
           count / static_cast<double>(one.bursts), one.found, one.dropped, each,
           each * options.game.rate / 1e9);
    for (size_t i = 0; i < stages.size(); ++i) {
        printf(R"(%s"%s": %.1f)", i == 0 ? "" : ", ", stages[i].c_str(),
               static_cast<double>(cycles[1 + i]) * nanos);
    }
    printf(R"(}, "bytes_per_session": {"session": %zu, "player": %zu, "entity": %zu}})"
           "\n",
           sizeof(shadowland::Session), stages::ShadowlandWatch::player_bytes,
           sizeof(shadowland::Entity));
}

int run(const std::vector<std::string>& arguments) {
    const Options options = parse(arguments);
    port::Eal eal(pipeline::offline_eal());
    pipeline::ReplayWire wire;
    load::Game game(options.game);
    const Nanos length(static_cast<int64_t>(options.seconds * 1e9));
    const std::vector<keys::Key> keys = game.keys(game.plays_from() + length);
    const Frames frames = write_down(game, options.game.server, length);

    config::Config config =
        config::offline({config::parse_service("shadowland@" + to_string(options.game.server))});
    config.limits.flows = 4 * options.game.sessions;
    config.limits.players = options.game.sessions + options.game.sessions / 4;
    // As an appliance has it.
    if (options.evidence) config.verdict_log.evidence = {};
    const std::shared_ptr<const policy::RuleSet> rules = policy::RuleSet::compile(config);
    const auto file = pipeline::find_pipeline(config.pipeline, port::DataFiles(config.file));
    std::vector<Round> rounds;
    for (uint32_t i = 0; i < options.rounds; ++i) {
        rounds.push_back(play({config, file, rules, wire, nullptr, {}, {}, keys}, frames));
    }
    print(options, frames, rounds, file.stages);
    return 0;
}

}  // namespace
}  // namespace portcullis

int main(int argc, char** argv) {
    try {
        return portcullis::run({argv, argv + argc});
    } catch (const std::exception& error) {
        fprintf(stderr, "shadowland_mix: %s\n", error.what());
        return 1;
    }
}
