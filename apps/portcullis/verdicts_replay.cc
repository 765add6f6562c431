#include "verdicts_replay.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "base/concat.h"
#include "base/setup_error.h"
#include "checks/all.h"
#include "evidence/replay.h"
#include "evidence/store.h"
#include "pipeline/replay.h"
#include "port/eal.h"
#include "verdicts/json.h"
#include "verdicts/reader.h"

namespace portcullis::app {

namespace {

using evidence::Retold;
using verdicts::VerdictId;
using verdicts::VerdictRecord;

/// What is to be replayed: a file, and of the verdicts in it one or all.
struct Job {
    std::string path;
    std::optional<VerdictId> only;
};

std::vector<Job> jobs(const ReplayOptions& options) {
    std::vector<Job> all;
    for (const std::string& what : options.what) {
        if (const auto id = verdicts::parse_id(what)) {
            all.push_back({evidence::path_of(options.evidence, *id), id});
        } else {
            all.push_back({what, std::nullopt});
        }
    }
    if (options.all) {
        std::error_code failed;
        for (const auto& entry : std::filesystem::directory_iterator(options.evidence, failed)) {
            const auto id = verdicts::parse_id(entry.path().stem().string());
            if (id) all.push_back({entry.path(), id});
        }
        if (failed) {
            throw SetupError(concat(options.evidence, ": can not be read: ", failed.message()));
        }
        std::ranges::sort(all, {}, &Job::path);
    }
    return all;
}

/// What the log says of it, if there is a log that knows it.
class Log {
public:
    explicit Log(const std::string& path) {
        if (!path.empty() && std::filesystem::exists(path)) reader_.emplace(path);
    }
    /// Whether evidence and log speak of the same.
    bool agrees(const VerdictRecord& stored) const {
        if (!reader_) return true;
        const auto entry = reader_->find({stored.id_high, stored.id_low});
        if (!entry) return true;  // Older than the log keeps.
        return entry->check == checks::check_names[stored.check] &&
               entry->record.confidence == stored.confidence &&
               entry->record.observed == stored.observed && entry->record.limit == stored.limit;
    }

private:
    std::optional<verdicts::Reader> reader_;
};

std::string json_of(const std::optional<VerdictRecord>& record) {
    if (!record) return "null";
    constexpr std::string_view services[] = {"evidence"};
    VerdictRecord named = *record;
    named.service = 0;
    return verdicts::to_json(named, {checks::check_names, services});
}

std::string number(auto value) {
    std::string text;
    verdicts::append_json_number(text, value);
    return text;
}

std::string text_of(const VerdictRecord& record) {
    return concat(checks::check_names[record.check], ", confidence ", number(record.confidence),
                  ", observed ", number(record.observed), ", limit ", number(record.limit), " ",
                  record.unit.view(), ", level ", number(record.level), ", ",
                  name_in(policy::action_names, record.action));
}

void print(const Retold& retold, bool agrees, const Job& job, bool jsonl) {
    const bool same = retold.same() && agrees;
    const std::string id = to_string(VerdictId{retold.stored.id_high, retold.stored.id_low});
    std::string line;
    if (jsonl) {
        line = concat(R"({"type":"replay","id":")", id, R"(","same":)", same ? "true" : "false",
                      R"(,"file":)");
        verdicts::append_json_string(line, job.path);
        line += concat(R"(,"stored":)", json_of(retold.stored), R"(,"found":)",
                       json_of(retold.found), "}");
    } else {
        line = concat(same ? "same     " : "DIFFERS  ", id, "  ", text_of(retold.stored));
        if (!same && retold.found) line += concat("\n         now: ", text_of(*retold.found));
        if (!retold.found) line += "\n         now: not found";
        if (!agrees) line += "\n         the verdict log says otherwise than the evidence";
    }
    std::cout << line << '\n';
}

}  // namespace

int replay_verdicts(const ReplayOptions& options) {
    const std::vector<Job> all = jobs(options);
    if (all.empty()) {
        throw UsageError("name verdicts by id, or files of evidence, or give --all");
    }
    for (const Job& job : all) {
        if (std::filesystem::exists(job.path)) continue;
        throw SetupError(concat(job.path,
                                ": there is no evidence; only verdicts that act as "
                                "verdict_log.evidence.from says, or graver, have some, "
                                "and it may be older than is kept"));
    }
    const Log log(options.log);
    port::Eal eal(pipeline::offline_eal());
    pipeline::ReplayWire wire;
    size_t same = 0, count = 0;
    for (const Job& job : all) {
        for (const Retold& retold : evidence::replay(evidence::File(job.path), wire)) {
            const VerdictId id{retold.stored.id_high, retold.stored.id_low};
            if (job.only && id != *job.only) continue;
            const bool agrees = log.agrees(retold.stored);
            print(retold, agrees, job, options.jsonl);
            same += retold.same() && agrees ? 1 : 0;
            ++count;
        }
    }
    if (!options.jsonl && count > 1) {
        std::cout << same << " of " << count << " verdicts came out the same\n";
    }
    return same == count && count > 0 ? 0 : 1;
}

}  // namespace portcullis::app
