#include "verdicts/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/hex.h"
#include "base/utf8.h"
#include "records/id.h"
#include "verdicts/entry.h"

namespace portcullis::verdicts {

namespace {

template <class Number>
void append_number(std::string& out, Number value) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    out.append(text, end);
}

void append_escaped(std::string& out, char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            out += "\\u00";
            append_hex(out, as_bytes({&c, 1}));
    }
}

void key(std::string& out, std::string_view name) {
    out += ",\"";
    out += name;
    out += "\":";
}

void text_member(std::string& out, std::string_view name, std::string_view value) {
    key(out, name);
    append_json_string(out, value);
}

void append_player(std::string& out, const VerdictRecord& record) {
    const PlayerIdentity& player = record.player;
    out += "{\"name\":";
    append_json_string(out, player.name.view());
    text_member(out, "uuid", uuid_text(player.uuid));
    key(out, "version");
    append_number(out, player.version);
    if (player.address_told()) text_member(out, "address", to_string(player.address));
    if (!player.loader.empty()) text_member(out, "loader", player.loader.view());
    if (player.floodgate) out += ",\"floodgate\":true";
    if (only_claimed(record)) out += ",\"in_game\":false";
    out += '}';
}

void append_evidence(std::string& out, const VerdictRecord& record) {
    out += "{\"observed\":";
    append_json_number(out, record.observed);
    key(out, "limit");
    append_json_number(out, record.limit);
    text_member(out, "unit", record.unit.view());
    if (!record.note.empty()) text_member(out, "note", record.note.view());
    if (record.repeats > 0) {
        key(out, "repeats");
        append_number(out, record.repeats);
    }
    out += '}';
}

/// What all kinds of records have, in the order that all of them keep.
void append_common(std::string& out, const VerdictRecord& record, std::string_view service) {
    text_member(out, "id", to_string(VerdictId{record.id_high, record.id_low}));
    text_member(out, "time", time_text(record.time));
    if (record.kind != VerdictRecord::Kind::disconnect) text_member(out, "service", service);
    if (record.kind == VerdictRecord::Kind::verdict || record.kind == VerdictRecord::Kind::opaque) {
        text_member(out, "protocol", name_in(protocol::protocol_names, record.protocol));
    }
    key(out, "flow");
    append_json_flow(out, record.client, record.server);
    key(out, "player");
    append_player(out, record);
}

/// For people: control characters would move their cursor.
void append_plain(std::string& out, std::string_view text) {
    portcullis::append_plain(out, text, '?');
}

void append_padded_text(std::string& out, std::string_view text, size_t width) {
    portcullis::append_plain_padded(out, text, '?', width);
}

/// Where he is: his own address goes before the proxy's.
std::string origin(const VerdictRecord& record) {
    return record.player.address_told() ? to_string(record.player.address)
                                        : to_string(record.client);
}

void append_rounded(std::string& out, double value, int decimals) {
    if (!std::isfinite(value)) {
        out += "-";
        return;
    }
    char text[64];
    const auto end =
        std::abs(value) < 1e15
            ? std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, decimals).ptr
            : std::to_chars(text, text + sizeof text, value).ptr;
    out.append(text, end);
}

void append_verdict_text(std::string& out, const VerdictRecord& record, std::string_view check) {
    append_padded_text(out, check, 20);
    out += " confidence ";
    append_rounded(out, record.confidence, 2);
    out += " level ";
    append_rounded(out, record.level, 1);
    out += "  ";
    out += name_in(policy::action_names, record.action);
    if (record.mode == Mode::observe) out += " (observed only)";
    out += "  ";
    append_json_number(out, record.observed);
    out += " against ";
    append_json_number(out, record.limit);
    out += ' ';
    append_plain(out, record.unit.view());
    if (!record.note.empty()) {
        out += ", ";
        append_plain(out, record.note.view());
    }
    if (record.repeats > 0) {
        out += ", and ";
        append_number(out, record.repeats);
        out += " like it before";
    }
    if (only_claimed(record)) out += "; not in the game, he only calls himself so";
}

}  // namespace

