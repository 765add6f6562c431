#include "verdicts_options.h"

#include <charconv>
#include <chrono>
#include <iostream>

#include "base/concat.h"
#include "base/setup_error.h"
#include "config/config.h"
#include "verdicts/json.h"

namespace portcullis::app {

namespace {

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
    throw UsageError(concat(option, " ", text,
                            ": give a moment like 2026-11-20T03:21:07Z, or a time ago like 90s, "
                            "15m, 2h or 7d"));
}

config::VerdictLog configured(const VerdictOptions& options) {
    config::VerdictLog log;
    if (!options.config.empty()) log = config::load(options.config).verdict_log;
    if (!options.log.empty()) log.path = options.log;
    return log;
}

}  // namespace

std::string log_path(const VerdictOptions& options) { return configured(options).path; }
std::string evidence_path(const VerdictOptions& options) {
    return configured(options).evidence_path();
}

verdicts::Query query_of(const VerdictOptions& options) {
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
            throw UsageError(concat("--address ", options.address,
                                    ": give an address, or a prefix like 198.51.100.0/24"));
        }
    }
    return query;
}

void warn_of_unreadable(const verdicts::Reader& reader) {
    if (reader.unreadable() == 0) return;
    std::cerr << reader.unreadable()
              << " entries could not be read: damaged, or written by a newer version\n";
}

}  // namespace portcullis::app
