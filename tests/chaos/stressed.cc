// `portcullis run` with two more Workers that no packet reaches and that report verdicts as fast as
// they are told to, and with a sink that makes Control slow.
//
//     stressed CONFIG
//
// Commands on stdin: `flood A_SECOND SECONDS`, `slow MILLISECONDS` (each time Control hands over
// records; 0: no more), `stop`.  One JSON object a line on stdout.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <thread>

#include "actions/actions.h"
#include "checks/all.h"
#include "config/config.h"
#include "control/control.h"
#include "packet/ring.h"
#include "pipeline/appliance.h"
#include "records/id.h"
#include "stages/worker_context.h"

namespace {

using namespace portcullis;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using verdicts::VerdictRecord;

constexpr uint16_t first_worker = 100;
constexpr auto burst_every = 1ms;
constexpr uint32_t players = 2'000;

/// A Worker as Control knows one: a ring of records.
class Worker {
public:
    explicit Worker(uint16_t number)
        : ring_("flood", stages::WorkerContext::records_max),
          ids_(number, verdicts::random_run()),
          random_(number) {}

    void report() {
        ++offered_;
        if (!ring_.push(record())) ++lost_;
    }
    size_t take(std::span<VerdictRecord> out) { return ring_.pop(out); }
    uint64_t offered() const { return offered_; }
    uint64_t lost() const { return lost_; }

private:
    /// Of a hundred, one is a kick, nine are alerts.
    VerdictRecord record() {
        const auto some = static_cast<uint32_t>(random_());
        VerdictRecord record;
        record.time = std::chrono::system_clock::now().time_since_epoch();
        const verdicts::VerdictId id = ids_.next(record.time);
        record.id_high = id.high;
        record.id_low = id.low;
        record.service = 1;
        record.check = static_cast<uint8_t>(some % 4);
        record.action = some % 100 == 0  ? policy::Action::kick
                        : some % 10 == 0 ? policy::Action::alert
                                         : policy::Action::log;
        record.acts = record.action != policy::Action::log;
        record.confidence = 0.99f;
        record.level = static_cast<float>(some % 200) / 10.0f;
        record.observed = 1.42;
        record.limit = 0.71;
        record.unit.assign("blocks/tick");
        const uint32_t player = some / 4 % players;
        record.client = {IpAddress::v4(0xc6336400 + player), static_cast<uint16_t>(some >> 16)};
        record.server = *parse_endpoint("10.88.0.2:25566");
        record.player.name.assign("Player" + std::to_string(player));
        record.player.uuid = {0x3f, static_cast<uint8_t>(player >> 8),
                              static_cast<uint8_t>(player)};
        record.player.version = 47;
        record.in_game = true;
        return record;
    }

    Ring<VerdictRecord> ring_;
    verdicts::IdSource ids_;
    std::minstd_rand random_;
    std::atomic<uint64_t> offered_{0}, lost_{0};
};

/// The appliance's packet side, and the two Workers beside it.
class Flooded final : public pipeline::WireSide {
public:
    explicit Flooded(pipeline::Appliance& appliance) : appliance_(appliance) {}

    uint16_t workers() const override { return appliance_.workers(); }
    const stages::Counters& counters(uint16_t worker) const override {
        return appliance_.counters(worker);
    }
    std::vector<pipeline::PortStatus> ports() const override { return appliance_.ports(); }
    const std::vector<std::string>& stages() const override { return appliance_.stages(); }
    size_t take_records(std::span<VerdictRecord> out) override {
        size_t taken = appliance_.take_records(out);
        for (Worker& worker : flood_) taken += worker.take(out.subspan(taken));
        return taken;
    }
    size_t take_contexts(std::span<verdicts::PlayerContext> out) override {
        return appliance_.take_contexts(out);
    }
    size_t take_reports(std::span<stages::FlowReport> out) override {
        return appliance_.take_reports(out);
    }
    size_t take_packets(std::span<verdicts::PacketRecord> out) override {
        return appliance_.take_packets(out);
    }
    std::vector<pipeline::RingStatus> rings(uint16_t worker) const override {
        return appliance_.rings(worker);
    }
    pipeline::BufferStatus buffers() const override { return appliance_.buffers(); }
    std::vector<std::string> mend_ports() override { return appliance_.mend_ports(); }
    std::vector<std::string> propagate_links() override { return appliance_.propagate_links(); }
    bool give(const verdicts::Order& order) override { return appliance_.give(order); }
    bool give_key(const keys::Key& key) override { return appliance_.give_key(key); }
    void publish(std::unique_ptr<const policy::RuleSet> rules) override {
        appliance_.publish(std::move(rules));
    }
    double tsc_hz() const override { return appliance_.tsc_hz(); }

