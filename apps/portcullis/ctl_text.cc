#include "ctl_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.h"

namespace portcullis::app {

namespace {

using Json = nlohmann::ordered_json;

std::string plain(const Json& value) {
    if (value.is_null()) return "-";
    if (value.is_string()) return value.get<std::string>();
    if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
    return value.dump();
}

/// Terminals show control characters as commands; names come from the network.
std::string tame(std::string_view text) {
    std::string tamed;
    append_plain(tamed, text, '.');
    return tamed;
}

/// "2d 3h", "4m 5s": the two greatest units.
std::string span_text(const Json& seconds) {
    if (!seconds.is_number()) return "-";
    constexpr std::pair<const char*, int64_t> units[] = {
        {"d", 86'400}, {"h", 3'600}, {"m", 60}, {"s", 1}};
    auto left = seconds.get<int64_t>();
    std::string out;
    int parts = 0;
    for (const auto& [unit, size] : units) {
        if (parts == 2 || (left < size && parts == 0 && size > 1)) continue;
        out += (out.empty() ? "" : " ") + std::to_string(left / size) + unit;
        left %= size;
        ++parts;
    }
    return out;
}

/// "1.2 GB": for bytes and counts that nobody reads to the last digit.
std::string size_text(const Json& bytes) {
    if (!bytes.is_number()) return "-";
    constexpr const char* units[] = {"B", "kB", "MB", "GB", "TB"};
    auto value = bytes.get<double>();
    size_t unit = 0;
    for (; value >= 1'000 && unit + 1 < std::size(units); ++unit) value /= 1'000;
    std::array<char, 32> text;
    snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return text.data();
}

/// Figures as text stand to the right as numbers do.
const std::set<std::string_view> figures = {"age",  "idle",   "to server", "to client",
                                            "busy", "p50 us", "p99 us",    "latency ms"};

/// Rows of equal keys as aligned columns, titles above; numbers to the right.
std::string table(const Json& rows, const std::vector<std::string>& columns) {
    std::vector<size_t> widths;
    for (const std::string& column : columns) {
        size_t width = column.size();
        for (const Json& row : rows) {
            width = std::max(width, plain(row.value(column, Json())).size());
        }
        widths.push_back(width);
    }
    std::string out;
    const auto line = [&](const auto& cell) {
        std::string text;
        for (size_t c = 0; c < columns.size(); ++c) {
            const auto [value, right] = cell(columns[c]);
            const std::string pad(widths[c] - std::min(widths[c], value.size()), ' ');
            text += (right ? pad + value : value + pad) + "  ";
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out += text + '\n';
    };
    line([&](const std::string& column) {
        const bool right = !rows.empty() && rows[0].value(column, Json()).is_number();
        return std::pair(column, right || figures.contains(column));
    });
    for (const Json& row : rows) {
        line([&](const std::string& column) {
            const Json value = row.value(column, Json());
            return std::pair(tame(plain(value)), value.is_number() || figures.contains(column));
        });
    }
    return out;
}

std::string wires(const Json& list) {
    std::string out =
        table(list, {"wire", "received", "transmitted", "dropped", "injected", "in_flight"});
    for (const Json& wire : list) {
        out += "\nwire " + plain(wire.at("wire")) + '\n' +
               table(wire.at("ports"), {"port", "device", "present", "up", "held", "reopened",
                                        "missed", "errors", "no_buffer"});
        for (const auto& [reason, count] : wire.at("drops").items()) {
            out += "  dropped for " + reason + ": " + count.dump() + '\n';
        }
    }
    return out;
}

std::string services(const Json& list) {
    return table(list, {"service", "protocol", "address", "policy", "flows", "players", "logins",
                        "game_packets", "verdicts"});
}

std::string status(const Json& result) {
    std::string out = "status   " + plain(result.at("status")) + '\n' + "version  " +
                      plain(result.at("version")) + '\n' + "uptime   " +
                      span_text(result.at("uptime_s")) + '\n';
    if (result.contains("mode")) {
        out += "mode     " + plain(result.at("mode")) + '\n' + "config   " +
               plain(result.at("config")) + '\n' + "players  " + plain(result.at("players")) +
               '\n' + "blocks   " + plain(result.at("blocks")) + '\n';
    }
    for (const Json& port : result.at("ports")) {
        if (port.at("up").get<bool>()) continue;
        out += "down     wire " + plain(port.at("wire")) + ", port " + plain(port.at("port")) +
               " (" + plain(port.at("device")) + ")" +
               (port.at("present").get<bool>() ? "" : ": the device is gone") + '\n';
    }
    for (const Json& worker : result.at("workers")) {
        if (!worker.at("alive").get<bool>()) {
            out += "stuck    worker " + worker.at("worker").dump() + " makes no progress\n";
        }
    }
    for (const Json& part : result.at("parts")) {
        out += (part.at("well").get<bool>() ? "well     " : "unwell   ") +
               tame(plain(part.at("part"))) + "  " + tame(plain(part.at("says"))) + '\n';
    }
    if (result.contains("services")) out += '\n' + services(result.at("services"));
    return result.contains("wires") ? out + '\n' + wires(result.at("wires")) : out;
}

std::string more_about(const Json& result) {
    const auto silent = result.value("silent_workers", 0);
    return silent == 0
               ? ""
               : std::to_string(silent) + " worker(s) did not answer; what they know is missing\n";
}

std::string flows(const Json& result) {
    Json rows = result.at("flows");
    for (Json& row : rows) {
        row["age"] = span_text(row.at("age_s"));
        row["idle"] = span_text(row.at("idle_s"));
        row["to server"] = size_text(row.at("to_server_bytes"));
        row["to client"] = size_text(row.at("to_client_bytes"));
    }
    std::string out = table(rows, {"service", "client", "server", "state", "player", "age", "idle",
                                   "packets", "to server", "to client"});
    out += '\n' + std::to_string(rows.size()) + " of " + result.at("count").dump() +
           " connections" +
           (result.at("more").get<bool>() ? "; --limit and --skip show others\n" : "\n");
    return out + more_about(result);
}

std::string workers(const Json& result) {
    Json rows = result.at("workers");
    std::string rings;
    for (Json& row : rows) {
        row["busy"] = span_text(row.at("busy_s"));
        row["p50 us"] = plain(row.at("latency_p50_us"));
        row["p99 us"] = plain(row.at("latency_p99_us"));
        rings += "rings of worker " + row.at("worker").dump() + ':';
        for (const auto& [name, ring] : row.at("rings").items()) {
            rings += "  " + name + ' ' + ring.at("used").dump() + '/' + ring.at("capacity").dump();
        }
        rings += '\n';
    }
    const Json& buffers = result.at("packet_buffers");
    return table(rows, {"worker", "alive", "busy", "p50 us", "p99 us", "flows", "half_open",
                        "players", "sessions", "stream_bytes"}) +
           '\n' + rings + "packet buffers: " + buffers.at("used").dump() + " of " +
           buffers.at("total").dump() + " in use\n";
}

std::string players(const Json& result) {
    Json rows = result.at("players");
    for (Json& row : rows) {
        std::string findings;
        for (const Json& found : row.at("findings")) {
            findings += (findings.empty() ? "" : ", ") + plain(found.at("check")) + " x" +
                        found.at("count").dump();
        }
        row["findings"] = row.at("opaque").get<bool>() ? "(encrypted)" : findings;
    }
    for (Json& row : rows) row["latency ms"] = plain(row.at("latency_ms"));
    std::string out = table(rows, {"name", "uuid", "version", "service", "address", "client",
                                   "since", "latency ms", "level", "findings"});
    if (result.value("more", false)) {
        out += '\n' + std::to_string(rows.size()) + " of " + result.at("count").dump() +
               " players; --limit and --skip show others\n";
    }
    const auto unlisted = result.value("unlisted", 0);
    if (unlisted > 0) out += std::to_string(unlisted) + " more did not fit into the list\n";
    return out + more_about(result);
}

std::string player(const Json& result) {
    std::string out;
    for (const auto& [key, value] : result.items()) {
        if (!value.is_primitive()) continue;
        out += key + std::string(12 - std::min<size_t>(key.size(), 11), ' ') + tame(plain(value)) +
               '\n';
    }
    const Json context = result.value("context", Json());
    if (!context.is_null()) out += "\nwhat the server must believe of him\n";
    for (const auto& [key, value] : context.items()) {
        out += "  " + key + std::string(16 - std::min<size_t>(key.size(), 15), ' ') +
               tame(plain(value)) + '\n';
    }
    return out + '\n' +
           table(result.at("findings"), {"check", "count", "level", "confidence", "last"});
}

std::string ordered(const Json& result) {
    std::string out = "ordered\n";
    if (result.contains("until")) out = "ordered, until " + plain(result.at("until")) + '\n';
    if (result.contains("note")) out += plain(result.at("note")) + '\n';
    for (const Json& flow : result.value("flows", Json::array())) {
        out += "  " + plain(flow.at("client")) + " to " + plain(flow.at("server")) + '\n';
    }
    return out;
}

std::string reload(const Json& result) {
    std::string out = plain(result.at("file")) + " is in force\n";
    for (const Json& key : result.at("needs_restart")) {
        out += "  " + plain(key) + " can not change live: restart for it\n";
    }
    for (const Json& warning : result.value("warnings", Json::array())) {
        out += "  " + plain(warning) + '\n';
    }
    return out;
}

std::string wires_alone(const Json& result) { return wires(result.at("wires")); }
std::string services_alone(const Json& result) { return services(result.at("services")); }
std::string blocks(const Json& result) {
    return table(result.at("blocks"), {"prefix", "until", "reason"});
}
std::string yaml(const Json& result) { return plain(result.at("yaml")); }

constexpr std::pair<std::string_view, CtlText> texts[] = {
    {"status", status},   {"health", status}, {"wires", wires_alone}, {"services", services_alone},
    {"workers", workers}, {"flows", flows},   {"players", players},   {"player", player},
    {"blocks", blocks},   {"block", ordered}, {"unblock", ordered},   {"sever", ordered},
    {"kick", ordered},    {"trace", ordered}, {"reload", reload},     {"config", yaml},
};

}  // namespace

CtlText ctl_text(std::string_view command) {
    for (const auto& [name, text] : texts) {
        if (name == command) return text;
    }
    throw std::logic_error("no text for the answer to " + std::string(command));
}

std::string traced_text(const Json& packet) {
    std::string out;
    for (const char* key : {"time", "direction", "state", "name"}) {
        out += plain(packet.at(key)) + ' ';
    }
    if (packet.contains("fields")) out += packet.at("fields").dump();
    return tame(packet.value("cut", false) ? out + " (cut)" : out);
}

}  // namespace portcullis::app
