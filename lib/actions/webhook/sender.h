#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "actions/webhook/hook.h"

namespace portcullis::actions::webhook {

/// The address in a file that `url_file` names.  Throws SetupError as read_secret does, and
/// when it begins with neither https:// nor http://.
std::string read_url(const std::string& file);

/// Delivers the alerts of all webhooks over HTTP, on a thread of its own.  Each
/// has one message under way at most, all of them side by side.
class Sender {
public:
    struct Target {
        Hook::Settings settings;
        std::string url_file;
    };
    struct Settings {
        std::chrono::milliseconds connect_timeout{5'000};
        std::chrono::milliseconds timeout{10'000};
    };

    /// Throws SetupError: an url_file that is not there or holds no http address.
    Sender(const std::vector<Target>& targets, Report report);
    Sender(const std::vector<Target>& targets, Report report, Settings settings);
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;
    ~Sender();

    /// Any thread; never waits for the network.
    void add(std::span<const verdicts::Entry> entries);
    /// Reads the addresses again, and tries those that were given up.  One that cannot be
    /// read stays as it was.  What is to be said of that: a sentence each.
    std::vector<std::string> reload() noexcept;
    std::vector<Standing> standings() const;

    /// Sends what waits without gathering, for `limit`; the rest has expired.
    void finish(std::chrono::milliseconds limit) noexcept;

private:
    class Loop;
    std::unique_ptr<Loop> loop_;
};

}  // namespace portcullis::actions::webhook
