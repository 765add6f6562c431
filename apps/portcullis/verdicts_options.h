#pragma once

#include <memory>
#include <string>
#include <vector>

#include "verdicts/reader.h"
#include "verdicts_print.h"

namespace portcullis::app {

/// What `portcullis verdicts` was asked, whatever the subcommand.
struct VerdictOptions {
    std::string log, config;
    std::string player, check, address, since, until;
    double min_confidence = 0;
    Listing format = Listing::text;
    size_t last = 0;  ///< Only so many, the newest; 0: all.
    bool everything = false;
    bool outcomes = false;  ///< Behind each verdict what became of its actions.
    bool paged = true;      ///< On a terminal.
    std::string id;
    std::string evidence;         ///< A folder, or a file to write.
    std::vector<std::string> by;  ///< What `stats` counts by.
    size_t top = 20;              ///< Rows of each of its tables; 0: all.
};

/// Where the log is, and where its evidence.
std::string log_path(const VerdictOptions& options);
std::string evidence_path(const VerdictOptions& options);
/// Throws UsageError: a moment or an address that is none, a check that neither this
/// version nor the log knows.  Says on stderr when the log knows no such player.
verdicts::Query query_of(const VerdictOptions& options, const verdicts::Reader& reader);
/// On stderr.
void warn_of_unreadable(const verdicts::Reader& reader);

/// `verdicts stats`.
int verdict_stats(const VerdictOptions& options);
/// What it can count by.
std::vector<std::string> stats_words();

}  // namespace portcullis::app
