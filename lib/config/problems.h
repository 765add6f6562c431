#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace portcullis::config {

/// Everything wrong with one file.  Reading goes on after a problem, so that an
/// operator mends a file once, not once a problem.
class Problems {
public:
    /// `file` is empty for a configuration that was read from none.
    explicit Problems(std::string file) : file_(file.empty() ? "built-in" : std::move(file)) {}

    /// `what` says what was given and what is allowed; `mark` where.
    void add(Mark mark, const std::string& what);
    /// Throws UsageError with a line a problem, in the order of the file.
    void throw_if_any();

private:
    struct Problem {
        Mark mark;
        std::string what;
    };
    std::string file_;
    std::vector<Problem> found_;
};

/// ` (did you mean "limits"?)` when one of `names` is near enough to be meant, else "".
std::string suggestion(std::string_view given, std::span<const std::string> names);

/// "a, b or c".
std::string alternatives(std::span<const std::string> names);

/// Every digit of it, without an exponent where there is room.
std::string in_digits(double value);

/// In quotes, cut to a length fit for a message, control characters as dots.
std::string in_quotes(std::string_view text);

}  // namespace portcullis::config
