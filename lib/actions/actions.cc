#include "actions/actions.h"

#include <algorithm>
#include <array>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <atomic>
#include <deque>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <spdlog/spdlog.h>

#include "actions/blocklist/blocklist.h"
#include "actions/rcon/client.h"
#include "actions/report.h"
#include "actions/secret.h"
#include "actions/webhook/sender.h"
#include "base/ip_mask.h"
#include "base/setup_error.h"
#include "base/wall_clock.h"
#include "policy/kick_message.h"
#include "verdicts/log.h"

namespace portcullis::actions {

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using policy::Action;
using verdicts::Asked;
using verdicts::Outcome;
using verdicts::Result;
using verdicts::Target;
using verdicts::VerdictId;
using verdicts::VerdictRecord;

verdicts::Log::Settings log_settings(const config::VerdictLog& from) {
    verdicts::Log::Settings settings;
    settings.path = from.path;
    settings.retention = std::chrono::hours(24) * from.retention_days;
    settings.flush = Milliseconds(from.flush_ms);
    settings.size_bytes_max = uint64_t{from.size_mib} << 20;
    return settings;
}

/// As much of a path as an outcome has room for.
std::string end_of(const std::string& path) {
    constexpr size_t size_max = 63;
    return path.size() <= size_max ? path : path.substr(path.size() - size_max);
}

std::vector<webhook::Sender::Target> webhook_targets(const config::Config& config) {
    std::vector<webhook::Sender::Target> targets;
    for (const config::Webhook& hook : config.webhooks) {
        webhook::Hook::Settings settings;
        settings.kind = hook.kind;
        settings.place = static_cast<uint8_t>(targets.size());
        settings.name = end_of(hook.url_file);
        settings.copied = is_credential(hook.url_file);
        settings.min_confidence = hook.min_confidence;
        targets.push_back({settings, hook.url_file});
    }
    return targets;
}

void wait_until(Clock::time_point limit, const auto& done) {
    while (!done() && Clock::now() < limit) std::this_thread::sleep_for(Milliseconds(2));
}

verdicts::Order block_order(const Block& block, Nanos now) {
    verdicts::Order order;
    order.kind = verdicts::Order::Kind::block;
    order.prefix = block.prefix;
    order.lasts = block.until - now;
    order.reason.assign(block.reason);
    return order;
}

/// Whom a verdict is about: an address, or the prefix that is one source.  Nothing where
/// only the address of a proxy is known.
std::optional<IpPrefix> source_of(const VerdictRecord& record) {
    const auto culprit = record.culprit();
    if (!culprit) return std::nullopt;
    return IpPrefix{masked(*culprit, record.source_bits), record.source_bits};
}

/// What a service's policy says of actions, and who carries them out.
struct ServicePart {
    std::string name;
    std::string kick_message;
    Nanos block_for{};
    std::vector<rcon::Client*> rcon;
    bool has_rcon = false;  ///< To the end, when the above has gone.
};

void take_policy(ServicePart& part, const config::Config& config) {
    const auto service = std::ranges::find(config.services, part.name, &config::Service::name);
    if (service == config.services.end()) return;
    const auto policy = std::ranges::find(config.policies, service->policy, &config::Policy::name);
    if (policy == config.policies.end()) return;
    part.kick_message = policy->kick_message;
    part.block_for = std::chrono::seconds(policy->block_s);
}

std::vector<ServicePart> service_parts(const config::Config& config) {
    std::vector<ServicePart> parts;
    for (const config::Service& service : config.services) {
        const config::Policy usual;
        parts.push_back(
            {service.name, usual.kick_message, std::chrono::seconds(usual.block_s), {}, false});
        take_policy(parts.back(), config);
    }
    return parts;
}

std::vector<std::string_view> names_of(const std::vector<ServicePart>& parts) {
    std::vector<std::string_view> names;
    for (const ServicePart& part : parts) names.push_back(part.name);
    return names;
}

}  // namespace