void append_json(std::string& out, const VerdictRecord& record, std::string_view check,
                 std::string_view service) {
    using Kind = VerdictRecord::Kind;
    switch (record.kind) {
        case Kind::verdict:
            out += "{\"type\":\"verdict\"";
            append_common(out, record, service);
            text_member(out, "check", check);
            key(out, "confidence");
            append_json_number(out, record.confidence);
            key(out, "level");
            append_json_number(out, record.level);
            text_member(out, "action", name_in(policy::action_names, record.action));
            text_member(out, "mode", name_in(mode_names, record.mode));
            key(out, "evidence");
            append_evidence(out, record);
            break;
        case Kind::login:
            out += "{\"type\":\"login\"";
            append_common(out, record, service);
            break;
        case Kind::disconnect:
            out += "{\"type\":\"disconnect\"";
            append_common(out, record, service);
            text_member(out, "reason", name_in(end_reason_names, record.end));
            break;
        case Kind::opaque:
            out += "{\"type\":\"opaque\"";
            append_common(out, record, service);
            break;
        case Kind::outcome:
        case Kind::count:
            out += "{\"type\":\"outcome\"";
            text_member(out, "verdict", to_string(VerdictId{record.id_high, record.id_low}));
            text_member(out, "time", time_text(record.time));
            text_member(out, "target", "wire");
            text_member(out, "result", name_in(result_names, record.result));
            text_member(out, "detail", record.note.view());
            break;
    }
    out += '}';
}

void append_text(std::string& out, const VerdictRecord& record, std::string_view check,
                 std::string_view service) {
    using Kind = VerdictRecord::Kind;
    append_time(out, record.time);
    out += "  ";
    append_padded_text(out, service, 10);
    out += "  ";
    append_padded_text(out, record.player.name.empty() ? "-" : record.player.name.view(), 16);
    out += "  ";
    append_padded_text(out, origin(record), 21);
    out += "  ";
    switch (record.kind) {
        case Kind::verdict:
            append_verdict_text(out, record, check);
            break;
        case Kind::login:
            out += "logged in, ";
            out += name_in(protocol::protocol_names, record.protocol);
            out += " version ";
            append_number(out, record.player.version);
            break;
        case Kind::disconnect:
            out += "left: ";
            out += name_in(end_reason_names, record.end);
            break;
        case Kind::opaque:
            out += "opaque: encrypted, and no key is known";
            break;
        case Kind::outcome:
        case Kind::count:
            out += "wire: ";
            out += name_in(result_names, record.result);
            out += ", ";
            append_plain(out, record.note.view());
            break;
    }
}

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    for (size_t i = 0; i < text.size();) {
        const size_t length = utf8_length(text.substr(i));
        if (length == 0) {
            out += "\xef\xbf\xbd";
            ++i;
            continue;
        }
        const std::string_view sequence = text.substr(i, length);
        if (sequence == "\"" || sequence == "\\" || is_control(sequence)) {
            append_escaped(out,
                           sequence.back());  // Of U+0080 to U+009F the last byte is the number.
        } else {
            out += sequence;
        }
        i += length;
    }
    out += '"';
}

void append_valid_utf8(std::string& out, std::string_view text) {
    for (size_t i = 0; i < text.size();) {
        const size_t length = utf8_length(text.substr(i));
        const std::string_view sequence = text.substr(i, length);
        if (length == 0) {
            out += "\xef\xbf\xbd";
        } else if (length > 1 && is_control(sequence)) {
            append_escaped(out, sequence.back());
        } else {
            out += sequence;
        }
        i += length == 0 ? 1 : length;
    }
}

void append_json_number(std::string& out, double value) {
    if (std::isfinite(value)) {
        append_number(out, value);
    } else {
        out += "null";
    }
}

void append_json_number(std::string& out, float value) {
    if (std::isfinite(value)) {
        append_number(out, value);
    } else {
        out += "null";
    }
}

void append_json_flow(std::string& out, const Endpoint& client, const Endpoint& server) {
    out += "{\"client\":\"";
    out += to_string(client);
    out += "\",\"server\":\"";
    out += to_string(server);
    out += "\"}";
}

void append_packet_head(std::string& out, Nanos time, const Ends& flow,
                        protocol::Direction direction, std::string_view state,
                        std::string_view name) {
    out += "{\"type\":\"packet\",\"time\":\"";
    append_time(out, time);
    out += "\",\"flow\":";
    append_json_flow(out, flow.client, flow.server);
    out += ",\"direction\":\"";
    out += name_in(protocol::direction_names, direction);
    out += "\",\"state\":\"";
    out += state;
    out += '"';
    text_member(out, "name", name);
}

}  // namespace portcullis::verdicts
