#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <set>

#include "base/concat.h"
#include "base/setup_error.h"
#include "base/utf8.h"
#include "pager.h"
#include "verdicts/json.h"
#include "verdicts_options.h"

namespace portcullis::app {

namespace {

using verdicts::Entry;

/// What is counted of the verdicts that have one thing in common.
struct Sum {
    uint64_t verdicts = 0;
    uint64_t findings = 0;  ///< With those that were not worth a record of their own.
    uint64_t decided = 0;   ///< Sure enough for the ladder's action, in whatever mode.
    uint64_t acted = 0;     ///< Of those with enforce: what did more than tell people.
    float confidence_max = 0, level_max = 0;
    Nanos first{}, last{};
    std::set<std::string, std::less<>> players;  ///< Who was in the game.

    void add(const Entry& entry) {
        const verdicts::VerdictRecord& record = entry.record;
        if (verdicts == 0) first = record.time;
        ++verdicts;
        findings += 1 + record.repeats;
        const bool enforced = record.mode == verdicts::Mode::enforce;
        decided += record.acts ? 1 : 0;
        acted += record.acts && enforced && record.action > policy::Action::alert ? 1 : 0;
        confidence_max = std::max(confidence_max, record.confidence);
        level_max = std::max(level_max, record.level);
        last = record.time;
        const bool plays = !record.player.name.empty() && !only_claimed(record);
        if (plays) players.emplace(record.player.name.view());
    }
};

/// A way to put verdicts together.
struct Way {
    std::string_view word;
    std::string (*value)(const Entry& entry);
    bool by_value;  ///< Rows in the order of their values, not the greatest first.
};

/// Beside who plays under a name stands who only says it, and may be anybody.
constexpr std::string_view claimed = " (claimed)";
constexpr size_t hour_size = std::string_view("2026-11-20T03").size();

constexpr std::array<Way, 7> ways = {{
    {"action",
     [](const Entry& e) { return std::string(name_in(policy::action_names, e.record.action)); },
     false},
    {"check", [](const Entry& e) { return e.check; }, false},
    {"player",
     [](const Entry& e) {
         return concat(e.record.player.name.view(), only_claimed(e.record) ? claimed : "");
     },
     false},
    {"address", [](const Entry& e) { return to_string(own_address(e.record)); }, false},
    {"service", [](const Entry& e) { return e.service; }, false},
    {"hour",
     [](const Entry& e) {
         return verdicts::time_text(e.record.time).substr(0, hour_size) + ":00Z";
     },
     true},
    {"mode",
     [](const Entry& e) { return std::string(name_in(verdicts::mode_names, e.record.mode)); },
     false},
}};

struct Table {
    const Way* way;
    std::map<std::string, Sum> rows;
};

std::vector<const std::pair<const std::string, Sum>*> in_order(const Table& table, size_t top) {
    std::vector<const std::pair<const std::string, Sum>*> rows;
    for (const auto& row : table.rows) rows.push_back(&row);
    if (!table.way->by_value) {
        std::ranges::stable_sort(rows, std::greater(), [](const auto* row) {
            return std::pair(row->second.decided, row->second.verdicts);
        });
    }
    // Of hours the newest are wanted, of all else the greatest.
    if (top > 0 && rows.size() > top) {
        if (table.way->by_value) {
            rows.erase(rows.begin(), rows.end() - static_cast<ptrdiff_t>(top));
        } else {
            rows.resize(top);
        }
    }
    return rows;
}

void print_text(const Table& table, size_t top, bool colours) {
    std::string out = concat(colours ? "\033[1m" : "", table.way->word);
    out.resize(out.size() + 32 - table.way->word.size(), ' ');
    out += concat("verdicts    findings     decided       acted     players  confidence   level",
                  colours ? "\033[0m" : "", "\n");
    const auto rows = in_order(table, top);
    for (const auto* row : rows) {
        const Sum& sum = row->second;
        append_plain_padded(out, row->first.empty() ? "-" : row->first, '?', 28);
        std::array<char, 128> numbers;
        std::snprintf(numbers.data(), numbers.size(), "%12llu%12llu%12llu%12llu%12zu%12.2f%8.1f\n",
                      static_cast<unsigned long long>(sum.verdicts),
                      static_cast<unsigned long long>(sum.findings),
                      static_cast<unsigned long long>(sum.decided),
                      static_cast<unsigned long long>(sum.acted), sum.players.size(),
                      static_cast<double>(sum.confidence_max), static_cast<double>(sum.level_max));
        out += numbers.data();
    }
    if (rows.size() < table.rows.size()) {
        out += concat("and ", table.rows.size() - rows.size(), " more; --top 0 shows all\n");
    }
    std::cout << out << '\n';
}

void print_rows(const Table& table, size_t top, Listing format) {
    for (const auto* row : in_order(table, top)) {
        const Sum& sum = row->second;
        std::string line;
        if (format == Listing::jsonl) {
            line = concat(R"({"type":"stats","by":")", table.way->word, R"(","value":)");
            verdicts::append_json_string(line, row->first);
            line += concat(
                R"(,"verdicts":)", sum.verdicts, R"(,"findings":)", sum.findings, R"(,"decided":)",
                sum.decided, R"(,"acted":)", sum.acted, R"(,"players":)", sum.players.size(),
                R"(,"max_confidence":)", number_text(sum.confidence_max), R"(,"max_level":)",
                number_text(sum.level_max), R"(,"first":")", verdicts::time_text(sum.first),
                R"(","last":")", verdicts::time_text(sum.last), "\"}");
        } else {
            append_csv(line, table.way->word);
            append_csv(line, row->first);
            for (const uint64_t count :
                 {sum.verdicts, sum.findings, sum.acted, uint64_t{sum.players.size()}}) {
                append_csv_number(line, std::to_string(count));
            }
            append_csv_number(line, number_text(sum.confidence_max));
            append_csv_number(line, number_text(sum.level_max));
            append_csv(line, verdicts::time_text(sum.first));
            append_csv(line, verdicts::time_text(sum.last));
            append_csv_number(line, std::to_string(sum.decided));
        }
        std::cout << line << '\n';
    }
}

}  // namespace

std::vector<std::string> stats_words() {
    std::vector<std::string> words;
    for (const Way& way : ways) words.emplace_back(way.word);
    return words;
}

int verdict_stats(const VerdictOptions& options) {
    const verdicts::Reader reader(log_path(options));
    std::vector<std::string> by = options.by;
    if (by.empty()) by = {"action", "check", "player", "hour"};
    std::vector<Table> tables;
    for (const std::string& word : by) {
        tables.push_back({&*std::ranges::find(ways, word, &Way::word), {}});
    }
    verdicts::Query query = query_of(options, reader);
    query.verdicts_only = true;
    reader.each(query, [&](const Entry& entry) {
        for (Table& table : tables) table.rows[table.way->value(entry)].add(entry);
        return true;
    });
    const Pager pager(options.paged);
    if (options.format == Listing::csv) {
        std::cout << "by,value,verdicts,findings,acted,players,max_confidence,max_level,first,"
                     "last,decided\n";
    }
    for (const Table& table : tables) {
        if (options.format == Listing::text) {
            print_text(table, options.top, pager.colours());
        } else {
            print_rows(table, options.top, options.format);
        }
    }
    std::cout.flush();
    warn_of_unreadable(reader);
    return 0;
}

}  // namespace portcullis::app
