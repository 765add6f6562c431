#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace portcullis {

/// The names of an enum whose values count from 0 and end in `count`.
/// Used verbatim as metric label, log field and word in the docs, so a value
/// and its name can not drift apart.
template <class Enum>
using NameTable = std::array<std::string_view, static_cast<size_t>(Enum::count)>;

/// True when no name was left out; for a static_assert beside each table.
template <size_t N>
consteval bool complete(const std::array<std::string_view, N>& names) {
    for (std::string_view name : names) {
        if (name.empty()) return false;
    }
    return true;
}

/// A value of such an enum: its name and, for the docs, what it means.
template <class Enum>
struct Meaning {
    Enum value{};
    std::string_view name;
    std::string_view text;
};
template <class Enum>
using MeaningTable = std::array<Meaning<Enum>, static_cast<size_t>(Enum::count)>;

/// True when each row stands at the place of the value that it is of; for a static_assert
/// beside a table of rows.
template <class Row, size_t N, class Enum>
consteval bool in_order(const std::array<Row, N>& rows, Enum Row::* of) {
    if (N != static_cast<size_t>(Enum::count)) return false;
    for (size_t i = 0; i < N; ++i) {
        if (rows[i].*of != static_cast<Enum>(i)) return false;
    }
    return true;
}

/// True when every value has its row, in order, and the row its name and its text.
template <class Enum, size_t N>
consteval bool complete(const std::array<Meaning<Enum>, N>& rows) {
    for (const Meaning<Enum>& row : rows) {
        if (row.name.empty() || row.text.empty()) return false;
    }
    return in_order(rows, &Meaning<Enum>::value);
}

template <class Enum, size_t N>
consteval NameTable<Enum> names_of(const std::array<Meaning<Enum>, N>& rows) {
    NameTable<Enum> names;
    for (size_t i = 0; i < N; ++i) names[i] = rows[i].name;
    return names;
}

template <class Enum>
constexpr std::string_view name_in(const NameTable<Enum>& names, Enum value) noexcept {
    const auto index = static_cast<size_t>(value);
    return index < names.size() ? names[index] : std::string_view{"unknown"};
}

template <class Enum>
constexpr std::optional<Enum> value_in(const NameTable<Enum>& names,
                                       std::string_view name) noexcept {
    for (size_t i = 0; i < names.size(); ++i) {
        if (names[i] == name) return static_cast<Enum>(i);
    }
    return std::nullopt;
}

}  // namespace portcullis