class Actions::Parts final : private verdicts::Asking {
public:
    Parts(const config::Config& config, std::span<const std::string_view> check_names,
          control::Orders& orders, LogHearer hearer)
        : orders_(orders),
          hearer_(std::move(hearer)),
          services_(service_parts(config)),
          service_names_(names_of(services_)),
          names_{check_names, service_names_, this},
          hooks_(webhook_targets(config)),
          blocklist_(Opening::later, config.verdict_log.blocks_path()),
          work_(asio::make_work_guard(loop_)) {
        const Report report = [this](const Outcome& outcome) { ended(outcome); };
        for (const config::Rcon& from : config.rcon) add_rcon(from, report);
        sender_ = std::make_unique<webhook::Sender>(hooks_, report);
        log_ = std::make_unique<verdicts::Log>(
            Opening::later, log_settings(config.verdict_log), names_,
            [this](std::span<const VerdictRecord> records) { committed(records); },
            [this](const verdicts::Entry& entry, std::span<const Outcome> outcomes) {
                return never_told(entry, outcomes);
            });
        loop_thread_ = std::thread([this] { loop_.run(); });
    }
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;
    ~Parts() override { finish(Milliseconds(1000)); }

    void await_open(Clock::time_point until) {
        log_->await_open(until);
        blocklist_.await_open(until);
        take_up_blocks();
        give_blocks();
    }

    void take(std::span<const VerdictRecord> records) {
        write_down(records);
        for (const VerdictRecord& record : records) {
            if (record.kind == Kind::outcome && record.result == Result::done) {
                for (const auto& [part, client] : rcon_) {
                    client->gone({record.id_high, record.id_low});
                }
            }
            if (record.kind != VerdictRecord::Kind::verdict ||
                record.mode != verdicts::Mode::enforce || record.service >= services_.size()) {
                continue;
            }
            if (is_kick(record)) kick(record);
            if (record.action == Action::block) block(record);
        }
    }

    void ordered(const verdicts::Order& order) {
        hear(order);
        // Others change nothing that would have to be saved.
        const bool of_list = order.kind == verdicts::Order::Kind::block ||
                             order.kind == verdicts::Order::Kind::unblock;
        ordered_.push_back({++orders_heard_, of_list ? blocklist_.changes() : 0});
        if (ordered_.size() > orders_remembered) ordered_.pop_front();
    }

    uint64_t orders_kept() {
        const uint64_t saved = blocklist_.saved();
        for (; !ordered_.empty() && ordered_.front().change <= saved; ordered_.pop_front()) {
            orders_kept_ = ordered_.front().number;
        }
        return orders_kept_;
    }

    void hear(const verdicts::Order& order) {
        if (order.kind == verdicts::Order::Kind::block) {
            const std::string reason(order.reason.view());
            if (!blocklist_.set({order.prefix, wall_clock() + order.lasts, reason, true})) {
                spdlog::error("the block of {} holds until the restart only: {}",
                              to_string(order.prefix), objection(order));
            }
            let_displaced_in();
        } else if (order.kind == verdicts::Order::Kind::unblock) {
            blocklist_.remove(order.prefix);
            std::erase_if(to_give_, [&](const auto& o) { return o.prefix == order.prefix; });
        }
    }

    std::string objection(const verdicts::Order& order) const {
        if (order.kind != verdicts::Order::Kind::block ||
            blocklist_.has_room_for_operator(order.prefix)) {
            return {};
        }
        return "the block list holds " + std::to_string(Blocklist::blocks_max) +
               " blocks of operators, the most that it can; unblock some, or block wider prefixes";
    }

    std::vector<std::string> reloaded(const config::Config& config) {
        for (ServicePart& service : services_) take_policy(service, config);
        return sender_->reload();
    }

    void clock_set(Nanos step) { blocklist_.shift(step); }

    void keep_house() {
        take_up_blocks();
        give_blocks();
        tell_saved();
        if (hearer_.lags) hearer_.lags(log_->counts().lag);
        const auto now = Clock::now();
        if (now < look_at_blocks_) return;
        look_at_blocks_ = now + std::chrono::seconds(1);
        blocklist_.expire(wall_clock());
    }

    control::SinkStatus status() const {
        control::SinkStatus status;
        const verdicts::Log::Counts log = log_->counts();
        const std::string trouble = log_->trouble();
        status.conditions.push_back({"verdict_log", trouble.empty(), trouble});
        for (const auto& [part, client] : rcon_) {
            const Standing stands = client->standing();
            status.conditions.push_back({part, stands.well, stands.says});
        }
        size_t place = 0;
        for (const Standing& stands : sender_->standings()) {
            status.conditions.push_back(
                {"webhook/" + std::to_string(place++), stands.well, stands.says});
        }
        const Standing blocks = blocklist_.standing();
        status.conditions.push_back({"blocklist", blocks.well, blocks.says});
        add_counts(status, log);
        status.waiting = log.waiting;
        status.lag_s = std::chrono::duration<double>(log.lag).count();
        return status;
    }

