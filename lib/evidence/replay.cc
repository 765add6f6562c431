#include "evidence/replay.h"

#include <algorithm>
#include <bit>

#include "base/setup_error.h"
#include "evidence/reseal.h"
#include "port/data_files.h"

namespace portcullis::evidence {

namespace {

using stages::CapturePart;
using stages::KeptFrame;
using stages::Snapshot;
using verdicts::VerdictRecord;

template <class C>
config::CheckSettings settings_of(const typename C::Settings& settings, bool enabled) {
    config::CheckSettings written;
    written.enabled = enabled;
    if constexpr (requires { C::parameters; }) {
        for (const auto& row : C::parameters) {
            written.parameters.emplace(row.name, settings.*row.member);
        }
    }
    return written;
}

/// The checks as the configuration would have them.
template <class... C>
std::map<std::string, config::CheckSettings> checks_of(checks::CheckList<C...>, const auto& from) {
    std::map<std::string, config::CheckSettings> checks;
    size_t index = 0;
    (checks.emplace(C::name,
                    settings_of<C>(std::get<typename C::Settings>(from.of), from.enabled[index++])),
     ...);
    return checks;
}

/// More than a suspect was ever told of.
constexpr uint32_t entities_per_session = 1'000;

/// What stands for the server's secrets, as far as they were known.
keys::ShadowlandSecrets open_secrets(const Snapshot& from) {
    keys::ShadowlandSecrets secrets{};
    secrets.server = from.server;
    if (from.shadowland.knows_integrity) {
        std::ranges::copy(open_integrity_secret, secrets.integrity.begin());
        secrets.integrity_size = open_integrity_secret.size();
    }
    return secrets;
}

keys::ShadowlandKey key_of(const Snapshot& from, const shadowland::Epoch& next) {
    return {from.client, from.server,   from.shadowland.session.connection_id,
            next.number, next.keys.c2s, next.keys.s2c};
}

bool same_bits(double a, double b) noexcept {
    return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
}

}  // namespace

config::Config configuration(const File& file, const CapturePart& part) {
    const Snapshot& from = part.snapshot;
    const bool shadowland = from.protocol == protocol::Protocol::shadowland;
    config::Service service;
    service.name = "evidence";
    service.protocol = from.protocol;
    service.endpoint = from.server;
    service.aoi = from.shadowland.aoi;
    service.reseal = from.shadowland.reseal;
    service.unknown_types =
        from.shadowland.pass_unknown ? config::UnknownTypes::pass : config::UnknownTypes::drop;
    config::Config config = config::offline({service});
    if (shadowland) {
        config.shadowland = config::parse(file.shadowland(), file.path()).shadowland;
        config.shadowland.session_packets_per_s = from.shadowland.session_packets_per_s;
        config.shadowland.entities_per_session = entities_per_session;
    }
    config.mode = from.mode;
    config.urgent = from.urgent;
    if (const std::string_view signatures = file.signatures(part); !signatures.empty()) {
        config.signatures_text = signatures;
        config.signatures = config::parse_signatures(config.signatures_text, file.path());
    }
    config.checksums = config::Checksums::trust;  // They were right, or not looked at.
    config.limits.flows = 64;
    config.limits.half_open = 16;
    config.limits.players = 16;
    config.limits.stream_bytes = from.stream_bytes;
    config.limits.stream_bytes_total = 64ull * from.stream_bytes;
    config::Policy& policy = config.policies.front();
    policy.act_at_confidence = static_cast<double>(from.act_at_confidence);
    policy.ladder.clear();
    for (uint32_t i = 0; i < from.rungs && i < Snapshot::rungs_max; ++i) {
        policy.ladder.push_back({static_cast<double>(from.ladder[i].level), from.ladder[i].action});
    }
    policy.checks = shadowland ? checks_of(checks::ShadowlandChecks{}, from.shadowland.settings)
                               : checks_of(checks::MinecraftChecks{}, from.settings);
    return config;
}

void play(const CapturePart& part, const config::Config& config, pipeline::ReplayWire& wire,
          stages::PacketObserver* observer, std::function<void(const VerdictRecord&)> on_record) {
    const Snapshot& from = part.snapshot;
    const bool shadowland = from.protocol == protocol::Protocol::shadowland;
    std::vector<keys::Key> secrets;
    if (shadowland) secrets.push_back(open_secrets(from));
    pipeline::Replay replay(
        {.config = config,
         .pipeline = pipeline::find_pipeline(config.pipeline, port::DataFiles(config.file)),
         .rules = policy::RuleSet::compile(config),
         .wire = wire,
         .observer = observer,
         .on_left = {},
         .on_record = std::move(on_record),
         .keys = secrets});
    if (!replay.resume(part)) throw SetupError("the state in the evidence can not be taken up");
    std::vector<std::byte> whole;
    uint32_t number = 0;
    part.each([&](const KeptFrame& kept, Bytes bytes) {
        if (shadowland && number++ == from.shadowland.next_at) {
            for (const auto& next : from.shadowland.next) {
                if (next.known) replay.give_key(key_of(from, next));
            }
        }
        // What is not there was never read.
        whole.assign(bytes.begin(), bytes.end());
        whole.resize(std::max(kept.size, kept.original));
        replay.feed({kept.time, static_cast<uint32_t>(whole.size()), whole});
    });
    replay.finish();
}

bool Retold::same() const noexcept {
    if (!found) return false;
    return stored.check == found->check && stored.time == found->time &&
           same_bits(stored.confidence, found->confidence) &&
           same_bits(stored.level, found->level) && same_bits(stored.observed, found->observed) &&
           same_bits(stored.limit, found->limit) && stored.unit == found->unit &&
           stored.note == found->note && stored.action == found->action &&
           stored.acts == found->acts;
}

std::vector<Retold> replay(const File& file, pipeline::ReplayWire& wire) {
    const stages::Capture& capture = file.capture();
    std::vector<Retold> all;
    for (size_t part = 0; part < capture.parts.size(); ++part) {
        if (!capture.proves_by(part)) continue;
        std::vector<VerdictRecord> found;
        play(capture.parts[part], configuration(file, capture.parts[part]), wire, nullptr,
             [&](const VerdictRecord& record) {
                 if (record.kind == VerdictRecord::Kind::verdict) found.push_back(record);
             });
        for (const stages::Capture::Proven& proven : capture.verdicts()) {
            if (proven.part != part) continue;
            Retold retold{proven.record, std::nullopt};
            for (const VerdictRecord& one : found) {
                if (one.check != proven.record.check || one.time != proven.record.time) continue;
                retold.found = one;
                if (retold.same()) break;
            }
            all.push_back(retold);
        }
    }
    return all;
}

}  // namespace portcullis::evidence
