#include "verdicts_print.h"

#include <algorithm>
#include <iostream>

#include "base/concat.h"
#include "base/utf8.h"
#include "verdicts/json.h"

namespace portcullis::app {

namespace {

using policy::Action;
using verdicts::Entry;
using verdicts::VerdictRecord;

constexpr std::string_view csv_head =
    "type,id,time,service,protocol,client,server,player,uuid,version,check,confidence,level,"
    "action,mode,observed,limit,unit,note,repeats,reason,address,in_game";

/// Beside those where outcomes are asked for; an outcome is a row of its own.
constexpr std::string_view csv_outcome_head = ",target,place,result,attempts,detail,name";

/// What spreadsheets take for the beginning of a formula; who plays chooses his name.
constexpr std::string_view formula_begins = "=+-@";
/// U+FFFD, for what a reader of UTF-8 refuses and for what would steer a terminal.
constexpr std::string_view not_shown = "\xef\xbf\xbd";

void append_csv_row(std::string& out, const Entry& entry) {
    const VerdictRecord& record = entry.record;
    const bool verdict = record.kind == VerdictRecord::Kind::verdict;
    append_csv(out, name_in(verdicts::record_kind_names, record.kind));
    append_csv(out, verdicts::to_string(entry.id()));
    append_csv(out, verdicts::time_text(record.time));
    append_csv(out, entry.service);
    append_csv(out, name_in(protocol::protocol_names, record.protocol));
    append_csv(out, to_string(record.client));
    append_csv(out, to_string(record.server));
    append_csv(out, record.player.name.view());
    append_csv(out, verdicts::uuid_text(record.player.uuid));
    append_csv_number(out, std::to_string(record.player.version));
    append_csv(out, entry.check);
    append_csv_number(out, verdict ? number_text(record.confidence) : "");
    append_csv_number(out, verdict ? number_text(record.level) : "");
    append_csv(out, verdict ? name_in(policy::action_names, record.action) : "");
    append_csv(out, verdict ? name_in(verdicts::mode_names, record.mode) : "");
    append_csv_number(out, verdict ? number_text(record.observed) : "");
    append_csv_number(out, verdict ? number_text(record.limit) : "");
    append_csv(out, record.unit.view());
    append_csv(out, record.note.view());
    append_csv_number(out, verdict ? std::to_string(record.repeats) : "");
    append_csv(out, record.kind == VerdictRecord::Kind::disconnect
                        ? name_in(verdicts::end_reason_names, record.end)
                        : "");
    append_csv(out, to_string(own_address(record)));
    append_csv(out, record.player.name.empty() ? "" : only_claimed(record) ? "false" : "true");
}

void append_csv_row(std::string& out, const verdicts::Outcome& outcome) {
    append_csv(out, "outcome");
    append_csv(out, verdicts::to_string(outcome.verdict));
    append_csv(out, verdicts::time_text(outcome.time));
    const auto filled = std::ranges::count(out, ',') + 1;
    out.append(static_cast<size_t>(std::ranges::count(csv_head, ',') + 1 - filled), ',');
    append_csv(out, name_in(verdicts::target_names, outcome.target));
    append_csv_number(out, std::to_string(outcome.place));
    append_csv(out, name_in(verdicts::result_names, outcome.result));
    append_csv_number(out, std::to_string(outcome.attempts));
    append_csv(out, outcome.detail.view());
    append_csv(out, outcome.name.view());
}

/// What a terminal shows it in; ECMA-48's numbers.
std::string_view colour_of(const VerdictRecord& record) {
    if (record.kind != VerdictRecord::Kind::verdict) return "\033[2m";
    if (!record.acts || record.action == Action::log) return "";
    if (record.action == Action::alert) return "\033[33m";
    return record.action < Action::sever ? "\033[35m" : "\033[1;31m";
}

}  // namespace

void append_csv_number(std::string& out, std::string_view number) {
    if (!out.empty() && out.back() != '\n') out += ',';
    out += number;
}

void append_csv(std::string& out, std::string_view text) {
    if (!out.empty() && out.back() != '\n') out += ',';
    std::string tamed;
    if (!text.empty() && formula_begins.contains(text.front())) tamed += '\'';
    append_plain(tamed, text, not_shown);
    if (tamed.find_first_of(",\"") == std::string::npos) {
        out += tamed;
        return;
    }
    out += '"';
    for (const char c : tamed) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

std::string number_text(double value) {
    std::string text;
    verdicts::append_json_number(text, value);
    return text;
}

std::string number_text(float value) {
    std::string text;
    verdicts::append_json_number(text, value);
    return text;
}

void Printer::head() const {
    if (format_ != Listing::csv) return;
    std::cout << csv_head << (outcomes_ ? csv_outcome_head : "") << '\n';
}

void Printer::entry(const Entry& entry) const {
    std::string line;
    switch (format_) {
        case Listing::text: {
            const std::string_view colour = colours_ ? colour_of(entry.record) : "";
            line += colour;
            verdicts::append_text(line, entry.record, entry.check, entry.service);
            if (!colour.empty()) line += "\033[0m";
            break;
        }
        case Listing::jsonl:
            verdicts::append_json(line, entry.record, entry.check, entry.service);
            break;
        case Listing::csv:
            append_csv_row(line, entry);
            if (outcomes_) line.append(std::ranges::count(csv_outcome_head, ','), ',');
            break;
    }
    std::cout << line << '\n';
}

void Printer::outcome(const verdicts::Outcome& outcome) const {
    std::string line;
    const auto target = name_in(verdicts::target_names, outcome.target);
    const auto result = name_in(verdicts::result_names, outcome.result);
    if (format_ == Listing::csv) {
        append_csv_row(line, outcome);
    } else if (format_ == Listing::jsonl) {
        line = concat(R"({"type":"outcome","verdict":")", verdicts::to_string(outcome.verdict),
                      R"(","time":")", verdicts::time_text(outcome.time), R"(","target":")", target,
                      R"(","place":)", std::to_string(outcome.place), R"(,"name":)");
        verdicts::append_json_string(line, outcome.name.view());
        line +=
            concat(R"(,"result":")", result, R"(","attempts":)", outcome.attempts, R"(,"detail":)");
        verdicts::append_json_string(line, outcome.detail.view());
        line += '}';
    } else {
        line = concat(verdicts::time_text(outcome.time), "  ", target, " ");
        if (outcome.name.empty()) line += std::to_string(outcome.place);
        if (!outcome.name.empty()) verdicts::append_json_string(line, outcome.name.view());
        line += concat(": ", result, " after ", outcome.attempts, " tries");
        // Quoted: a server's answer must not steer a terminal.
        if (!outcome.detail.empty()) {
            line += ": ";
            verdicts::append_json_string(line, outcome.detail.view());
        }
    }
    std::cout << line << '\n';
}

void Printer::evidence(const verdicts::VerdictId& verdict, const std::string& path,
                       uint64_t size) const {
    std::string line;
    if (format_ == Listing::jsonl) {
        line = concat(R"({"type":"evidence","verdict":")", verdicts::to_string(verdict),
                      R"(","file":)");
        if (size > 0) {
            verdicts::append_json_string(line, path);
        } else {
            line += "null";
        }
        line += concat(R"(,"bytes":)", size, "}");
    } else if (size > 0) {
        line = concat("evidence: ", path, ", ", size, " bytes; `portcullis verdicts replay ",
                      verdicts::to_string(verdict), "` runs it again");
    } else {
        line = "evidence: none";
    }
    std::cout << line << '\n';
}

}  // namespace portcullis::app