    void finish(Milliseconds limit) {
        if (finished_) return;
        finished_ = true;
        const auto start = Clock::now();
        // Webhooks hear of what the log has written, so that comes first; the
        // last outcomes are written, so the log ends last.
        wait_until(start + limit * 2 / 5, [this] { return log_->counts().waiting == 0; });
        sender_->finish(limit / 4);
        wait_until(start + limit * 3 / 4, [this] {
            return std::ranges::all_of(rcon_, [](const auto& r) {
                return r.second->waiting() == 0 || !r.second->standing().well;
            });
        });
        loop_.stop();
        loop_thread_.join();
        for (ServicePart& service : services_) service.rcon.clear();
        rcon_.clear();
        const auto left = [&] {
            const auto rest = start + limit - Clock::now();
            return std::max(std::chrono::duration_cast<Milliseconds>(rest), Milliseconds(100));
        };
        blocklist_.finish(left() / 2);
        tell_saved();
        while (!unsaved_.empty()) tell_first_unsaved();
        log_->finish(left());
    }

private:
    using Kind = VerdictRecord::Kind;

    /// Outcomes stand with their verdict, everything else by itself, in order.
    void write_down(std::span<const VerdictRecord> records) {
        const auto is_outcome = [](const VerdictRecord& r) { return r.kind == Kind::outcome; };
        while (!records.empty()) {
            const auto at = std::ranges::find_if(records, is_outcome) - records.begin();
            const auto before = static_cast<size_t>(at);
            log_->append(records.first(before));
            records = records.subspan(before);
            while (!records.empty() && is_outcome(records.front())) {
                const VerdictRecord& record = records.front();
                ended({{record.id_high, record.id_low},
                       Target::wire,
                       record.result,
                       0,
                       1,
                       wall_clock(),
                       record.note.view()});
                records = records.subspan(1);
            }
        }
    }

    void add_rcon(const config::Rcon& from, const Report& report) {
        rcon::Client::Settings settings;
        settings.service = from.service;
        settings.endpoint = from.endpoint;
        settings.password_file = from.password_file;
        settings.kick = from.kick;
        rcon_.emplace_back("rcon/" + from.service,
                           std::make_unique<rcon::Client>(loop_, settings, report));
        const auto service = std::ranges::find(services_, from.service, &ServicePart::name);
        if (service == services_.end()) {
            throw UsageError("rcon: there is no service called " + from.service);
        }
        service->rcon.push_back(rcon_.back().second.get());
        service->has_rcon = true;
    }

    void kick(const VerdictRecord& record) {
        const ServicePart& service = services_[record.service];
        const std::string_view player = record.player.name.view();
        std::string message;
        policy::fill_message(service.kick_message, names_.check(record), player,
                             [&](std::string_view part) { message += part; });
        for (rcon::Client* client : service.rcon) {
            client->kick({record.id_high, record.id_low}, player, message);
        }
    }

    void block(const VerdictRecord& record) {
        const auto culprit = source_of(record);
        const Block block{culprit.value_or(IpPrefix{}),
                          wall_clock() + services_[record.service].block_for,
                          std::string(names_.check(record))};
        Outcome outcome{{record.id_high, record.id_low},
                        Target::blocklist,
                        Result::done,
                        0,
                        1,
                        wall_clock(),
                        {}};
        if (!culprit) {
            outcome.result = Result::failed;
            outcome.detail.assign("only the proxy's address is known, which others share");
            ended(outcome);
            return;
        }
        switch (blocklist_.add(block)) {
            case Blocklist::Added::new_block:
            case Blocklist::Added::longer:
                outcome.detail.assign("until " + verdicts::time_text(block.until));
                let_displaced_in();
                to_give_.push_back(block_order(block, wall_clock()));
                give_blocks();
                break;
            case Blocklist::Added::no_news:
                outcome.detail.assign("blocked already");
                break;
            case Blocklist::Added::full:
                outcome.result = Result::failed;
                outcome.detail.assign("the block list is full");
                break;
        }
        tell_once_saved(outcome);
    }

