#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "verdicts/entry.h"

namespace portcullis::app {

enum class Listing : uint8_t { text, jsonl, csv };

/// How `portcullis verdicts` prints one thing a line.
class Printer {
public:
    Printer(Listing format, bool colours, bool outcomes = false)
        : format_(format), colours_(colours), outcomes_(outcomes) {}

    Listing format() const noexcept { return format_; }
    /// CSV's first line; nothing for the others.
    void head() const;
    void entry(const verdicts::Entry& entry) const;
    void outcome(const verdicts::Outcome& outcome) const;
    /// Where the packets of a verdict are; size 0: there are none.
    void evidence(const verdicts::VerdictId& verdict, const std::string& path, uint64_t size) const;

private:
    Listing format_;
    bool colours_;
    bool outcomes_;  ///< CSV has columns for them.
};

/// One more field of a CSV line, quoted where RFC 4180 wants it.  A text that a spreadsheet
/// would take for a formula has an apostrophe before it; U+FFFD stands for control
/// characters, line breaks among them, and for bytes that are no UTF-8.
void append_csv(std::string& out, std::string_view text);
/// The same for a figure, which may begin with a sign.
void append_csv_number(std::string& out, std::string_view number);
std::string number_text(double value);
std::string number_text(float value);

}  // namespace portcullis::app
