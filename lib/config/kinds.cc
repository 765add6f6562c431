#include "config/kinds.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <set>

#include <sys/un.h>

#include "protocol/minecraft/packet_named.h"
#include "protocol/shadowland/messages.h"

namespace portcullis::config {

namespace {

template <class Number>
std::optional<Number> parse_number(const std::string& text, Number min, Number max) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (!(value >= min && value <= max)) return std::nullopt;  // Refuses NaN as well.
    return value;
}

template <class Number>
Kind<Number> integer(Number min, Number max) {
    return scalar<Number>(
        "a whole number from " + std::to_string(min) + " to " + std::to_string(max),
        [min, max](const std::string& given_text) { return parse_number(given_text, min, max); },
        [](const Number& value) { return std::to_string(value); });
}

std::string shortest(double value) {
    char digits[32];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
    return std::string(digits, end);
}

bool printable(const std::string& given_text) {
    return std::ranges::none_of(
        given_text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string itself(const std::string& value) { return value; }

std::string or_off(const std::string& value) { return value.empty() ? "off" : value; }

/// True when every {…} in the text is one of `holes`.
bool holes_are_known(const std::string& given_text, const std::vector<std::string>& holes) {
    for (size_t at = given_text.find('{'); at != std::string::npos;
         at = given_text.find('{', at + 1)) {
        const size_t end = given_text.find('}', at);
        if (end == std::string::npos) return false;
        const std::string hole = given_text.substr(at, end - at + 1);
        if (std::ranges::find(holes, hole) == holes.end()) return false;
    }
    return true;
}

/// "2-5,8": numbers and rising ranges.
bool is_core_list(const std::string& given_text) {
    constexpr uint32_t core_max = 1023;
    size_t at = 0;
    while (at <= given_text.size()) {
        const size_t end = std::min(given_text.find(',', at), given_text.size());
        const std::string part = given_text.substr(at, end - at);
        const size_t dash = part.find('-');
        const auto first = parse_number<uint32_t>(part.substr(0, dash), 0, core_max);
        auto last = first;
        if (dash != std::string::npos) {
            last = parse_number<uint32_t>(part.substr(dash + 1), 0, core_max);
        }
        if (!first || !last || *last < *first) return false;
        at = end + 1;
    }
    return true;
}

}  // namespace

Place Place::inside(const std::string& name, Mark at) const {
    // A key of the operator's own may be anything, a whole text that lost its quotes too.
    constexpr size_t shown_max = 64;
    const bool odd = name.size() > shown_max || !printable(name);
    const std::string shown = odd ? in_quotes(name) : name;
    return {path.empty() ? shown : path + '.' + shown, at, problems};
}

Place Place::element(size_t index, const YAML::Node& node) const {
    Place inner{path + '[' + std::to_string(index) + ']', key, problems};
    inner.key = mark_of(node, inner);
    return inner;
}

Mark mark_of(const YAML::Node& node, const Place& place) {
    const YAML::Mark mark = node.Mark();
    // An empty value has no place of its own: show the key that it belongs to.
    if (mark.is_null() || node.IsNull()) return place.key;
    return {mark.line + 1, mark.column + 1};
}

std::string given(const YAML::Node& node) {
    if (node.IsScalar()) return in_quotes(node.Scalar());
    if (node.IsSequence()) return "a list";
    if (node.IsMap()) return "a map";
    return "nothing";
}

void refuse(const YAML::Node& node, const Place& place, const std::string& allowed) {
    place.problems.add(mark_of(node, place),
                       place.path + " is " + given(node) + "; allowed: " + allowed);
}

bool is_list(const YAML::Node& node, size_t most, const Place& place) {
    if (node.IsSequence() && node.size() <= most) return true;
    const std::string allowed = "a list of at most " + std::to_string(most);
    if (node.IsSequence()) {
        place.problems.add(
            mark_of(node, place),
            place.path + " is a list of " + std::to_string(node.size()) + "; allowed: " + allowed);
    } else {
        refuse(node, place, allowed);
    }
    return false;
}

bool keys_are_good(std::span<const KeyRule> rules, const YAML::Node& node, const Place& place) {
    std::vector<std::string> names;
    for (const KeyRule& rule : rules) names.push_back(rule.name);
    if (!node.IsMap()) {
        const std::string what = place.path.empty() ? "the file" : place.path;
        place.problems.add(
            mark_of(node, place),
            what + " is " + given(node) + "; allowed: a map with " + alternatives(names));
        return false;
    }
    std::set<std::string> seen;
    const std::string where = place.path.empty() ? "" : " in " + place.path;
    for (const auto& entry : node) {
        const Mark at = mark_of(entry.first, place);
        const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
        const auto rule = std::ranges::find(rules, key, &KeyRule::name);
        if (!seen.insert(key).second) {
            place.problems.add(at, "key " + in_quotes(key) + where + " is given twice");
        } else if (rule == rules.end()) {
            const auto open = std::ranges::find(rules, key, &KeyRule::refused);
            const bool is_secret = !key.empty() && open != rules.end();
            place.problems.add(
                at, is_secret
                        ? "key " + in_quotes(key) + where +
                              " is refused: secrets come from files; use " + in_quotes(open->name)
                        : "unknown key " + in_quotes(key) + where + suggestion(key, names) +
                              "; allowed: " + alternatives(names));
        }
    }
    for (const KeyRule& rule : rules) {
        if (!rule.required || seen.contains(rule.name)) continue;
        const std::string what = place.path.empty() ? "the file" : place.path;
        place.problems.add(mark_of(node, place), what + " lacks " + in_quotes(rule.name));
    }
    return true;
}

Kind<uint32_t> whole(uint32_t min, uint32_t max) { return integer<uint32_t>(min, max); }
Kind<uint64_t> whole64(uint64_t min, uint64_t max) { return integer<uint64_t>(min, max); }
Kind<uint16_t> port_number() { return integer<uint16_t>(1, 65'535); }
Kind<int32_t> version_number() { return integer<int32_t>(0, 2'147'483'647); }

Kind<double> real(double min, double max) {
    return scalar<double>(
        "a number from " + shortest(min) + " to " + shortest(max),
        [min, max](const std::string& given_text) { return parse_number(given_text, min, max); },
        shortest);
}

Kind<bool> yes_no() {
    return scalar<bool>(
        "true or false",
        [](const std::string& given_text) -> std::optional<bool> {
            if (given_text == "true") return true;
            if (given_text == "false") return false;
            return std::nullopt;
        },
        [](const bool& value) { return std::string(value ? "true" : "false"); });
}

Kind<std::string> text(size_t most) {
    return scalar<std::string>(
        "a text of 1 to " + std::to_string(most) + " bytes on one line",
        [most](const std::string& given_text) -> std::optional<std::string> {
            if (given_text.empty() || given_text.size() > most) return std::nullopt;
            return printable(given_text) ? std::optional(given_text) : std::nullopt;
        },
        itself);
}

Kind<std::string> name() {
    constexpr size_t most = 32;
    return scalar<std::string>(
        "a name of 1 to 32 letters, digits, '-', '_' or '.'",
        [](const std::string& given_text) -> std::optional<std::string> {
            const auto fits = [](char c) {
                return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ||
                       c == '.';
            };
            if (given_text.empty() || given_text.size() > most) return std::nullopt;
            return std::ranges::all_of(given_text, fits) ? std::optional(given_text) : std::nullopt;
        },
        itself);
}

Kind<std::string> pattern(size_t most, std::vector<std::string> holes, std::string needed) {
    std::string allowed = "a text of 1 to " + std::to_string(most) + " bytes on one line" +
                          (needed.empty() ? "" : ", with " + needed + " once") +
                          "; in braces nothing but " + alternatives(holes);
    return scalar<std::string>(
        std::move(allowed),
        [most, holes, needed](const std::string& given_text) -> std::optional<std::string> {
            if (given_text.empty() || given_text.size() > most) return std::nullopt;
            if (!printable(given_text)) return std::nullopt;
            const size_t first = given_text.find(needed);
            const bool once = first != std::string::npos && given_text.rfind(needed) == first;
            if (!needed.empty() && !once) return std::nullopt;
            return holes_are_known(given_text, holes) ? std::optional(given_text) : std::nullopt;
        },
        itself);
}

Kind<std::string> one_of(std::vector<std::string> names) {
    std::string allowed = alternatives(names);
    return scalar<std::string>(
        std::move(allowed),
        [names](const std::string& given_text) -> std::optional<std::string> {
            const auto found = std::ranges::find(names, given_text);
            return found == names.end() ? std::nullopt : std::optional(given_text);
        },
        itself);
}

Kind<std::string> packet_name() {
    return scalar<std::string>(
        "the name of a game packet as `inspect --packets` shows it, such as position or "
        "SyncEntity, or Minecraft's in capitals, such as UseEntity or PlayerPosition",
        [](const std::string& given_text) -> std::optional<std::string> {
            const auto among = [&](const auto& names) {
                return std::ranges::find(names, given_text) != names.end();
            };
            const bool known =
                minecraft::packet_named(given_text) || among(shadowland::message_names);
            return known ? std::optional(given_text) : std::nullopt;
        },
        itself);
}

Kind<std::string> core_list() {
    return scalar<std::string>(
        "auto, or core numbers and ranges such as 2-5,8",
        [](const std::string& given_text) -> std::optional<std::string> {
            if (given_text == "auto") return "";
            return is_core_list(given_text) ? std::optional(given_text) : std::nullopt;
        },
        [](const std::string& value) { return value.empty() ? "auto" : value; });
}

Kind<std::string> socket_path() {
    constexpr size_t most = sizeof(sockaddr_un::sun_path) - 1;
    return scalar<std::string>(
        "a path of at most " + std::to_string(most) + " bytes, or off",
        [](const std::string& given_text) -> std::optional<std::string> {
            if (given_text == "off") return "";
            if (given_text.empty() || given_text.size() > most) return std::nullopt;
            return printable(given_text) ? std::optional(given_text) : std::nullopt;
        },
        or_off);
}

Kind<std::string> file_path() {
    constexpr size_t most = 4095;
    return scalar<std::string>(
        "a path",
        [](const std::string& given_text) -> std::optional<std::string> {
            if (given_text.empty() || given_text.size() > most) return std::nullopt;
            return printable(given_text) ? std::optional(given_text) : std::nullopt;
        },
        itself);
}

Kind<std::string> file_path_or_off() {
    return scalar<std::string>(
        "a path, or off",
        [](const std::string& given_text) -> std::optional<std::string> {
            if (given_text == "off") return "";
            if (given_text.empty() || given_text.size() > 4095) return std::nullopt;
            return printable(given_text) ? std::optional(given_text) : std::nullopt;
        },
        or_off);
}

Kind<std::optional<double>> real_or_off(double min, double max) {
    using Value = std::optional<double>;
    return scalar<Value>(
        "a number from " + shortest(min) + " to " + shortest(max) + ", or off",
        [min, max](const std::string& given_text) -> std::optional<Value> {
            if (given_text == "off") return Value{};
            const auto number = parse_number(given_text, min, max);
            return number ? std::optional<Value>(number) : std::nullopt;
        },
        [](const Value& value) { return value ? shortest(*value) : std::string("off"); });
}

Kind<IpAddress> address() {
    return scalar<IpAddress>(
        "an IPv4 or IPv6 address",
        [](const std::string& given_text) {
            std::optional<IpAddress> parsed = parse_address(given_text);
            if (parsed == IpAddress::v4(0)) parsed = IpAddress{};
            return parsed;
        },
        [](const IpAddress& value) { return to_string(value); });
}

Kind<IpPrefix> prefix() {
    return scalar<IpPrefix>(
        "an address or a prefix such as 10.0.0.0/8",
        [](const std::string& given_text) { return parse_prefix(given_text); },
        [](const IpPrefix& value) { return to_string(value); });
}

Kind<std::optional<Endpoint>> listen_endpoint() {
    using Listen = std::optional<Endpoint>;
    return scalar<Listen>(
        "ADDRESS:PORT such as 127.0.0.1:9464 or [::1]:9464, or off",
        [](const std::string& given_text) -> std::optional<Listen> {
            if (given_text == "off") return Listen{};
            const auto endpoint = parse_endpoint(given_text);
            return endpoint ? std::optional<Listen>(endpoint) : std::nullopt;
        },
        [](const Listen& value) { return value ? to_string(*value) : std::string("off"); });
}

}  // namespace portcullis::config
