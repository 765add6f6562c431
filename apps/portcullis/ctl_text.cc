#include "ctl_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

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
std::string tame(std::string text) {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '.';
    }
    return text;
}

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
        return std::pair(column, right);
    });
    for (const Json& row : rows) {
        line([&](const std::string& column) {
            const Json value = row.value(column, Json());
            return std::pair(tame(plain(value)), value.is_number());
        });
    }
    return out;
}

std::string wires(const Json& list) {
    std::string out =
        table(list, {"wire", "received", "transmitted", "dropped", "injected", "in_flight"});
    for (const Json& wire : list) {
        out += "\nwire " + plain(wire.at("wire")) + '\n' +
               table(wire.at("ports"), {"port", "device", "up", "missed", "errors", "no_buffer"});
        for (const auto& [reason, count] : wire.at("drops").items()) {
            out += "  dropped for " + reason + ": " + count.dump() + '\n';
        }
    }
    return out;
}

std::string status(const Json& result) {
    std::string out = "status   " + plain(result.at("status")) + '\n' + "version  " +
                      plain(result.at("version")) + '\n' + "mode     " +
                      plain(result.value("mode", Json())) + '\n' + "uptime   " +
                      plain(result.at("uptime_s")) + " s\n" + "players  " +
                      plain(result.value("players", Json())) + '\n';
    for (const Json& worker : result.at("workers")) {
        if (!worker.at("alive").get<bool>()) {
            out += "worker " + worker.at("worker").dump() + " makes no progress\n";
        }
    }
    for (const Json& part : result.at("parts")) {
        out += (part.at("well").get<bool>() ? "well     " : "unwell   ") +
               tame(plain(part.at("part"))) + "  " + tame(plain(part.at("says"))) + '\n';
    }
    return result.contains("wires") ? out + '\n' + wires(result.at("wires")) : out;
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
    std::string out =
        table(rows, {"name", "version", "service", "client", "since", "level", "findings"});
    const auto unlisted = result.value("unlisted", 0);
    if (unlisted > 0) out += std::to_string(unlisted) + " more did not fit into the list\n";
    return out;
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

std::string reload(const Json& result) {
    std::string out = plain(result.at("file")) + " is in force\n";
    for (const Json& key : result.at("needs_restart")) {
        out += "  " + plain(key) + " can not change live: restart for it\n";
    }
    return out;
}

}  // namespace

std::string ctl_text(const std::string& command, const Json& result) {
    if (command == "status" || command == "health") return status(result);
    if (command == "wires") return wires(result.at("wires"));
    if (command == "players") return players(result);
    if (command == "player") return player(result);
    if (command == "reload") return reload(result);
    if (command == "config") return plain(result.at("yaml"));
    if (command == "blocks") return table(result.at("blocks"), {"prefix", "until", "reason"});
    if (command == "flows") {
        return table(result.at("services"),
                     {"service", "protocol", "address", "flows", "players", "logins"}) +
               '\n' +
               table(result.at("workers"), {"worker", "alive", "flows", "half_open", "players",
                                            "sessions", "stream_bytes"});
    }
    return "ordered\n";
}

}  // namespace portcullis::app
