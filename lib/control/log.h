#pragma once

#include <string>
#include <string_view>

#include "config/config.h"

namespace portcullis::control {

/// "<3>" and so on, what sd-daemon(3) wants before a line for the journal; "" when
/// stderr does not go there.  `priority`: LOG_ERR, LOG_INFO… of syslog.h.
const char* journal_priority(int priority);
/// `text` with that before each of its lines: the journal takes each for a message.
std::string journal_lines(int priority, std::string_view text);

/// Sends spdlog's messages to stderr from a thread of their own: when nobody
/// reads stderr, the oldest messages are lost and nothing waits.  Under systemd
/// each line has its priority for the journal and no time of its own.  By the process,
/// once, before its first message.
void start_log(const config::Logging& logging);

/// Also while running.
void set_log_level(const config::Logging& logging);

}  // namespace portcullis::control
