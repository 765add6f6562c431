#include "verdicts_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <iostream>
#include <set>
#include <string_view>

#include "base/concat.h"
#include "base/setup_error.h"
#include "base/wall_clock.h"
#include "checks/all.h"
#include "config/config.h"
#include "config/problems.h"
#include "verdicts/json.h"

namespace portcullis::app {

namespace {

/// A moment, or "90s", "15m", "2h", "7d": that long ago.
Nanos moment(const std::string& option, const std::string& text) {
    if (const auto time = verdicts::parse_time(text)) return *time;
    uint32_t count = 0;
    const char* end = text.data() + text.size();
    const auto [unit, error] = std::from_chars(text.data(), end, count);
    constexpr std::string_view units = "smhd";
    constexpr std::array<int64_t, units.size()> seconds = {1, 60, 3'600, 86'400};
    const size_t which = error == std::errc{} && unit + 1 == end ? units.find(*unit) : units.npos;
    if (which != units.npos) {
        const Nanos now = wall_clock();
        const std::chrono::seconds ago(count * seconds[which]);
        if (ago <= std::chrono::duration_cast<std::chrono::seconds>(now)) return now - ago;
        throw UsageError(concat(option, " ", text,
                                ": that is before 1970, longer ago than a log "
                                "can reach; leave it out for all that there is"));
    }
    throw UsageError(concat(option, " ", text,
                            ": give a moment in UTC like 2026-11-20T03:21:07Z, or a time ago like "
                            "90s, 15m, 2h or 7d"));
}

/// An answer of nothing would say that there was nothing.
void expect_time_between(const VerdictOptions& options, const verdicts::Query& query) {
    if (query.since && query.until && *query.since >= *query.until) {
        throw UsageError(concat("--since ", options.since, " is not before --until ", options.until,
                                ": nothing lies between them"));
    }
    const Nanos now = wall_clock();
    if (query.since && *query.since > now) {
        std::cerr << "--since " << options.since << " is in the future: it is "
                  << verdicts::time_text(now) << '\n';
    }
}

/// What is wrong with the file elsewhere need not keep anybody from the log.
config::VerdictLog configured_in(const std::string& file) {
    try {
        return config::load(file).verdict_log;
    } catch (const UsageError& error) {
        throw UsageError(concat(error.what(), "\nwithout it, --log PATH names the log"));
    }
}

config::VerdictLog configured(const VerdictOptions& options) {
    config::VerdictLog log;
    if (!options.config.empty()) log = configured_in(options.config);
    if (!options.log.empty()) log.path = options.log;
    return log;
}

bool holds(const verdicts::Reader& reader, const verdicts::Query& query) {
    bool any = false;
    reader.each(query, [&](const verdicts::Entry&) {
        any = true;
        return false;
    });
    return any;
}

/// An older version may have had checks that this one has not.
void expect_check(const std::string& check, const verdicts::Reader& reader) {
    const std::vector<std::string> known(checks::check_names.begin(), checks::check_names.end());
    if (check.empty() || std::ranges::find(known, check) != known.end()) return;
    verdicts::Query query;
    query.check = check;
    if (holds(reader, query)) return;
    throw UsageError(concat(
        "--check ", config::in_quotes(check), ": there is no such check, nor has the log one",
        config::suggestion(check, known), "; allowed: ", config::alternatives(known)));
}

/// Whose name in the newest part of the log is nearest.
std::string nearest_player(const std::string& player, const verdicts::Reader& reader) {
    constexpr size_t looked_at_max = 100'000;
    size_t looked_at = 0;
    std::set<std::string> names;
    verdicts::Query query;
    query.newest_first = true;
    reader.each(query, [&](const verdicts::Entry& entry) {
        names.emplace(entry.record.player.name.view());
        return ++looked_at < looked_at_max;
    });
    return config::suggestion(player, std::vector<std::string>(names.begin(), names.end()));
}

/// That there is nothing about somebody may be the answer; it may be a slip, too.
void look_for_player(const std::string& player, const verdicts::Reader& reader) {
    if (player.empty()) return;
    verdicts::Query query;
    query.player = player;
    if (holds(reader, query)) return;
    std::cerr << "the log knows no player " << config::in_quotes(player)
              << nearest_player(player, reader) << '\n';
}

}  // namespace

std::string log_path(const VerdictOptions& options) { return configured(options).path; }
std::string evidence_path(const VerdictOptions& options) {
    return configured(options).evidence_path();
}

verdicts::Query query_of(const VerdictOptions& options, const verdicts::Reader& reader) {
    verdicts::Query query;
    query.player = options.player;
    query.check = options.check;
    query.min_confidence = options.min_confidence;
    query.verdicts_only = !options.everything;
    if (!options.since.empty()) query.since = moment("--since", options.since);
    if (!options.until.empty()) query.until = moment("--until", options.until);
    expect_time_between(options, query);
    if (!options.address.empty()) {
        query.address = parse_prefix(options.address);
        if (!query.address) {
            throw UsageError(concat("--address ", options.address,
                                    ": give an address, or a prefix like 198.51.100.0/24"));
        }
    }
    expect_check(options.check, reader);
    look_for_player(options.player, reader);
    return query;
}

void warn_of_unreadable(const verdicts::Reader& reader) {
    if (reader.unreadable() == 0) return;
    std::cerr << reader.unreadable()
              << " entries could not be read: damaged, or written by a newer version\n";
}

}  // namespace portcullis::app
