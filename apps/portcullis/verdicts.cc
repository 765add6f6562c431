#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/concat.h"
#include "base/setup_error.h"
#include "choice.h"
#include "commands.h"
#include "config/config.h"
#include "evidence/store.h"
#include "pager.h"
#include "verdicts/reader.h"
#include "verdicts/repair.h"
#include "verdicts_options.h"
#include "verdicts_replay.h"

namespace portcullis::app {

namespace {

namespace fs = std::filesystem;
using verdicts::Entry;
using verdicts::Outcome;

/// Of a verdict's evidence; 0: it has none.
uint64_t evidence_size(const std::string& path) {
    std::error_code failed;
    const uintmax_t size = fs::file_size(path, failed);
    return failed ? 0 : size;
}

/// Copies what evidence there is of the entries that are exported.
class EvidenceCopy {
public:
    EvidenceCopy(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to)) {
        if (to_.empty()) return;
        std::error_code failed;
        fs::create_directories(to_, failed);
        if (failed) throw SetupError(concat(to_, ": can not be made: ", failed.message()));
    }
    void copy(const Entry& entry) const {
        if (to_.empty()) return;
        const std::string path = evidence::path_of(from_, entry.id());
        if (evidence_size(path) == 0) return;
        std::error_code failed;
        fs::copy_file(path, evidence::path_of(to_, entry.id()),
                      fs::copy_options::overwrite_existing, failed);
        if (failed) throw SetupError(concat(path, ": can not be copied: ", failed.message()));
    }

private:
    std::string from_, to_;
};

int list(const VerdictOptions& options) {
    const verdicts::Reader reader(log_path(options));
    verdicts::Query query = query_of(options, reader);
    const EvidenceCopy evidence(evidence_path(options), options.evidence);
    const Pager pager(options.paged);
    const Printer printer(options.format, pager.colours(), options.outcomes);
    const auto print = [&](const Entry& entry) {
        printer.entry(entry);
        if (options.outcomes && entry.record.kind == verdicts::VerdictRecord::Kind::verdict) {
            for (const Outcome& outcome : reader.outcomes(entry.id())) printer.outcome(outcome);
        }
        evidence.copy(entry);
    };
    printer.head();
    std::vector<Entry> newest;
    query.newest_first = options.last > 0;
    reader.each(query, [&](const Entry& entry) {
        if (options.last == 0) {
            print(entry);
            return std::cout.good();
        }
        newest.push_back(entry);
        return newest.size() < options.last;
    });
    for (auto it = newest.rbegin(); it != newest.rend(); ++it) print(*it);
    std::cout.flush();
    warn_of_unreadable(reader);
    return 0;
}

verdicts::VerdictId id_of(const VerdictOptions& options) {
    const auto id = verdicts::parse_id(options.id);
    if (id) return *id;
    throw UsageError(concat(options.id, " is not an id, as `verdicts list --format jsonl` has it"));
}

int show(const VerdictOptions& options) {
    const auto id = id_of(options);
    const verdicts::Reader reader(log_path(options));
    const Pager pager(options.paged);
    const Printer printer(options.format, pager.colours());
    const auto entry = reader.find(id);
    if (!entry) {
        warn_of_unreadable(reader);
        throw SetupError(
            concat("no entry has the id ", options.id, "; it may be older than the log keeps"));
    }
    printer.entry(*entry);
    for (const Outcome& outcome : reader.outcomes(id)) printer.outcome(outcome);
    if (entry->record.kind == verdicts::VerdictRecord::Kind::verdict) {
        const std::string path = evidence::path_of(evidence_path(options), id);
        printer.evidence(id, path, evidence_size(path));
    }
    return 0;
}

int copy_evidence(const VerdictOptions& options) {
    const std::string path = evidence::path_of(evidence_path(options), id_of(options));
    if (evidence_size(path) == 0) {
        throw SetupError(
            concat("there is no evidence of ", options.id, ": ", path, " is not there"));
    }
    std::error_code failed;
    fs::copy_file(path, options.evidence, fs::copy_options::overwrite_existing, failed);
    if (failed) throw SetupError(concat(options.evidence, ": ", failed.message()));
    return 0;
}

int replay(const VerdictOptions& options, ReplayOptions asked) {
    // A folder of evidence may stand alone.
    const bool alone = !asked.evidence.empty() && options.log.empty() && options.config.empty();
    if (!alone) asked.log = log_path(options);
    if (asked.evidence.empty()) asked.evidence = evidence_path(options);
    asked.jsonl = options.format == Listing::jsonl;
    return replay_verdicts(asked);
}

int repair(const VerdictOptions& options) {
    const std::string path = log_path(options);
    const verdicts::Repaired repaired = verdicts::repair(path);
    for (const std::string& line : repaired.said) std::cerr << "lost: " << line << '\n';
    std::cout << repaired.entries << " entries can be read; what was taken away is in " << path
              << "/lost\n";
    return 0;
}

// ---- The command line ----

void add_where(CLI::App& sub, VerdictOptions& options) {
    auto* log = sub.add_option("--log", options.log, "The verdict log's directory");
    sub.add_option("--config", options.config, "The configuration that names the log")
        ->excludes(log);
}

void add_format(CLI::App& sub, VerdictOptions& options, bool with_csv) {
    std::map<std::string, Listing> formats{{"text", Listing::text}, {"jsonl", Listing::jsonl}};
    if (with_csv) formats.emplace("csv", Listing::csv);
    sub.add_option("--format", options.format, "How to print")
        ->transform(choice(formats))
        ->default_str(options.format == Listing::text ? "text" : "jsonl");
}

void add_filters(CLI::App& sub, VerdictOptions& options) {
    sub.add_option("--player", options.player, "Name in any case, or UUID");
    sub.add_option("--check", options.check, "family.name");
    sub.add_option("--address", options.address,
                   "The client's address, his own or the proxy's, or a prefix");
    sub.add_option("--since", options.since, "From this moment (UTC) on, or 2h: two hours ago");
    sub.add_option("--until", options.until, "Before this moment (UTC)");
    sub.add_option("--min-confidence", options.min_confidence, "Verdicts this sure or surer")
        ->check(CLI::Range(0.0, 1.0));
}

void add_pager(CLI::App& sub, VerdictOptions& options) {
    sub.add_flag("!--no-pager", options.paged, "On a terminal, print without $PAGER or less");
}

struct Subcommand {
    CLI::App* app;
    std::shared_ptr<VerdictOptions> options;
};

Subcommand add(CLI::App& verdicts, const std::string& name, const std::string& help, Listing format,
               bool with_csv) {
    const Subcommand sub{verdicts.add_subcommand(name, help), std::make_shared<VerdictOptions>()};
    sub.options->format = format;
    add_where(*sub.app, *sub.options);
    add_format(*sub.app, *sub.options, with_csv);
    return sub;
}

void does(const Subcommand& sub, Command& chosen, int (*work)(const VerdictOptions&)) {
    sub.app->callback([options = sub.options, work, &chosen] {
        chosen = [options, work] { return work(*options); };
    });
}

void add_replay(CLI::App& verdicts, Command& chosen) {
    const Subcommand sub =
        add(verdicts, "replay", "Run the packets of verdicts through this build and compare.",
            Listing::text, false);
    const auto asked = std::make_shared<ReplayOptions>();
    sub.app->add_option("what", asked->what, "Ids of verdicts, or files of evidence");
    sub.app->add_flag("--all", asked->all, "All that there is evidence of");
    sub.app->add_option("--evidence", asked->evidence, "The folder of the evidence");
    sub.app->callback([options = sub.options, asked, &chosen] {
        chosen = [options, asked] { return replay(*options, *asked); };
    });
}

}  // namespace

