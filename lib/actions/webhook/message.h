#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "verdicts/entry.h"

/// What people and programs are told through a webhook.
namespace portcullis::actions::webhook {

/// One line of news: a verdict, and how many like it came while it waited.
struct Alert {
    verdicts::Entry entry;                      ///< The most confident of them.
    std::vector<verdicts::VerdictId> verdicts;  ///< All of them.
};

/// Discord refuses a message over any of these (Webhook and Embed in its API v10).
inline constexpr size_t discord_embeds_max = 10;
inline constexpr size_t discord_title_max = 256;
inline constexpr size_t discord_description_max = 4096;
inline constexpr size_t discord_field_value_max = 1024;
inline constexpr size_t discord_footer_max = 2048;
inline constexpr size_t discord_message_max = 6000;  ///< All texts of all embeds.

/// Alerts in one message, of any kind.
inline constexpr size_t message_alerts_max = 100;

struct Message {
    std::string body;   ///< JSON.
    size_t alerts = 0;  ///< How many of those offered are in it.
};

/// An embed an alert; as many as Discord takes, at least one.
Message discord_message(std::span<const Alert> alerts);
/// {"type":"verdicts","verdicts":[…]}, each as `verdicts export` writes it, with
/// "like_it" telling how many came.
Message json_message(std::span<const Alert> alerts);

/// So that a name neither formats nor pings.
std::string escape_markdown(std::string_view text);

}  // namespace portcullis::actions::webhook