    void flood(uint64_t a_second, uint64_t seconds) {
        const auto begin = Clock::now();
        const uint64_t all = a_second * seconds;
        for (uint64_t sent = 0; sent < all;) {
            const auto passed = std::chrono::duration<double>(Clock::now() - begin).count();
            const auto due =
                std::min(all, static_cast<uint64_t>(passed * static_cast<double>(a_second)));
            for (; sent < due; ++sent) flood_[sent % flood_.size()].report();
            std::this_thread::sleep_for(burst_every);
        }
        const double took = std::chrono::duration<double>(Clock::now() - begin).count();
        std::printf("{\"event\":\"flooded\",\"offered\":%llu,\"lost\":%llu,\"seconds\":%.2f}\n",
                    static_cast<unsigned long long>(flood_[0].offered() + flood_[1].offered()),
                    static_cast<unsigned long long>(flood_[0].lost() + flood_[1].lost()), took);
        std::fflush(stdout);
    }

private:
    pipeline::Appliance& appliance_;
    std::array<Worker, 2> flood_{Worker(first_worker), Worker(first_worker + 1)};
};

/// Sleeps on Control's thread, as no sink may.
class Sleeper final : public control::RecordSink {
public:
    explicit Sleeper(const std::atomic<int>& milliseconds) : milliseconds_(milliseconds) {}
    std::string_view name() const noexcept override { return "sleeper"; }
    void take(std::span<const VerdictRecord>) noexcept override { sleep(); }
    void keep_house() noexcept override { sleep(); }
    control::SinkStatus status() const override { return {}; }
    void finish(std::chrono::milliseconds) noexcept override {}

private:
    void sleep() const {
        std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds_.load()));
    }
    const std::atomic<int>& milliseconds_;
};

void obey_stdin(Flooded& wire, std::atomic<int>& slow) {
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string what;
        uint64_t first = 0, second = 0;
        words >> what >> first >> second;
        if (what == "flood") wire.flood(first, second);
        if (what == "slow") slow = static_cast<int>(first);
        if (what == "stop") return;
    }
}

/// What the slow side has counted, after its end.
void say_counts(const control::SinkStatus& status) {
    std::string line = "{\"event\":\"stopped\"";
    for (const control::Outcome& o : status.outcomes) {
        line += ",\"" + o.part + '_' + o.outcome + "\":" + std::to_string(o.count);
    }
    std::printf("%s}\n", line.c_str());
}

int run(const std::string& path) {
    const config::Config config = config::load(path);
    pipeline::Appliance appliance(config, {});
    Flooded wire(appliance);
    std::atomic<int> slow{0};
    control::Control::Settings settings;
    settings.finish = 30s;
    {
        control::Control control(config, wire, settings);
        auto sink =
            std::make_unique<actions::Actions>(config, checks::check_names, control.orders());
        const actions::Actions& actions = *sink;
        control.add(std::move(sink));
        control.add(std::make_unique<Sleeper>(slow));
        control.start();
        appliance.start();
        control.ready();
        obey_stdin(wire, slow);
        slow = 0;
        appliance.stop();
        control.stop();
        say_counts(actions.status());
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "stressed CONFIG\n";
        return 2;
    }
    try {
        return run(argv[1]);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
