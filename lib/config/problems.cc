#include "config/problems.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <tuple>

#include "base/setup_error.h"
#include "base/utf8.h"

namespace portcullis::config {

namespace {

constexpr size_t shown_bytes_max = 64;

/// How many letters to insert, remove, replace or swap with their neighbour to
/// make `b` of `a` (optimal string alignment).
size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
    for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
    for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
    for (size_t i = 1; i <= a.size(); ++i) {
        for (size_t j = 1; j <= b.size(); ++j) {
            const size_t replaced = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            d[i][j] = std::min({replaced, d[i - 1][j] + 1, d[i][j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
    }
    return d[a.size()][b.size()];
}

}  // namespace

void Problems::add(Mark mark, const std::string& what) { found_.push_back({mark, what}); }

void Problems::throw_if_any() {
    if (found_.empty()) return;
    std::ranges::stable_sort(
        found_, {}, [](const Problem& p) { return std::tuple(p.mark.line, p.mark.column); });
    std::string text;
    for (const Problem& problem : found_) {
        if (!text.empty()) text += '\n';
        text += file_;
        if (problem.mark.line > 0) {
            text +=
                ':' + std::to_string(problem.mark.line) + ':' + std::to_string(problem.mark.column);
        }
        text += ": " + problem.what;
    }
    throw UsageError(text);
}

std::string suggestion(std::string_view given, std::span<const std::string> names) {
    if (given.empty() || given.size() > shown_bytes_max) return "";
    const std::string* nearest = nullptr;
    size_t least = std::max<size_t>(1, given.size() / 3) + 1;
    for (const std::string& name : names) {
        const bool begins = given.size() >= 3 && name.starts_with(given);
        const size_t far = begins ? 1 : distance(given, name);
        if (far < least) {
            least = far;
            nearest = &name;
        }
    }
    return nearest == nullptr ? "" : " (did you mean " + in_quotes(*nearest) + "?)";
}

std::string alternatives(std::span<const std::string> names) {
    std::string text;
    for (size_t i = 0; i < names.size(); ++i) {
        if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
        text += names[i];
    }
    return text;
}

std::string in_digits(double value) {
    char digits[32];
    char* const last = std::end(digits);
    auto [end, error] = std::to_chars(digits, last, value, std::chars_format::fixed);
    if (error != std::errc{}) end = std::to_chars(digits, last, value).ptr;
    return std::string(digits, end);
}

std::string in_quotes(std::string_view text) {
    std::string shown = "\"";
    append_plain(shown, text.substr(0, shown_bytes_max), '.');
    if (text.size() > shown_bytes_max) shown += "…";
    return shown + '"';
}

}  // namespace portcullis::config
