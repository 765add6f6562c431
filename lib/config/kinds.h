#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "base/ip.h"
#include "base/names.h"
#include "config/problems.h"

/// Kinds of values: how one is written, what is allowed, how a default is shown.
namespace portcullis::config {

/// Where reading stands: the way of keys to a value, and where to put problems.
struct Place {
    std::string path;  ///< "services[0].port"; empty at the top.
    Mark key;          ///< Of the key before the value, for values that have no place.
    Problems& problems;

    Place inside(const std::string& name, Mark at) const;
    Place element(size_t index, const YAML::Node& node) const;
};

Mark mark_of(const YAML::Node& node, const Place& place);

/// What was given, for a message: the scalar in quotes, or "a list", "a map", "nothing".
std::string given(const YAML::Node& node);

struct KeyRule {
    std::string name;
    bool required;
    std::string refused;
};
/// False when `node` is no map at all; else every bad key is a problem.
bool keys_are_good(std::span<const KeyRule> rules, const YAML::Node& node, const Place& place);
bool is_list(const YAML::Node& node, size_t most, const Place& place);

/// Says that the value at `place` is not `allowed`.
void refuse(const YAML::Node& node, const Place& place, const std::string& allowed);

template <class V>
struct Kind {
    std::string allowed;
    std::function<std::optional<V>(const YAML::Node&, const Place&)> read;
    std::function<std::string(const V&)> show;
    /// As the file would say it.
    std::function<YAML::Node(const V&)> write;
};

/// A value written as one scalar that `parse` understands or not.
template <class V>
Kind<V> scalar(std::string allowed, std::function<std::optional<V>(const std::string&)> parse,
               std::function<std::string(const V&)> show) {
    auto read = [allowed, parse](const YAML::Node& node, const Place& place) {
        std::optional<V> value;
        if (node.IsScalar()) value = parse(node.Scalar());
        if (!value) refuse(node, place, allowed);
        return value;
    };
    auto write = [show](const V& value) { return YAML::Node(show(value)); };
    return {std::move(allowed), std::move(read), std::move(show), std::move(write)};
}

Kind<uint32_t> whole(uint32_t min, uint32_t max);
Kind<uint64_t> whole64(uint64_t min, uint64_t max);
Kind<uint16_t> port_number();
Kind<int32_t> version_number();
Kind<double> real(double min, double max);
Kind<bool> yes_no();
/// Between 1 and `most` bytes without control characters.
Kind<std::string> text(size_t most);
/// Letters, digits, '-', '_' and '.': fit for a metric label and a file name.
Kind<std::string> name();
/// A text in which {…} may be one of `holes`; `needed` must be there, once.
Kind<std::string> pattern(size_t most, std::vector<std::string> holes, std::string needed);
Kind<std::string> one_of(std::vector<std::string> names);
/// The name of a game packet, of any protocol.
Kind<std::string> packet_name();
Kind<std::string> core_list();
/// A Unix socket's path, or "off" for none (kept as "").
Kind<std::string> socket_path();
Kind<std::string> file_path();
/// The same, or "off" for none (kept as "").
Kind<std::string> file_path_or_off();
Kind<std::optional<double>> real_or_off(double min, double max);
/// An address; one that says "any" (0.0.0.0 or ::) is kept as `IpAddress{}`.
Kind<IpAddress> address();
Kind<IpPrefix> prefix();
/// ADDRESS:PORT, or "off" for none.
Kind<std::optional<Endpoint>> listen_endpoint();

template <class Enum>
Kind<Enum> choice(std::vector<std::string> names) {
    auto parse = [names](const std::string& given_name) -> std::optional<Enum> {
        for (size_t i = 0; i < names.size(); ++i) {
            if (names[i] == given_name) return static_cast<Enum>(i);
        }
        return std::nullopt;
    };
    auto show = [names](const Enum& value) {
        const auto index = static_cast<size_t>(value);
        return index < names.size() ? names[index] : std::string();
    };
    return scalar<Enum>(alternatives(names), parse, show);
}
template <size_t N>
std::vector<std::string> words(const std::array<std::string_view, N>& table) {
    return {table.begin(), table.end()};
}

template <class V>
Kind<std::vector<V>> list_of(Kind<V> kind, size_t most) {
    auto read = [kind, most](const YAML::Node& node,
                             const Place& place) -> std::optional<std::vector<V>> {
        if (!is_list(node, most, place)) return std::nullopt;
        std::vector<V> values;
        for (size_t i = 0; i < node.size(); ++i) {
            const auto value = kind.read(node[i], place.element(i, node[i]));
            if (value) values.push_back(*value);
        }
        return values;
    };
    auto write = [kind](const std::vector<V>& values) {
        YAML::Node node(YAML::NodeType::Sequence);
        for (const V& value : values) node.push_back(kind.write(value));
        return node;
    };
    return {"a list of at most " + std::to_string(most) + ", each " + kind.allowed, read,
            [](const std::vector<V>&) { return std::string("[]"); }, write};
}

/// One value for each of the three axes.
template <class V>
Kind<std::array<V, 3>> each_axis(Kind<V> kind) {
    using Axes = std::array<V, 3>;
    auto read = [kind](const YAML::Node& node, const Place& place) -> std::optional<Axes> {
        if (!node.IsSequence() || node.size() != 3) {
            refuse(node, place, "[x, y, z], each " + kind.allowed);
            return std::nullopt;
        }
        Axes axes{};
        for (size_t i = 0; i < axes.size(); ++i) {
            const auto value = kind.read(node[i], place.element(i, node[i]));
            if (!value) return std::nullopt;
            axes[i] = *value;
        }
        return axes;
    };
    auto show = [kind](const Axes& v) {
        return "[" + kind.show(v[0]) + ", " + kind.show(v[1]) + ", " + kind.show(v[2]) + "]";
    };
    auto write = [kind](const Axes& values) {
        YAML::Node node(YAML::NodeType::Sequence);
        for (const V& value : values) node.push_back(kind.write(value));
        return node;
    };
    return {"[x, y, z], each " + kind.allowed, read, show, write};
}

}  // namespace portcullis::config