    /// What an earlier verdict did to the list is what this one relies on, so that is waited
    /// for, too.
    void tell_once_saved(const Outcome& outcome) {
        unsaved_.push_back({blocklist_.changes(), Clock::now() + save_patience, outcome});
        tell_saved();
        if (unsaved_.size() > unsaved_max) tell_first_unsaved();
    }

    /// How blocks ended that would outlive a crash now, or are not waited for any longer.
    void tell_saved() {
        const uint64_t saved = blocklist_.saved();
        while (!unsaved_.empty() && unsaved_.front().change <= saved) {
            ended(unsaved_.front().outcome);
            unsaved_.pop_front();
        }
        const auto now = Clock::now();
        while (!unsaved_.empty() && unsaved_.front().give_up_at <= now) tell_first_unsaved();
    }

    void tell_first_unsaved() {
        Outcome& outcome = unsaved_.front().outcome;
        if (outcome.result == Result::done) {
            outcome.detail.assign(std::string(outcome.detail.view()) +
                                  ", or until a restart: the list could not be saved yet");
        }
        ended(outcome);
        unsaved_.pop_front();
    }

    /// What an earlier run left, as soon as it is read.
    void take_up_blocks() {
        if (!blocklist_.take_read()) return;
        blocklist_.expire(wall_clock());
        for (const Block& block : blocklist_.blocks()) {
            to_give_.push_back(block_order(block, wall_clock()));
        }
        let_displaced_in();
    }

    /// Whom the list has no room for, Workers are not to keep out any longer.
    void let_displaced_in() {
        for (const IpPrefix& prefix : blocklist_.take_displaced()) {
            ++displaced_;
            verdicts::Order order;
            order.kind = verdicts::Order::Kind::unblock;
            order.prefix = prefix;
            to_give_.push_back(order);
        }
    }

    /// Control takes only so many Orders at once; the rest goes the next time.
    void give_blocks() {
        size_t given = 0;
        while (given < to_give_.size() && orders_.give(to_give_[given])) ++given;
        to_give_.erase(to_give_.begin(), to_give_.begin() + static_cast<ptrdiff_t>(given));
    }

    /// On the log's thread.
    void committed(std::span<const VerdictRecord> records) {
        if (hearer_.committed) hearer_.committed(records);
        std::vector<verdicts::Entry> entries;
        for (const VerdictRecord& record : records) {
            if (record.kind != VerdictRecord::Kind::verdict || record.action < Action::alert) {
                continue;
            }
            entries.push_back(
                {record, std::string(names_.check(record)), std::string(names_.service(record))});
        }
        if (!entries.empty()) sender_->add(entries);
    }

    /// On the log's thread, which keeps it with the verdict: what `take` and `committed` do
    /// about it, here or in a moment.
    std::vector<Asked> asked(const VerdictRecord& record) const override {
        std::vector<Asked> all;
        if (record.kind != Kind::verdict || record.action < Action::alert) return all;
        for (const webhook::Sender::Target& hook : hooks_) {
            if (!webhook::Hook::wants(hook.settings, record)) continue;
            all.push_back(
                {Target::webhook, hook.settings.place, std::string_view(hook.settings.name)});
        }
        if (record.mode != verdicts::Mode::enforce || record.service >= services_.size()) {
            return all;
        }
        if (record.acts && record.action > Action::alert) all.push_back({Target::wire});
        const ServicePart& service = services_[record.service];
        if (is_kick(record) && service.has_rcon) {
            all.push_back({Target::rcon, 0, std::string_view(service.name)});
        }
        if (record.action == Action::block) all.push_back({Target::blocklist});
        return all;
    }

    /// A name before the login is only a claim: whose it is may be playing.
    static bool is_kick(const VerdictRecord& record) {
        return record.action >= Action::kick && record.in_game;
    }

    /// What an earlier run was asked to do for a verdict when it ended.  It may have been
    /// done and not told, so it is not done again.  On the log's thread.
    std::vector<Outcome> never_told(const verdicts::Entry& entry,
                                    std::span<const Outcome> outcomes) {
        std::vector<Outcome> lost;
        for (const Asked& one : entry.asked) {
            const auto is_of = [&](const Outcome& o) {
                return o.target == one.target && o.place == one.place;
            };
            if (std::ranges::any_of(outcomes, is_of)) continue;
            ++ended_[static_cast<size_t>(one.target)][static_cast<size_t>(Result::expired)];
            lost.push_back({entry.id(),
                            one.target,
                            Result::expired,
                            one.place,
                            0,
                            wall_clock(),
                            {"the appliance ended before it told"},
                            one.name});
        }
        return lost;
    }

