#pragma once

#include "config/config.h"

namespace portcullis::control {

/// Sends spdlog's messages to stderr from a thread of their own: when nobody
/// reads stderr, the oldest messages are lost and nothing waits.  Under systemd
/// each line has its priority for the journal and no time of its own.
void start_log(const config::Logging& logging);

/// Also while running.
void set_log_level(const config::Logging& logging);

}  // namespace portcullis::control
