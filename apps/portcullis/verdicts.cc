#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/setup_error.h"
#include "commands.h"
#include "config/config.h"
#include "verdicts/json.h"
#include "verdicts/reader.h"

namespace portcullis::app {

namespace {

using verdicts::Entry;
using verdicts::Outcome;
using verdicts::VerdictRecord;

enum class Format : uint8_t { text, jsonl, csv };

/// What the command line said.
struct Options {
    std::string log, config;
    std::string player, check, address, since, until;
    double min_confidence = 0;
    Format format = Format::text;
    size_t last = 0;  ///< Only so many, the newest; 0: all.
    bool everything = false;
    std::string id;
};

std::string path_of(const Options& options) {
    if (!options.log.empty()) return options.log;
    return options.config.empty() ? config::VerdictLog{}.path
                                  : config::load(options.config).verdict_log.path;
}

/// A moment, or "90s", "15m", "2h", "7d": that long ago.
Nanos moment(const std::string& option, const std::string& text) {
    if (const auto time = verdicts::parse_time(text)) return *time;
    uint32_t count = 0;
    const char* end = text.data() + text.size();
    const auto [unit, error] = std::from_chars(text.data(), end, count);
    if (error == std::errc{} && unit + 1 == end) {
        const Nanos now = std::chrono::system_clock::now().time_since_epoch();
        switch (*unit) {
            case 's':
                return now - std::chrono::seconds(count);
            case 'm':
                return now - std::chrono::minutes(count);
            case 'h':
                return now - std::chrono::hours(count);
            case 'd':
                return now - std::chrono::hours(24) * count;
            default:
                break;
        }
    }
    throw UsageError(option + " " + text +
                     ": give a moment like 2026-11-20T03:21:07Z, or a time ago like 90s, 15m, 2h "
                     "or 7d");
}

verdicts::Query query_of(const Options& options) {
    verdicts::Query query;
    query.player = options.player;
    query.check = options.check;
    query.min_confidence = options.min_confidence;
    query.verdicts_only = !options.everything;
    if (!options.since.empty()) query.since = moment("--since", options.since);
    if (!options.until.empty()) query.until = moment("--until", options.until);
    if (!options.address.empty()) {
        query.address = parse_prefix(options.address);
        if (!query.address) {
            throw UsageError("--address " + options.address +
                             ": give an address, or a prefix like 198.51.100.0/24");
        }
    }
    return query;
}

constexpr std::string_view csv_head =
    "type,id,time,service,protocol,client,server,player,uuid,version,check,confidence,level,"
    "action,mode,observed,limit,unit,note,repeats,reason,address";

/// RFC 4180: quoted when it holds what would end a field.
void append_csv(std::string& out, std::string_view text) {
    if (!out.empty() && out.back() != '\n') out += ',';
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
        out += text;
        return;
    }
    out += '"';
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

std::string number(auto value) {
    std::string text;
    verdicts::append_json_number(text, value);
    return text;
}

std::string_view kind_name(VerdictRecord::Kind kind) {
    switch (kind) {
        case VerdictRecord::Kind::verdict:
            return "verdict";
        case VerdictRecord::Kind::login:
            return "login";
        case VerdictRecord::Kind::disconnect:
            return "disconnect";
        case VerdictRecord::Kind::opaque:
            return "opaque";
        case VerdictRecord::Kind::outcome:
        case VerdictRecord::Kind::count:
            break;
    }
    return "unknown";
}

void append_csv_row(std::string& out, const Entry& entry) {
    const VerdictRecord& record = entry.record;
    const bool verdict = record.kind == VerdictRecord::Kind::verdict;
    append_csv(out, kind_name(record.kind));
    append_csv(out, verdicts::to_string(entry.id()));
    append_csv(out, verdicts::time_text(record.time));
    append_csv(out, entry.service);
    append_csv(out, name_in(protocol::protocol_names, record.protocol));
    append_csv(out, to_string(record.client));
    append_csv(out, to_string(record.server));
    append_csv(out, record.player.name.view());
    append_csv(out, verdicts::uuid_text(record.player.uuid));
    append_csv(out, std::to_string(record.player.version));
    append_csv(out, entry.check);
    append_csv(out, verdict ? number(record.confidence) : "");
    append_csv(out, verdict ? number(record.level) : "");
    append_csv(out, verdict ? name_in(policy::action_names, record.action) : "");
    append_csv(out, verdict ? name_in(verdicts::mode_names, record.mode) : "");
    append_csv(out, verdict ? number(record.observed) : "");
    append_csv(out, verdict ? number(record.limit) : "");
    append_csv(out, record.unit.view());
    append_csv(out, record.note.view());
    append_csv(out, verdict ? std::to_string(record.repeats) : "");
    append_csv(out, record.kind == VerdictRecord::Kind::disconnect
                        ? name_in(verdicts::end_reason_names, record.end)
                        : "");
    append_csv(out, record.player.address_told() ? to_string(record.player.address) : "");
}

void print(const Entry& entry, Format format) {
    std::string line;
    switch (format) {
        case Format::text:
            verdicts::append_text(line, entry.record, entry.check, entry.service);
            break;
        case Format::jsonl:
            verdicts::append_json(line, entry.record, entry.check, entry.service);
            break;
        case Format::csv:
            append_csv_row(line, entry);
            break;
    }
    std::cout << line << '\n';
}

void print(const Outcome& outcome, Format format) {
    std::string line;
    const auto target = name_in(verdicts::target_names, outcome.target);
    const auto result = name_in(verdicts::result_names, outcome.result);
    if (format == Format::jsonl) {
        line = "{\"type\":\"outcome\",\"verdict\":\"" + verdicts::to_string(outcome.verdict) +
               "\",\"time\":\"" + verdicts::time_text(outcome.time) + "\",\"target\":\"" +
               std::string(target) + "\",\"place\":" + std::to_string(outcome.place) +
               ",\"result\":\"" + std::string(result) +
               "\",\"attempts\":" + std::to_string(outcome.attempts) + ",\"detail\":";
        verdicts::append_json_string(line, outcome.detail.view());
        line += '}';
    } else {
        line = verdicts::time_text(outcome.time) + "  " + std::string(target) + ' ' +
               std::to_string(outcome.place) + ": " + std::string(result) + " after " +
               std::to_string(outcome.attempts) + " tries";
        // Quoted: a server's answer must not steer a terminal.
        if (!outcome.detail.empty()) {
            line += ": ";
            verdicts::append_json_string(line, outcome.detail.view());
        }
    }
    std::cout << line << '\n';
}

void warn_of_unreadable(const verdicts::Reader& reader) {
    if (reader.unreadable() == 0) return;
    std::cerr << reader.unreadable()
              << " entries could not be read: damaged, or written by a newer version\n";
}

int list(const Options& options) {
    const verdicts::Reader reader(path_of(options));
    verdicts::Query query = query_of(options);
    if (options.format == Format::csv) std::cout << csv_head << '\n';
    std::vector<Entry> newest;
    query.newest_first = options.last > 0;
    reader.each(query, [&](const Entry& entry) {
        if (options.last == 0) {
            print(entry, options.format);
            return std::cout.good();
        }
        newest.push_back(entry);
        return newest.size() < options.last;
    });
    for (auto it = newest.rbegin(); it != newest.rend(); ++it) print(*it, options.format);
    std::cout.flush();
    warn_of_unreadable(reader);
    return std::cout.good() ? 0 : 1;
}

int show(const Options& options) {
    const auto id = verdicts::parse_id(options.id);
    if (!id)
        throw UsageError(options.id + " is not an id, as `verdicts list --format jsonl` has it");
    const verdicts::Reader reader(path_of(options));
    const auto entry = reader.find(*id);
    if (!entry) {
        warn_of_unreadable(reader);
        throw SetupError("no entry has the id " + options.id +
                         "; it may be older than the log keeps");
    }
    print(*entry, options.format);
    for (const Outcome& outcome : reader.outcomes(*id)) print(outcome, options.format);
    return 0;
}

void add_where(CLI::App& sub, Options& options) {
    auto* log = sub.add_option("--log", options.log, "The verdict log's directory");
    sub.add_option("--config", options.config, "The configuration that names the log")
        ->excludes(log);
}

void add_format(CLI::App& sub, Options& options, bool with_csv) {
    std::map<std::string, Format> formats{{"text", Format::text}, {"jsonl", Format::jsonl}};
    if (with_csv) formats.emplace("csv", Format::csv);
    sub.add_option("--format", options.format, "How to print")
        ->transform(CLI::CheckedTransformer(formats))
        ->default_str(options.format == Format::text ? "text" : "jsonl");
}

void add_filters(CLI::App& sub, Options& options) {
    sub.add_option("--player", options.player, "Name in any case, or UUID");
    sub.add_option("--check", options.check, "family.name");
    sub.add_option("--address", options.address,
                   "The client's address, his own or the proxy's, or a prefix");
    sub.add_option("--since", options.since, "From this moment on, or 2h: two hours ago");
    sub.add_option("--until", options.until, "Before this moment");
    sub.add_option("--min-confidence", options.min_confidence, "Verdicts this sure or surer")
        ->check(CLI::Range(0.0, 1.0));
    sub.add_option("--last", options.last, "Only so many, the newest");
}

using Work = int (*)(const Options&);

std::shared_ptr<Options> add(CLI::App& verdicts, Command& chosen, const std::string& name,
                             const std::string& help, Work work, Format format) {
    CLI::App* sub = verdicts.add_subcommand(name, help);
    const auto options = std::make_shared<Options>();
    options->format = format;
    add_where(*sub, *options);
    add_format(*sub, *options, work == list);
    sub->callback(
        [options, work, &chosen] { chosen = [options, work] { return work(*options); }; });
    return options;
}

}  // namespace

void add_verdicts(CLI::App& app, Command& chosen) {
    CLI::App* verdicts = app.add_subcommand(
        "verdicts", "Read the verdict log, also while the appliance writes to it.");
    verdicts->require_subcommand(1);

    const auto listed =
        add(*verdicts, chosen, "list", "Print verdicts, oldest first.", list, Format::text);
    add_filters(*verdicts->get_subcommand("list"), *listed);
    verdicts->get_subcommand("list")->add_flag("--all", listed->everything,
                                               "Logins, disconnects and opaque connections too");

    const auto shown = add(*verdicts, chosen, "show", "Print one entry and what was done about it.",
                           show, Format::text);
    verdicts->get_subcommand("show")->add_option("id", shown->id, "Its id")->required();

    const auto exported =
        add(*verdicts, chosen, "export", "Print all records for a program.", list, Format::jsonl);
    exported->everything = true;
    add_filters(*verdicts->get_subcommand("export"), *exported);
}

}  // namespace portcullis::app