    /// On any action's thread.
    void ended(const Outcome& outcome) {
        ++ended_[static_cast<size_t>(outcome.target)][static_cast<size_t>(outcome.result)];
        log_->append(outcome);
    }

    void add_counts(control::SinkStatus& status, const verdicts::Log::Counts& log) const {
        for (size_t target = 0; target < ended_.size(); ++target) {
            for (size_t result = 0; result < ended_[target].size(); ++result) {
                status.outcomes.push_back({std::string(verdicts::target_names[target]),
                                           std::string(verdicts::result_names[result]),
                                           ended_[target][result]});
            }
        }
        status.outcomes.push_back({"blocklist", "displaced", displaced_});
        status.outcomes.push_back({"verdict_log", "stored", log.stored});
        status.outcomes.push_back({"verdict_log", "lost_verdicts", log.lost_verdicts});
        status.outcomes.push_back({"verdict_log", "lost_others", log.lost_others});
        status.outcomes.push_back({"verdict_log", "stored_outcomes", log.outcomes_stored});
        status.outcomes.push_back({"verdict_log", "lost_outcomes", log.outcomes_lost});
        status.outcomes.push_back({"verdict_log", "failed_writes", log.failures});
    }

    /// A block that holds, of which the list on the disk may not know yet.
    struct Unsaved {
        uint64_t change;  ///< Of the list.
        Clock::time_point give_up_at;
        Outcome outcome;
    };
    struct Ordered {
        uint64_t number;  ///< Of the operators' Orders, from 1.
        uint64_t change;  ///< Of the list.
    };
    static constexpr Milliseconds save_patience{3'000};
    static constexpr size_t unsaved_max = 10'000;
    static constexpr size_t orders_remembered = 1'000;

    using Counters = std::array<std::atomic<uint64_t>, verdicts::result_names.size()>;

    control::Orders& orders_;
    const LogHearer hearer_;
    std::vector<ServicePart> services_;
    const std::vector<std::string_view> service_names_;
    const verdicts::Names names_;
    const std::vector<webhook::Sender::Target> hooks_;
    std::array<Counters, verdicts::target_names.size()> ended_{};
    Blocklist blocklist_;
    std::vector<verdicts::Order> to_give_;  ///< That Control had no room for.
    std::deque<Unsaved> unsaved_;
    std::deque<Ordered> ordered_;  ///< Of which is not known that they are on the disk.
    uint64_t orders_heard_ = 0, orders_kept_ = 0;
    uint64_t displaced_ = 0;  ///< Blocks that gave way to others in a full list.
    Clock::time_point look_at_blocks_{};
    std::unique_ptr<verdicts::Log> log_;
    std::unique_ptr<webhook::Sender> sender_;
    asio::io_context loop_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::vector<std::pair<std::string, std::unique_ptr<rcon::Client>>> rcon_;
    std::thread loop_thread_;
    bool finished_ = false;
};

Actions::Actions(const config::Config& config, std::span<const std::string_view> check_names,
                 control::Orders& orders, LogHearer hearer, Opening::Clock::time_point open_by)
    : parts_(std::make_unique<Parts>(config, check_names, orders, std::move(hearer))) {
    parts_->await_open(open_by);
}
Actions::~Actions() = default;

void Actions::take(std::span<const verdicts::VerdictRecord> records) noexcept {
    parts_->take(records);
}
void Actions::ordered(const verdicts::Order& order) noexcept { parts_->ordered(order); }
uint64_t Actions::orders_kept() noexcept { return parts_->orders_kept(); }
std::string Actions::objection(const verdicts::Order& order) const {
    return parts_->objection(order);
}
std::vector<std::string> Actions::reloaded(const config::Config& config) noexcept {
    return parts_->reloaded(config);
}
void Actions::clock_set(Nanos step) noexcept { parts_->clock_set(step); }
void Actions::keep_house() noexcept { parts_->keep_house(); }
control::SinkStatus Actions::status() const { return parts_->status(); }
void Actions::finish(std::chrono::milliseconds limit) noexcept { parts_->finish(limit); }

}  // namespace portcullis::actions