void add_verdicts(CLI::App& app, Command& chosen) {
    CLI::App* verdicts = app.add_subcommand(
        "verdicts", "Read the verdict log, also while the appliance writes to it.");
    verdicts->require_subcommand(1);

    const auto listed =
        add(*verdicts, "list", "Print verdicts, oldest first.", Listing::text, true);
    add_filters(*listed.app, *listed.options);
    listed.app->add_option("--last", listed.options->last, "Only so many, the newest");
    listed.app->add_flag("--all", listed.options->everything,
                         "Logins, disconnects and opaque connections too");
    add_pager(*listed.app, *listed.options);
    does(listed, chosen, list);

    const auto shown = add(*verdicts, "show",
                           "Print one entry, what was done about it, and where its evidence is.",
                           Listing::text, false);
    shown.app->add_option("id", shown.options->id, "Its id")->required();
    add_pager(*shown.app, *shown.options);
    does(shown, chosen, show);

    const auto exported =
        add(*verdicts, "export", "Print all records for a program.", Listing::jsonl, true);
    exported.options->everything = true;
    add_filters(*exported.app, *exported.options);
    exported.app->add_option("--last", exported.options->last, "Only so many, the newest");
    exported.app->add_option("--evidence", exported.options->evidence,
                             "Copy what evidence there is of them into this folder");
    exported.app->add_flag("--outcomes", exported.options->outcomes,
                           "Behind each verdict what became of its actions");
    add_pager(*exported.app, *exported.options);
    does(exported, chosen, list);

    const auto counted = add(*verdicts, "stats", "Count verdicts.", Listing::text, true);
    add_filters(*counted.app, *counted.options);
    counted.app
        ->add_option("--by", counted.options->by,
                     "What to count by, commas between; otherwise action, check, player, hour")
        ->delimiter(',')
        ->check(choice(stats_words()));
    counted.app->add_option("--top", counted.options->top, "Rows of each table; 0: all")
        ->capture_default_str();
    add_pager(*counted.app, *counted.options);
    does(counted, chosen, verdict_stats);

    const auto copied = add(*verdicts, "evidence", "Write the packets of one verdict as pcapng.",
                            Listing::text, false);
    copied.app->add_option("id", copied.options->id, "Its id")->required();
    copied.app->add_option("-o,--output", copied.options->evidence, "The file to write")
        ->required();
    does(copied, chosen, copy_evidence);

    add_replay(*verdicts, chosen);

    const Subcommand repaired{
        verdicts->add_subcommand("repair",
                                 "Make a damaged log readable again; the appliance must not run."),
        std::make_shared<VerdictOptions>()};
    add_where(*repaired.app, *repaired.options);
    does(repaired, chosen, repair);
}

}  // namespace portcullis::app
