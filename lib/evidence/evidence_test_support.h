#pragma once

// What tests of evidence stand on: a directory of their own, a configuration under which each
// finding is recorded, and suspects that are made up.

#include <chrono>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

#include <stdlib.h>

#include "evidence/store.h"
#include "records/id.h"
#include "stages/testing/game.h"

namespace portcullis::evidence::testing {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using verdicts::VerdictId;
using verdicts::VerdictRecord;

class TestDirectory {
public:
    TestDirectory() {
        std::string path = (fs::temp_directory_path() / "portcullis-evidence-XXXXXX").string();
        if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = path;
    }
    ~TestDirectory() { fs::remove_all(path_); }
    TestDirectory(const TestDirectory&) = delete;
    TestDirectory& operator=(const TestDirectory&) = delete;
    std::string operator/(const std::string& name) const { return path_ / name; }

private:
    fs::path path_;
};

inline Nanos now() { return std::chrono::system_clock::now().time_since_epoch(); }

inline config::Config watchful() {
    config::Config config = stages::testing::configuration();
    config.policies[0].ladder = {{0.1, policy::Action::alert}, {6, policy::Action::kick}};
    config.verdict_log.evidence.players = 2;
    return config;
}

inline const std::string advertising =
    "signatures:\n"
    "  - { name: invite, pattern: 'discord\\.gg/[a-z]+', fields: [chat], confidence: 0.96 }\n"
    "  - { name: shouting, pattern: '^[A-Z ]{4,}$', fields: [chat], caseless: false,\n"
    "      confidence: 0.9700000286102295 }\n";

inline config::Config with_signatures(const std::string& text) {
    config::Config config = watchful();
    config.signatures_text = text;
    if (!text.empty()) config.signatures = config::parse_signatures(text, "signatures.yaml");
    return config;
}

/// Suspects that are made up: one packet, one verdict each.
class Crowd {
public:
    explicit Crowd(uint32_t run, const config::Config& config = watchful())
        : config_(config), ids_(0, run) {}

    stages::EvidenceRecorder& recorder() { return recorder_; }
    VerdictRecord one() {
        Flow flow;
        const Nanos time = now();
        recorder_.suspect(flow, time);
        Packet packet;
        packet.flow = &flow;
        packet.frame = frame_.data();
        packet.frame_size = static_cast<uint32_t>(frame_.size());
        packet.time = time;
        recorder_.packet({flow, session_, watched_, rules_->policy_of(0), time}, packet);
        VerdictRecord record;
        const VerdictId id = ids_.next(time);
        record.id_high = id.high;
        record.id_low = id.low;
        record.time = time;
        record.acts = true;
        record.action = policy::Action::kick;
        record.player.name.assign("Alice");
        recorder_.owe(flow, record);
        recorder_.flow_ended(flow);
        return record;
    }

private:
    config::Config config_;
    std::unique_ptr<const policy::RuleSet> rules_ = policy::RuleSet::compile(config_);
    stages::Counters counters_;
    stream::StreamPool streams_{1 << 20, 16'384};
    stages::EvidenceRecorder recorder_{config_, 0, counters_, streams_};
    minecraft::Session session_;
    stages::Watched watched_;
    std::array<std::byte, 60> frame_{};
    verdicts::IdSource ids_;
};

inline Store::Settings settings(const std::string& directory) {
    Store::Settings settings;
    settings.directory = directory;
    settings.look_every = 1ms;
    settings.patience = 100ms;
    return settings;
}

inline uint64_t outcome(const Store& store, std::string_view name) {
    for (const auto& one : store.status().outcomes) {
        if (one.outcome == name) return one.count;
    }
    return ~0ull;
}

inline bool eventually(const std::function<bool()>& done) {
    for (int i = 0; i < 1000 && !done(); ++i) std::this_thread::sleep_for(10ms);
    return done();
}

inline bool there(const std::string& directory, const VerdictRecord& record) {
    return fs::exists(path_of(directory, {record.id_high, record.id_low}));
}

}  // namespace portcullis::evidence::testing
