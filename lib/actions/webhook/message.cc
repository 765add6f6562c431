#include "actions/webhook/message.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "verdicts/json.h"

namespace portcullis::actions::webhook {

namespace {

using Json = nlohmann::ordered_json;
using verdicts::VerdictRecord;

/// 0xRRGGBB, milder actions cooler.
constexpr int colour_of(policy::Action action) noexcept {
    switch (action) {
        case policy::Action::log:
            return 0x95a5a6;
        case policy::Action::alert:
            return 0xf1c40f;
        case policy::Action::drop:
        case policy::Action::neutralise:
            return 0xe67e22;
        default:
            return 0xe74c3c;
    }
}

std::string cut(std::string text, size_t max) {
    if (text.size() <= max) return text;
    while (max > 0 && (static_cast<uint8_t>(text[max]) & 0xc0) == 0x80) --max;
    text.resize(max);
    return text;
}

std::string number(double value) {
    std::string text;
    verdicts::append_json_number(text, value);
    return text;
}

std::string rounded(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", value);
    return text;
}

/// Builds one embed and counts its texts, as Discord does.
class Embed {
public:
    void text(const char* key, std::string value, size_t max) {
        value = cut(std::move(value), max);
        size_ += value.size();
        json_[key] = std::move(value);
    }
    void field(const std::string& name, std::string value) {
        value = cut(std::move(value), discord_field_value_max);
        if (value.empty()) value = "-";  // Discord refuses empty ones.
        size_ += name.size() + value.size();
        json_["fields"].push_back({{"name", name}, {"value", std::move(value)}, {"inline", true}});
    }
    void footer(std::string value) {
        value = cut(std::move(value), discord_footer_max);
        size_ += value.size();
        json_["footer"] = {{"text", std::move(value)}};
    }
    Json& json() noexcept { return json_; }
    size_t size() const noexcept { return size_; }

private:
    Json json_ = Json::object();
    size_t size_ = 0;
};

std::string title_of(const verdicts::Entry& entry) {
    const VerdictRecord& record = entry.record;
    const auto name = record.player.name.view();
    const std::string title = escape_markdown(entry.check) + ": ";
    const std::string from = escape_markdown(to_string(own_address(record)));
    if (name.empty()) return title + from + ", no player yet";
    if (!record.in_game) return title + from + ", who calls himself " + escape_markdown(name);
    return title + escape_markdown(name);
}

std::string description_of(const Alert& alert) {
    const VerdictRecord& record = alert.entry.record;
    std::string text = number(record.observed) + " against " + number(record.limit) + ' ' +
                       escape_markdown(record.unit.view());
    if (!record.note.empty()) text += ", " + escape_markdown(record.note.view());
    if (alert.verdicts.size() > 1) {
        text += "\nand " + std::to_string(alert.verdicts.size() - 1) + " more like it";
    }
    return text;
}

Embed embed_of(const Alert& alert) {
    const VerdictRecord& record = alert.entry.record;
    Embed embed;
    embed.text("title", title_of(alert.entry), discord_title_max);
    embed.text("description", description_of(alert), discord_description_max);
    embed.json()["color"] = colour_of(record.action);
    embed.json()["timestamp"] = verdicts::time_text(record.time);
    embed.field("Service", escape_markdown(alert.entry.service));
    std::string action(name_in(policy::action_names, record.action));
    if (record.mode == verdicts::Mode::observe) action += " (observed only)";
    embed.field("Action", std::move(action));
    embed.field("Confidence", rounded(record.confidence));
    embed.field("Level", rounded(record.level));
    embed.footer(verdicts::to_string(alert.entry.id()));
    return embed;
}

/// Names may hold bytes that are no UTF-8.
std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string escape_markdown(std::string_view text) {
    constexpr std::string_view special = "\\*_~`|>#-[]()@:<";
    std::string out;
    for (const char c : text) {
        if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) continue;
        if (special.contains(c)) out += '\\';
        out += c;
    }
    return out;
}

Message discord_message(std::span<const Alert> alerts) {
    Json embeds = Json::array();
    size_t size = 0;
    for (const Alert& alert : alerts.first(std::min(alerts.size(), discord_embeds_max))) {
        Embed embed = embed_of(alert);
        if (!embeds.empty() && size + embed.size() > discord_message_max) break;
        size += embed.size();
        embeds.push_back(std::move(embed.json()));
    }
    const size_t count = embeds.size();
    Json message;
    message["username"] = "Portcullis";
    message["allowed_mentions"]["parse"] = Json::array();
    message["embeds"] = std::move(embeds);
    return {dump(message), count};
}

Message json_message(std::span<const Alert> alerts) {
    const auto some = alerts.first(std::min(alerts.size(), message_alerts_max));
    std::string body = R"({"type":"verdicts","verdicts":[)";
    for (const Alert& alert : some) {
        if (body.back() != '[') body += ',';
        const verdicts::Entry& entry = alert.entry;
        verdicts::append_json(body, entry.record, entry.check, entry.service);
        body.pop_back();  // The brace, to say one thing more.
        body += ",\"like_it\":" + std::to_string(alert.verdicts.size()) + '}';
    }
    body += "]}";
    return {std::move(body), some.size()};
}

}  // namespace portcullis::actions::webhook
