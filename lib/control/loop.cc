#include "control/loop.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include "control/packet_line.h"
#include "policy/rule_set.h"
#include "verdicts/json.h"

namespace portcullis::control {

namespace {

using namespace std::chrono;

constexpr size_t batch_records = 512;
constexpr size_t batch_packets = 64;
constexpr int batches_a_turn = 16;  ///< Then others get their turn on the loop.
constexpr milliseconds house_interval{100};
constexpr uint64_t turns_a_second = 1s / house_interval;
constexpr unsigned record_lines_a_second = 50;
constexpr seconds driver_patience{10};     ///< Until it is said that one does not answer.
constexpr milliseconds driver_grace{500};  ///< At the end, however long the sinks took.

}  // namespace

Control::Loop::Loop(config::Config config, pipeline::WireSide& wire, Settings settings)
    : settings_(std::move(settings)),
      state_(std::move(config), wire, settings_.stall),
      commands_(state_, [this](Done done, Failed failed) { reload(done, failed); }),
      batch_(batch_records),
      clock_steps_(wall_clock(), steady_clock::now().time_since_epoch()),
      packet_batch_(batch_packets) {
    if (!settings_.compile) settings_.compile = policy::RuleSet::compile;
    state_.started = wall_clock();
    mailbox_->loop = this;
}

Control::Loop::~Loop() { stop(); }

void Control::Loop::listen() {
    if (!state_.config.admin_socket.empty()) {
        admin_.emplace(
            loop_, state_.config.admin_socket,
            [this](std::string_view request, const Peer& peer, const AdminServer::Reply& reply) {
                commands_.answer(request, peer, reply);
            });
    }
    if (!state_.config.keys_socket.empty()) {
        key_feed_.emplace(loop_, state_.config.keys_socket, state_.wire);
    }
    if (state_.config.metrics) {
        http_.emplace(loop_, *state_.config.metrics,
                      [this](std::string_view path) { return answer_http(path); });
        // With port 0 the system has chosen one.
        const Endpoint at{state_.config.metrics->address, http_->port()};
        spdlog::info("metrics at http://{}/metrics", to_string(at));
    }
}

void Control::Loop::start() {
    listen();
    if (settings_.heed_signals) {
        for (const int signal : {SIGTERM, SIGINT, SIGHUP}) signals_.add(signal);
        heed_signals();
    }
    uint64_t usec = 0;
    if (sd_watchdog_enabled(0, &usec) > 0) watchdog_ = microseconds(usec);
    ports_ = state_.wire.ports();
    drain_later();
    keep_house_later();
    work_.emplace(loop_.get_executor());
    thread_ = std::thread([this] { loop_.run(); });
}

void Control::Loop::ready() {
    asio::post(loop_, [this] {
        state_.watch.begin(state_.wire, steady_clock::now());
        sd_notify(0, "READY=1");
        spdlog::info("ready: {} worker(s), {} wire(s), {} service(s), mode {}",
                     state_.wire.workers(), state_.config.wires.size(),
                     state_.config.services.size(),
                     name_in(verdicts::mode_names, state_.config.mode));
    });
}

void Control::Loop::wait() {
    std::unique_lock lock(mutex_);
    asked_.wait(lock, [this] { return stop_asked_; });
}

void Control::Loop::stop() noexcept {
    if (!thread_.joinable()) return;
    const auto until = steady_clock::now() + settings_.finish;
    asio::post(loop_, [this] { finish(); });
    thread_.join();
    {
        const std::lock_guard lock(mailbox_->mutex);
        mailbox_->loop = nullptr;
    }
    leave_drivers(until);
}

/// Who would wait for a driver that hangs could never end.
void Control::Loop::leave_drivers(steady_clock::time_point until) noexcept {
    until = std::max(until, steady_clock::now() + driver_grace);
    const bool mended = mending_.end(until), linked = linking_.end(until);
    in_a_driver_ = !mended || !linked;
    if (in_a_driver_) {
        spdlog::error("the end does not wait any longer for a driver that hangs: {}",
                      what_hangs(!mended, !linked));
    }
}

std::string Control::Loop::what_hangs(bool mending, bool linking) const {
    std::string gone;
    for (const pipeline::PortStatus& port : ports_) {
        if (!port.present) gone += (gone.empty() ? "" : ", ") + port.device;
    }
    return (mending ? "opening again what was gone (" + gone + ")" : "") +
           std::string(mending && linking ? ", and " : "") +
           (linking ? "asking for ports' links, or setting them" : "");
}

/// Once, so that somebody sees why a port does not come back.
void Control::Loop::look_for_hangs() {
    const bool mending = mending_.under_way() > driver_patience;
    const bool linking = linking_.under_way() > driver_patience;
    if ((mending || linking) && !hang_said_) {
        spdlog::error("a driver has not answered for {} s: {}",
                      duration_cast<seconds>(driver_patience).count(),
                      what_hangs(mending, linking));
    }
    hang_said_ = mending || linking;
}

void Control::Loop::heed_signals() {
    signals_.async_wait([this](const std::error_code& error, int signal) {
        if (error) return;
        if (signal == SIGHUP) {
            sd_notify(0, "RELOADING=1");
            signalled_ = true;
            reload({}, [](const std::string&) { sd_notify(0, "READY=1"); });
        } else {
            ask_to_stop(signal == SIGTERM ? "SIGTERM" : "SIGINT");
        }
        heed_signals();
    });
}

void Control::Loop::ask_to_stop(const char* why) {
    spdlog::info("{}: stopping", why);
    sd_notify(0, "STOPPING=1");
    const std::lock_guard lock(mutex_);
    stop_asked_ = true;
    asked_.notify_all();
}

void Control::Loop::drain_later() {
    drain_timer_.async_wait([this](const std::error_code& error) {
        if (error) return;
        const bool more = drain();
        hear_descriptions();
        state_.inquiry.gather(steady_clock::now());
        write_packets();
        pass_orders();
        state_.receipts.look(orders_kept(state_), steady_clock::now());
        drain_timer_.expires_after(more ? milliseconds(0) : settings_.drain);
        drain_later();
    });
}

void Control::Loop::hear_descriptions() {
    std::array<verdicts::PlayerContext, Descriptions::waiting_max> contexts;
    const size_t taken = state_.wire.take_contexts(contexts);
    state_.descriptions.heard(std::span(contexts).first(taken));
    state_.descriptions.give_up(steady_clock::now());
}

bool Control::Loop::drain() {
    for (int turn = 0; turn < batches_a_turn; ++turn) {
        const size_t taken = state_.wire.take_records(batch_);
        if (taken == 0) return false;
        const std::span<const verdicts::VerdictRecord> records(batch_.data(), taken);
        heed_clock();
        // The log first: a verdict is written down before anything else hears of it.
        for (const auto& sink : state_.sinks) sink->take(records);
        for (const verdicts::VerdictRecord& record : records) tell(record);
    }
    return true;
}

void Control::Loop::tell(const verdicts::VerdictRecord& record) {
    using Kind = verdicts::VerdictRecord::Kind;
    state_.players.take(record);
    ++state_.records[static_cast<size_t>(record.kind)];
    const bool quiet =
        (record.kind == Kind::verdict && !record.acts) || record.kind == Kind::outcome;
    const auto level = quiet ? spdlog::level::debug : spdlog::level::info;
    if (!spdlog::should_log(level)) return;
    if (lines_left_ == 0) {
        ++lines_held_;
        return;
    }
    --lines_left_;
    std::string line;
    verdicts::append_text(line, record, check_name(record.check),
                          service_name(state_, record.service));
    spdlog::log(level, "{}", line);
}

/// Reported game packets, a line each.
void Control::Loop::write_packets() {
    while (const size_t taken = state_.wire.take_packets(packet_batch_)) {
        for (const verdicts::PacketRecord& packet : std::span(packet_batch_).first(taken)) {
            std::string line = packet_line(packet);
            if (packets_left_ == 0) {
                ++packets_held_;
            } else {
                --packets_left_;
                spdlog::info("{}", line);
            }
            state_.packets.add({packet.client, packet.server, std::move(line)});
        }
        if (taken < packet_batch_.size()) return;
    }
}

/// What was to be reported in the last second and was not, by Workers or by us.
void Control::Loop::count_packets() {
    uint64_t lost = 0;
    for (uint16_t w = 0; w < state_.wire.workers(); ++w) {
        lost +=
            state_.wire.counters(w).notices[static_cast<size_t>(stages::Notice::trace_lost)].get();
    }
    const uint64_t unwritten = packets_held_ + lost - packets_lost_;
    if (unwritten > 0) spdlog::info("and {} more game packets, not shown", unwritten);
    packets_lost_ = lost;
    packets_held_ = 0;
    packets_left_ = state_.config.logging.packets_per_second;
}

void Control::Loop::pass_orders() {
    state_.orders.pass_on(state_.wire, [this](const verdicts::Order& order, bool of_operator) {
        state_.blocks.heed(order, heed_clock());
        if (!of_operator) return;
        for (const auto& sink : state_.sinks) sink->ordered(order);
    });
}

/// The wall clock's time, and no block is longer or shorter for its being set.
Nanos Control::Loop::heed_clock() {
    const Nanos now = wall_clock();
    const Nanos step = clock_steps_.look(now, steady_clock::now().time_since_epoch());
    if (step != Nanos{}) {
        state_.blocks.shift(step);
        for (const auto& sink : state_.sinks) sink->clock_set(step);
    }
    return now;
}

void Control::Loop::keep_house_later() {
    house_timer_.async_wait([this](const std::error_code& error) {
        if (error) return;
        keep_house();
        house_timer_.expires_after(house_interval);
        keep_house_later();
    });
}

void Control::Loop::keep_house() {
    const Nanos now = heed_clock();
    for (const auto& sink : state_.sinks) sink->keep_house();
    if (state_.watch.begun()) {
        const bool were_alive = state_.watch.all_alive();
        state_.watch.look(state_.wire, steady_clock::now());
        if (were_alive && !state_.watch.all_alive()) {
            spdlog::error("a worker makes no progress; `portcullis ctl workers` shows which");
        }
    }
    feed_watchdog();
    propagate_links();
    if (turns_++ % turns_a_second != 0) return;
    look_at_ports();
    state_.blocks.forget_expired(now);
    if (key_feed_) {
        state_.keys_taken = key_feed_->counts().taken;
        state_.keys_refused = key_feed_->counts().refused;
    }
    if (lines_held_ > 0) spdlog::info("and {} more records, not shown", lines_held_);
    lines_held_ = 0;
    lines_left_ = record_lines_a_second;
    count_packets();
}

void Control::Loop::look_at_ports() {
    std::vector<pipeline::PortStatus> now = state_.wire.ports();
    for (size_t i = 0; i < now.size() && i < ports_.size(); ++i) {
        if (now[i].up == ports_[i].up && now[i].present == ports_[i].present &&
            now[i].held == ports_[i].held)
            continue;
        const bool well = now[i].up || now[i].held;
        const auto level = well ? spdlog::level::info : spdlog::level::err;
        const char* const state = now[i].up         ? "up again"
                                  : !now[i].present ? "gone; it is opened again once it is back"
                                  : now[i].held     ? "held down, since the other one has no link"
                                                    : "down";
        spdlog::log(level, "wire {}: the {} port {} is {}", now[i].wire,
                    name_in(side_names, now[i].side), now[i].device, state);
    }
    ports_ = std::move(now);
    if (!std::ranges::all_of(ports_, &pipeline::PortStatus::present)) mend_ports();
    look_for_hangs();
}

/// Beside the loop, for a driver may take its time.
void Control::Loop::mend_ports() {
    mending_.run([&wire = state_.wire] { return wire.mend_ports(); },
                 [](const Errand::Said& said) {
                     for (const std::string& line : said) spdlog::info("{}", line);
                 });
}

/// Likewise, and not behind a driver that takes its time with a port that is gone.
void Control::Loop::propagate_links() {
    linking_.run([&wire = state_.wire] { return wire.propagate_links(); },
                 [](const Errand::Said& said) {
                     for (const std::string& line : said) spdlog::warn("{}", line);
                 });
}

void Control::Loop::feed_watchdog() {
    const auto now = steady_clock::now();
    if (watchdog_ == microseconds(0) || now - fed_ < watchdog_ / 3) return;
    if (!state_.watch.all_alive()) return;
    fed_ = now;
    ++state_.watchdog_feeds;
    sd_notifyf(0, "WATCHDOG=1\nSTATUS=%s, %zu players",
               std::string(name_in(standing_names, standing(state_))).c_str(),
               state_.players.size());
}

metrics::HttpReply Control::Loop::answer_http(std::string_view path) const {
    if (path == "/metrics") {
        return {200, "text/plain; version=0.0.4; charset=utf-8", scrape(state_)};
    }
    if (path == "/health") {
        const Standing now = standing(state_);
        const bool inspects = now == Standing::well || now == Standing::degraded;
        return {inspects ? 200 : 503, "application/json",
                health(state_).dump(2, ' ', false, Json::error_handler_t::replace) + '\n'};
    }
    return {404, "text/plain; charset=utf-8", "there are /metrics and /health\n"};
}

void Control::Loop::finish() {
    drain_timer_.cancel();
    house_timer_.cancel();
    std::error_code ignored;
    signals_.cancel(ignored);
    const auto deadline = steady_clock::now() + settings_.finish;
    while (drain() && steady_clock::now() < deadline) {
    }
    pass_orders();
    for (const auto& sink : state_.sinks) {
        const auto left = duration_cast<milliseconds>(deadline - steady_clock::now());
        sink->finish(std::max(left, milliseconds(0)));
    }
    // Who still waits must not outlive the loop that his connection lives on.
    end_reloads();
    state_.receipts.look(orders_kept(state_), steady_clock::time_point::max());
    state_.descriptions.give_up(steady_clock::time_point::max());
    state_.inquiry.forget();
    if (admin_) admin_->stop();
    if (key_feed_) key_feed_->stop();
    if (http_) http_->stop();
    work_.reset();
    loop_.stop();
}

}  // namespace portcullis::control
