#include "actions/webhook/hook.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "base/wall_clock.h"

namespace portcullis::actions::webhook {

namespace {

constexpr int request_timeout = 408;

/// Whatever the message: nobody takes any at this address.
constexpr bool refuses_address(int status) noexcept {
    return status == 401 || status == 403 || status == 404 || status == 410;
}

using verdicts::Entry;
using verdicts::Result;

/// One news.  Where nobody has said a name, an address is all there is to act on; and who
/// only says one may be another than who plays under it.
bool alike(const Entry& a, const Entry& b) noexcept {
    return a.record.player.name == b.record.player.name && a.check == b.check &&
           a.service == b.service && a.record.action == b.record.action &&
           a.record.in_game == b.record.in_game &&
           (a.record.in_game || own_address(a.record) == own_address(b.record));
}

/// Which of two alerts may rather be dropped.
bool milder(const Entry& a, const Entry& b) noexcept {
    if (a.record.action != b.record.action) return a.record.action < b.record.action;
    return a.record.confidence < b.record.confidence;
}

Hook::Milliseconds milliseconds(double seconds) noexcept {
    // A day at most: a lying server must not overflow the clock.
    return Hook::Milliseconds(static_cast<int64_t>(std::clamp(seconds, 0.0, 86'400.0) * 1000.0));
}

}  // namespace

Hook::Hook(Settings settings, Report report)
    : settings_(std::move(settings)),
      report_(std::move(report)),
      backoff_(settings_.backoff_first, settings_.backoff_max) {}

bool Hook::wants(const Settings& settings, const verdicts::VerdictRecord& record) noexcept {
    return record.kind == verdicts::VerdictRecord::Kind::verdict &&
           record.action >= policy::Action::alert &&
           static_cast<double>(record.confidence) + 1e-6 >= settings.min_confidence;
}

void Hook::add(const Entry& entry, Clock::time_point now) {
    Waiting waiting{{entry, {entry.id()}}, now, 0};
    ++verdicts_;
    if (disabled_by_ != 0) {
        return report(waiting, Result::failed,
                      "disabled after status " + std::to_string(disabled_by_));
    }
    if (verdicts_ > settings_.verdicts_max) {
        return report(waiting, Result::failed, "too many alerts wait already");
    }
    for (Waiting& other : queue_) {
        if (!alike(other.alert.entry, entry)) continue;
        if (now - other.since > settings_.age_max / 2) continue;
        if (milder(other.alert.entry, entry)) other.alert.entry = entry;
        other.alert.verdicts.push_back(entry.id());
        return;
    }
    queue_.push_back(std::move(waiting));
    make_room();
}

void Hook::make_room() {
    if (queue_.size() <= settings_.alerts_max) return;
    const auto mildest = std::ranges::min_element(
        queue_, [](const auto& a, const auto& b) { return milder(a.alert.entry, b.alert.entry); });
    report(*mildest, Result::failed, "too many alerts wait already");
    queue_.erase(mildest);
}

std::optional<Hook::Clock::time_point> Hook::due() const {
    if (queue_.empty() || !sent_.empty()) return std::nullopt;
    const bool full = hurried_ || queue_.size() >= discord_embeds_max;
    const auto ripe = full ? queue_.front().since : queue_.front().since + settings_.gather;
    return std::max({ripe, paused_until_, try_again_at_});
}

std::string Hook::take() {
    std::vector<Alert> alerts;
    for (const Waiting& waiting : queue_) {
        alerts.push_back(waiting.alert);
        if (alerts.size() == message_alerts_max) break;
    }
    Message message = settings_.kind == config::WebhookKind::discord ? discord_message(alerts)
                                                                     : json_message(alerts);
    for (size_t i = 0; i < message.alerts; ++i) {
        sent_.push_back(std::move(queue_.front()));
        queue_.pop_front();
        ++sent_.back().attempts;
    }
    return std::move(message.body);
}

void Hook::answer(const Response& response, Clock::time_point now) {
    const int status = response.status;
    const std::string said = status == 0 ? response.problem : "status " + std::to_string(status);
    if (status >= 200 && status < 300) {
        report_sent(Result::done, said);
        backoff_.reset();
        refusals_ = 0;
        trouble_.clear();
        if (response.remaining == 0.0) pause(milliseconds(response.reset_after_s.value_or(1)), now);
        return;
    }
    trouble_ = said;
    if (refuses_address(status)) return disable(status);
    if (status == 429) {
        put_back();
        if (response.retry_after_s) return pause(milliseconds(*response.retry_after_s), now);
        try_again_at_ = now + backoff_.next();
        return;
    }
    if (status == 0 || status == request_timeout || status >= 500) {
        put_back();
        try_again_at_ = now + backoff_.next();
        return;
    }
    // It does not like what we say, and would not the next time.
    report_sent(Result::failed, said);
    if (++refusals_ == refusals_max) disable(status);
}

/// As long as the service asks for, and a little more, so that not all who were
/// told the same come back together.
void Hook::pause(Milliseconds how_long, Clock::time_point now) {
    hold_back(now + how_long + backoff_.jitter(Milliseconds(100)));
}

void Hook::hold_back(Clock::time_point until) noexcept {
    paused_until_ = std::max(paused_until_, until);
}

void Hook::put_back() {
    for (auto it = sent_.rbegin(); it != sent_.rend(); ++it) queue_.push_front(std::move(*it));
    sent_.clear();
}

void Hook::disable(int status) {
    disabled_by_ = status;
    spdlog::error("webhook {} is disabled: it refuses what it is sent with status {}; {}",
                  settings_.place, status, remedy());
    put_back();
    for (const Waiting& waiting : queue_) report(waiting, Result::failed, trouble_);
    queue_.clear();
}

/// What the operator can do about it.
std::string_view Hook::remedy() const noexcept {
    return settings_.copied
               ? "put a valid address in the file that LoadCredential= names and restart: its "
                 "url_file is a copy made at the start"
               : "put a valid address in its url_file and reload";
}

void Hook::enable(bool another_address) {
    if (disabled_by_ == 0 && !another_address) return;
    if (disabled_by_ != 0) spdlog::info("webhook {} is tried again", settings_.place);
    disabled_by_ = 0;
    refusals_ = 0;
    trouble_.clear();
    backoff_.reset();
    try_again_at_ = {};
}

void Hook::expire(Clock::time_point now) {
    const auto too_old = [&](const Waiting& w) { return now - w.since > settings_.age_max; };
    for (const Waiting& waiting : queue_) {
        if (too_old(waiting)) report(waiting, Result::expired, trouble_);
    }
    std::erase_if(queue_, too_old);
}

void Hook::give_up() {
    put_back();
    for (const Waiting& waiting : queue_) report(waiting, Result::expired, "the appliance ended");
    queue_.clear();
}

void Hook::report(const Waiting& waiting, Result result, std::string_view detail) {
    for (const verdicts::VerdictId& id : waiting.alert.verdicts) {
        --verdicts_;
        report_({id, verdicts::Target::webhook, result, settings_.place, waiting.attempts,
                 wall_clock(), detail, std::string_view(settings_.name)});
    }
}

void Hook::report_sent(Result result, std::string_view detail) {
    for (const Waiting& waiting : sent_) report(waiting, result, detail);
    sent_.clear();
}

Standing Hook::standing() const {
    if (disabled_by_ != 0) {
        return {false, "disabled: it refuses what it is sent with status " +
                           std::to_string(disabled_by_) + "; " + std::string(remedy())};
    }
    // What was refused or is too old is over, and reported as such.
    if (!trouble_.empty() && waiting() > 0)
        return {false, "last answer: " + trouble_ + "; trying again"};
    return {};
}

}  // namespace portcullis::actions::webhook
