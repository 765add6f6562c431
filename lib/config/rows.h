#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "config/kinds.h"
#include "config/problems.h"

/// Rows: a key, where its value is kept, what it may be, and what it means, in
/// one place.  The same rows read a file (`read_map`) and make
/// docs/CONFIGURATION.md (`RowInfo`).  A default is the member's own initialiser.
namespace portcullis::config {

/// What the documentation needs of a row.
struct RowInfo {
    std::string key;
    std::string allowed;
    std::string initial;  ///< The default as one writes it; empty with `required`.
    std::string help;
    bool required = false;
    std::vector<RowInfo> inner;  ///< The rows of a map, or of each map in a list.
    bool live = false;           ///< A reload takes it over, with all that is within.
};

template <class T>
struct Row {
    RowInfo info;
    std::function<void(T&, const YAML::Node&, const Place&)> read;
    /// As the file would say it; null when there is nothing to say.
    std::function<YAML::Node(const T&)> write;
    /// Takes over what is live of a file read again, or the `whole` of the row's value.
    std::function<void(T& running, const T& fresh, bool whole)> take;
    /// For a secret: the key that people would write, which is refused.
    std::string refused;
};
template <class T>
using Rows = std::vector<Row<T>>;

template <class T>
std::vector<RowInfo> infos(const Rows<T>& rows) {
    std::vector<RowInfo> all;
    for (const Row<T>& row : rows) all.push_back(row.info);
    return all;
}

/// Reads a map by its rows, in the order of the rows: unknown keys, keys given
/// twice and required keys left out are problems.
template <class T>
void read_map(const Rows<T>& rows, T& out, const YAML::Node& node, const Place& place) {
    if constexpr (requires { out.mark; }) out.mark = mark_of(node, place);
    std::vector<KeyRule> keys;
    for (const Row<T>& row : rows) {
        keys.push_back({row.info.key, row.info.required, row.refused});
    }
    if (!keys_are_good(keys, node, place)) return;
    for (const Row<T>& row : rows) {
        for (const auto& entry : node) {
            if (entry.first.Scalar() != row.info.key) continue;
            row.read(out, entry.second, place.inside(row.info.key, mark_of(entry.first, place)));
            break;
        }
    }
}

template <class T>
YAML::Node write_map(const Rows<T>& rows, const T& value) {
    YAML::Node map(YAML::NodeType::Map);
    for (const Row<T>& row : rows) {
        const YAML::Node inner = row.write(value);
        if (!inner.IsNull()) map[row.info.key] = inner;
    }
    return map;
}

/// Takes over from `fresh` what may change in a running appliance.
template <class T>
void take_live(const Rows<T>& rows, T& running, const T& fresh, bool whole = false) {
    for (const Row<T>& row : rows) row.take(running, fresh, whole || row.info.live);
}

template <class T, class Access, class V>
Row<T> row(std::string key, Access access, Kind<V> kind, std::string help) {
    const T initial{};
    RowInfo info{std::move(key),  kind.allowed, kind.show(std::invoke(access, initial)),
                 std::move(help), false,        {}};
    auto read = [access, kind](T& out, const YAML::Node& node, const Place& place) {
        if (const auto value = kind.read(node, place)) std::invoke(access, out) = *value;
    };
    auto write = [access, kind](const T& value) { return kind.write(std::invoke(access, value)); };
    auto take = [access](T& running, const T& fresh, bool whole) {
        if (whole) std::invoke(access, running) = std::invoke(access, fresh);
    };
    return {std::move(info), std::move(read), std::move(write), std::move(take), ""};
}

template <class T>
Row<T> required(Row<T> row) {
    row.info.required = true;
    row.info.initial.clear();
    return row;
}

/// Marks what is written under a row, for the documentation.
inline void mark_live(RowInfo& info) {
    info.live = true;
    for (RowInfo& inner : info.inner) mark_live(inner);
}

/// A row whose value may change while the appliance runs.  All others keep theirs
/// until it is started again.
template <class T>
Row<T> live(Row<T> row) {
    mark_live(row.info);
    return row;
}

/// A row whose value is the name of a file with a secret in it; the secret
/// itself, under `refused`, is turned away without being shown.
template <class T>
Row<T> secret(Row<T> row, std::string refused) {
    row.refused = std::move(refused);
    return row;
}

/// A map within a map.  `Access` may give back the object itself, for keys that
/// are grouped in the file and not in the struct.
template <class T, class Access, class U>
Row<T> section(std::string key, Access access, const Rows<U>& rows, std::string help) {
    RowInfo info{std::move(key), "a map", "", std::move(help), false, infos(rows)};
    auto read = [access, rows](T& out, const YAML::Node& node, const Place& place) {
        read_map(rows, std::invoke(access, out), node, place);
    };
    auto write = [access, rows](const T& value) {
        return write_map(rows, std::invoke(access, value));
    };
    auto take = [access, rows](T& running, const T& fresh, bool whole) {
        take_live(rows, std::invoke(access, running), std::invoke(access, fresh), whole);
    };
    return {std::move(info), std::move(read), std::move(write), std::move(take), ""};
}

/// The list itself stays, since others know its elements by their place in it; each takes
/// what is live from the one of its name.
template <class U>
void take_from_namesakes(const Rows<U>& rows, std::vector<U>& running,
                         const std::vector<U>& fresh) {
    for (U& element : running) {
        const auto namesake = std::ranges::find(fresh, element.name, &U::name);
        if (namesake == fresh.end()) continue;
        take_live(rows, element, *namesake);
        if constexpr (requires { element.mark; }) element.mark = namesake->mark;
    }
}

/// A list of maps of at most `most` elements; given at all, it replaces the default.
template <class T, class U>
Row<T> sections(std::string key, std::vector<U> T::* member, size_t most, const Rows<U>& rows,
                std::string help) {
    RowInfo info{std::move(key), "a list of at most " + std::to_string(most) + " maps",
                 "none",         std::move(help),
                 false,          infos(rows)};
    auto read = [member, most, rows](T& out, const YAML::Node& node, const Place& place) {
        if (!is_list(node, most, place)) return;
        (out.*member).clear();
        for (size_t i = 0; i < node.size(); ++i) {
            U element{};
            read_map(rows, element, node[i], place.element(i, node[i]));
            (out.*member).push_back(std::move(element));
        }
    };
    auto write = [member, rows](const T& value) {
        YAML::Node list(YAML::NodeType::Sequence);
        for (const U& element : value.*member) list.push_back(write_map(rows, element));
        return list;
    };
    auto take = [member, rows](T& running, const T& fresh, bool whole) {
        if (whole) {
            running.*member = fresh.*member;
        } else if constexpr (requires(U u) { u.name; }) {
            take_from_namesakes(rows, running.*member, fresh.*member);
        }
    };
    return {std::move(info), std::move(read), std::move(write), std::move(take), ""};
}

}  // namespace portcullis::config
