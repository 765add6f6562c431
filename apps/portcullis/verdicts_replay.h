#pragma once

#include <string>
#include <vector>

namespace portcullis::app {

/// `verdicts replay`: what was asked.
struct ReplayOptions {
    std::string log;                ///< The verdict log's directory,
    std::string evidence;           ///< and that of its evidence.
    std::vector<std::string> what;  ///< Ids, or files.
    bool all = false;               ///< Whatever is in `evidence`.
    bool jsonl = false;
};

/// Exit code: 0 when every verdict came out as it was stored.
int replay_verdicts(const ReplayOptions& options);

}  // namespace portcullis::app
