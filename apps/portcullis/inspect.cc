#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include "base/concat.h"
#include "base/setup_error.h"
#include "choice.h"
#include "commands.h"
#include "config/config.h"
#include "config/problems.h"
#include "evidence/file.h"
#include "evidence/replay.h"
#include "evidence/store.h"
#include "inspect_report.h"
#include "keys/parse.h"
#include "pipeline/capture.h"
#include "pipeline/replay.h"
#include "policy/rule_set.h"
#include "port/eal.h"
#include "protocol/minecraft/packet_named.h"
#include "protocol/shadowland/messages.h"
#include "stream_report.h"

namespace portcullis::app {

namespace {

using Clock = std::chrono::steady_clock;

struct InspectOptions {
    std::vector<std::string> captures;
    std::string config;
    std::vector<std::string> services;
    std::string packets;  ///< "true": all; else names with commas; empty: none.
    std::string format = "text";
    std::string forwarded;
    std::string keys;
    std::string evidence;
    std::optional<config::Checksums> checksums;  ///< Goes before the configuration's.
    bool resume = false;
    bool streams = false;
};

/// At a time; what is kept of them is written with the burst in which it is ready.
constexpr uint32_t offline_suspects = 64;
/// A capture holds fewer players than a live wire, and tables are made anew for
/// each: without a configuration, small ones.
constexpr uint32_t offline_flows = 65'536;
constexpr uint32_t offline_players = 2'000;
constexpr uint32_t offline_half_open = 16'384;

config::Config without_evidence(const InspectOptions& options) {
    std::vector<config::Service> services;
    for (const std::string& text : options.services) {
        services.push_back(config::parse_service(text));
    }
    if (!options.config.empty()) {
        config::Config config = config::load(options.config);
        config.services.insert(config.services.end(), services.begin(), services.end());
        return config;
    }
    config::Config config = config::offline(services);
    config.limits.flows = offline_flows;
    config.limits.players = offline_players;
    config.limits.half_open = offline_half_open;
    return config;
}

config::Config configuration(const InspectOptions& options) {
    config::Config config = without_evidence(options);
    config.verdict_log.evidence.players = options.evidence.empty() ? 0 : offline_suspects;
    if (options.checksums) config.checksums = *options.checksums;
    return config;
}

/// What people call a packet, as the decoders do; nothing: no packet is called so.
std::optional<std::string> packet_name(const std::string& given) {
    if (const auto packet = minecraft::packet_named(given)) {
        return std::string(minecraft::packet_name(*packet));
    }
    const auto& others = shadowland::message_names;
    const bool known = std::ranges::find(others, given) != others.end();
    return known ? std::optional(given) : std::nullopt;
}

std::vector<std::string> packet_names(const InspectOptions& options) {
    if (options.packets.empty() || options.packets == "false") return {};
    if (options.packets == "true") {
        // Without "=" a name is taken for a capture.
        for (const std::string& path : options.captures) {
            if (!packet_name(path) || std::filesystem::exists(path)) continue;
            throw UsageError("there is no capture " + path + "; the packets of that name are " +
                             "printed with --packets=" + path);
        }
        return {""};
    }
    std::vector<std::string> names;
    for (const std::string& given : CLI::detail::split(options.packets, ',')) {
        if (const auto name = packet_name(given)) {
            names.push_back(*name);
            continue;
        }
        std::vector<std::string> known(minecraft::packet_names.begin(),
                                       minecraft::packet_names.end());
        known.insert(known.end(), shadowland::message_names.begin(),
                     shadowland::message_names.end());
        throw UsageError("--packets: no game packet is called " + config::in_quotes(given) +
                         config::suggestion(given, known) +
                         "; --packets alone prints all, with their names");
    }
    return names;
}

/// On a terminal, one line on stderr that says how far it got.
class Progress {
public:
    void show(const pipeline::CaptureReader& capture, uint64_t verdicts) {
        if (!terminal_ || capture.frames() % frames_between_looks != 0) return;
        const auto now = Clock::now();
        if (now - shown_ < std::chrono::milliseconds(100)) return;
        shown_ = now;
        written_ = true;
        fprintf(stderr, "\r\033[K%s: %3.0f %%, %lu packets, %lu verdicts", capture.path().c_str(),
                capture.progress() * 100, capture.frames(), verdicts);
    }
    void clear() {
        if (written_) fputs("\r\033[K", stderr);
        written_ = false;
    }

private:
    static constexpr uint64_t frames_between_looks = 256;
    const bool terminal_ = isatty(STDERR_FILENO) != 0;
    bool written_ = false;
    Clock::time_point shown_ = Clock::now();
};

class Inspection {
public:
    explicit Inspection(const InspectOptions& options)
        : options_(options),
          config_(configuration(options)),
          rules_(policy::RuleSet::compile(config_)),
          pipeline_(pipeline::find_pipeline(config_.pipeline, port::DataFiles(config_.file))),
          report_(config_, options.format == "jsonl" ? Format::jsonl : Format::text,
                  packet_names(options)),
          keys_(options.keys.empty() ? std::vector<keys::Key>() : keys::load(options.keys)),
          eal_(pipeline::offline_eal()) {}

