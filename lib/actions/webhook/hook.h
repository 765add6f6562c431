#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actions/backoff.h"
#include "actions/report.h"
#include "actions/webhook/message.h"
#include "config/config.h"

namespace portcullis::actions::webhook {

/// What came back for one message.
struct Response {
    int status = 0;  ///< 0: nothing did; `problem` says why.
    std::string problem{};
    std::optional<double> retry_after_s{};  ///< From the body, or the header.
    std::optional<double> remaining{};      ///< X-RateLimit-Remaining
    std::optional<double> reset_after_s{};  ///< X-RateLimit-Reset-After
    /// The limit is that of all who ask from here, whatever they ask for.
    bool for_all = false;
};

/// One webhook's queue and manners, without the network: what to send, when, and
/// what an answer means.
///
/// Alerts wait a little for others to share their message; those of one player
/// and check become one.  The service's limits are obeyed as it states them.
/// What cannot be delivered is tried again, ever more slowly, until the first verdict
/// in it is `age_max` old; one that comes after half of that begins a new alert, so that it
/// has half of it at least.  An address that is refused is not bothered again until
/// `enable`, nor is one that understands nothing of what we say.
class Hook {
public:
    using Clock = std::chrono::steady_clock;
    using Milliseconds = std::chrono::milliseconds;
    /// So many messages in a row that are not understood, and no more is sent.
    static constexpr uint32_t refusals_max = 3;

    struct Settings {
        config::WebhookKind kind = config::WebhookKind::discord;
        uint8_t place = 0;    ///< Which of the configured ones; goes into outcomes,
        std::string name;     ///< and its url_file, which tells it from others.
        bool copied = false;  ///< That file is a copy made at the start: see is_credential.
        double min_confidence = 0.95;
        Milliseconds gather{2'000};
        Milliseconds backoff_first{1'000};
        Milliseconds backoff_max{300'000};
        Milliseconds age_max{600'000};
        size_t alerts_max = 1'000;     ///< Waiting messages-to-be; the mildest gives way.
        size_t verdicts_max = 10'000;  ///< Spoken of by them; one more fails.
    };

    Hook(Settings settings, Report report);

    /// Whether one with these settings is told of it.
    static bool wants(const Settings& settings, const verdicts::VerdictRecord& record) noexcept;
    bool wants(const verdicts::Entry& entry) const noexcept {
        return wants(settings_, entry.record);
    }
    void add(const verdicts::Entry& entry, Clock::time_point now);

    /// When `take` has something; nothing while a message is under way or none waits.
    std::optional<Clock::time_point> due() const;
    /// The next message; its answer must be given before another is taken.
    std::string take();
    void answer(const Response& response, Clock::time_point now);
    /// Another one of the same service was told to wait, for all.
    void hold_back(Clock::time_point until) noexcept;
    /// Until when the service asked to wait.
    Clock::time_point paused_until() const noexcept { return paused_until_; }

    /// Gives up what is too old.
    void expire(Clock::time_point now);
    /// Its address was read again.  One that was given up, or has another now, is tried at
    /// once; but the time that the service asked for is waited for.
    void enable(bool another_address);
    /// No gathering any more; for the end.
    void hurry() noexcept { hurried_ = true; }
    /// Reports all that is left as expired.
    void give_up();

    bool given_up() const noexcept { return disabled_by_ != 0; }
    size_t waiting() const noexcept { return verdicts_; }
    Standing standing() const;

private:
    struct Waiting {
        Alert alert;
        Clock::time_point since;  ///< When the first of them came.
        uint32_t attempts = 0;
    };

    void make_room();
    void put_back();
    void report(const Waiting& waiting, verdicts::Result result, std::string_view detail);
    void report_sent(verdicts::Result result, std::string_view detail);
    void disable(int status);
    std::string_view remedy() const noexcept;
    void pause(Milliseconds how_long, Clock::time_point now);

    const Settings settings_;
    const Report report_;
    std::deque<Waiting> queue_;
    std::vector<Waiting> sent_;         ///< Under way.
    size_t verdicts_ = 0;               ///< Spoken of in both.
    Clock::time_point paused_until_{};  ///< The service asked for it,
    Clock::time_point try_again_at_{};  ///< and this is of ourselves.
    Backoff backoff_;
    bool hurried_ = false;
    uint32_t refusals_ = 0;  ///< Messages in a row that were not understood.
    int disabled_by_ = 0;    ///< The status that did it.
    std::string trouble_;
};

}  // namespace portcullis::actions::webhook
