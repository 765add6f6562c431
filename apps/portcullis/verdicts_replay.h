#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace portcullis::app {

/// `verdicts replay`: what was asked.
struct ReplayOptions {
    std::string log;                ///< The verdict log's directory,
    std::string evidence;           ///< and that of its evidence.
    std::vector<std::string> what;  ///< Ids, or files.
    bool all = false;               ///< Whatever is in `evidence`.
    bool jsonl = false;
    std::vector<config::Signature> signatures;  ///< The configuration's.
};

/// Exit code: 0 when every verdict came out as it was stored.
int replay_verdicts(const ReplayOptions& options);

}  // namespace portcullis::app