    int run() {
        const auto began = Clock::now();
        keep_what_is_read();
        bool all_whole = true;
        for (const std::string& path : options_.captures) {
            try {
                one(path);
            } catch (const SetupError& error) {
                // The next capture may well be readable.
                progress_.clear();
                fprintf(stderr, "portcullis: %s\n", error.what());
                all_whole = false;
            }
        }
        progress_.clear();
        if (forwarded_) forwarded_->close();
        report_.summary(std::chrono::duration<double>(Clock::now() - began).count());
        return all_whole ? 0 : 1;
    }

private:
    /// The capture may be the only proof there is.
    void keep_what_is_read() const {
        if (options_.forwarded.empty()) return;
        for (const std::string& path : options_.captures) {
            std::error_code ignored;
            if (!std::filesystem::equivalent(path, options_.forwarded, ignored)) continue;
            throw UsageError("--forwarded " + options_.forwarded + " is the capture " + path +
                             ", which it would overwrite; name another file");
        }
    }

    void one(const std::string& path) {
        if (evidence::is_evidence(path)) {
            if (options_.resume) return resume(path);
            fprintf(stderr, "portcullis: %s: is evidence; --resume goes on from the state in it\n",
                    path.c_str());
        }
        pipeline::CaptureReader capture(path);
        if (!options_.forwarded.empty() && !forwarded_) {
            forwarded_.emplace(options_.forwarded, capture.nanoseconds());
        }
        pipeline::Replay replay({config_, pipeline_, rules_, wire_,
                                 report_.wants_packets() ? &report_ : nullptr, on_left(),
                                 [this](const auto& r) { report_.on_record(r); }, keys_,
                                 options_.streams ? &streams_ : nullptr,
                                 [this](stages::Capture& proof) {
                                     evidence::keep(options_.evidence, proof, report_.names(),
                                                    evidence::said_in(config_));
                                 }});
        const auto end = [&] {
            replay.finish();
            streams_.write(stdout);
            report_.add(replay.counters(), capture.frames_cut());
        };
        try {
            while (const auto frame = capture.next()) {
                replay.feed(*frame);
                progress_.show(capture, report_.verdicts());
            }
        } catch (const SetupError&) {
            end();  // What was read before the damage counts.
            throw;
        }
        end();
    }

    void resume(const std::string& path) {
        const evidence::File file(path);
        for (const stages::CapturePart& part : file.capture().parts) {
            if (!part.begun()) continue;
            evidence::play(part, evidence::configuration(file, part), wire_,
                           report_.wants_packets() ? &report_ : nullptr,
                           [this](const auto& record) { report_.on_record(record); });
        }
    }

    std::function<void(const pipeline::CapturedFrame&)> on_left() {
        if (!forwarded_) return {};
        return [this](const pipeline::CapturedFrame& frame) { forwarded_->write(frame); };
    }

    const InspectOptions& options_;
    const config::Config config_;
    const std::shared_ptr<const policy::RuleSet> rules_;
    const pipeline::PipelineFile pipeline_;
    InspectReport report_;
    const std::vector<keys::Key> keys_;
    StreamReport streams_;
    port::Eal eal_;
    pipeline::ReplayWire wire_;
    std::optional<pipeline::CaptureWriter> forwarded_;
    Progress progress_;
};

}  // namespace

void add_inspect(CLI::App& app, Command& chosen) {
    CLI::App* sub = app.add_subcommand(
        "inspect", "Read captures as if they came over the wire; no root, no hugepages.");
    const auto options = std::make_shared<InspectOptions>();
    sub->add_option("capture", options->captures,
                    "pcap or pcapng files of Ethernet, one by one; - is standard input")
        ->required();
    sub->add_option("--config", options->config,
                    "Services and policies; without it TCP port 25565 is Minecraft and UDP port "
                    "3565 Shadowland");
    sub->add_option("--service", options->services, "minecraft@10.0.0.2:25565; may be repeated")
        ->allow_extra_args(false);  // What comes next may be the capture.
    sub->add_flag("--packets{true}", options->packets,
                  "Print every decoded game packet, or --packets=NAME,NAME those named");
    sub->add_option("--format", options->format, "text for people, jsonl for programs")
        ->check(choice({"text", "jsonl"}))
        ->capture_default_str();
    std::map<std::string, config::Checksums> checksums;
    for (size_t i = 0; i < config::checksums_names.size(); ++i) {
        checksums.emplace(config::checksums_names[i], static_cast<config::Checksums>(i));
    }
    sub->add_option("--checksums", options->checksums,
                    "verify: believe no packet with a wrong sum, as a server would (unless the "
                    "configuration says otherwise); trust: for captures taken where the network "
                    "card had still to fill them in")
        ->transform(choice(checksums));
    sub->add_option("--forwarded", options->forwarded,
                    "Write what would have left the other port to this pcap file");
    sub->add_option("--keys", options->keys,
                    "Session keys of enciphered connections, one JSON object a line");
    sub->add_option("--evidence", options->evidence,
                    "Keep the packets that prove verdicts in this folder");
    sub->add_flag("--resume", options->resume,
                  "Go on from the state that evidence of this very build holds; only for files of "
                  "one's own, for that state is believed");
    sub->add_flag("--streams", options->streams,
                  "Decode nothing; print size and SHA-256 of each direction's ordered bytes");
    sub->callback(
        [options, &chosen] { chosen = [options] { return Inspection(*options).run(); }; });
}

}  // namespace portcullis::app
