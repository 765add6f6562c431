#include "pipeline/appliance.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "base/concat.h"
#include "base/setup_error.h"
#include "pipeline/telemetry.h"
#include "pipeline/worker.h"
#include "port/eal.h"
#include "port/link_propagation.h"
#include "port/port.h"

namespace portcullis::pipeline {

namespace {

constexpr unsigned mbufs_spare = 8192;  ///< Bursts, our own frames, caches.
constexpr unsigned mbuf_cache = 256;
constexpr unsigned mbuf_bytes = RTE_MBUF_DEFAULT_BUF_SIZE + sizeof(rte_mbuf);
constexpr unsigned mib_of(unsigned mbufs) { return mbufs / 1024 * mbuf_bytes / 1024; }
constexpr unsigned memory_spare_mib = 64;
constexpr uint32_t keys_waiting_max = 4096;  ///< Session keys a Worker holds for connections.

struct WireProfiles {
    std::array<port::Profile, static_cast<size_t>(Side::count)> of;
};

const config::Port& end_of(const config::Wire& wire, Side side) {
    return side == Side::outside ? wire.outside : wire.inside;
}

uint64_t random_secret() {
    std::random_device random;
    return uint64_t{random()} << 32 | random();
}

int run_worker(void* worker) {
    static_cast<Worker*>(worker)->run();
    return 0;
}

struct FreePool {
    void operator()(rte_mempool* pool) const noexcept { rte_mempool_free(pool); }
};

}  // namespace

/// Declared in the order in which they are made, so that they go in the other.
class Appliance::Parts {
public:
    Parts(const config::Config& given, const Options& options);

    const config::Config config;
    const port::DataFiles files{config.file};
    const PipelineFile pipeline{find_pipeline(config.pipeline, files)};
    const std::vector<WireProfiles> profiles{find_profiles()};
    const bool spreads{all_spread()};
    const bool hugepages{choose_memory()};
    const unsigned mbufs;
    port::Eal eal;
    TscClock clock;
    std::unique_ptr<rte_mempool, FreePool> pool;
    std::vector<std::array<std::unique_ptr<port::Port>, static_cast<size_t>(Side::count)>> ports;
    std::unique_ptr<RuleBoard> rules;
    std::unique_ptr<HandOver> hand_over;
    std::vector<std::unique_ptr<stages::Counters>> counters;
    std::vector<std::unique_ptr<stages::WorkerContext>> contexts;
    std::vector<std::unique_ptr<Worker>> workers;
    std::atomic<bool> running = false;
    std::chrono::steady_clock::time_point clock_set_at{};
    std::map<const port::Port*, std::string> said;           ///< By who mends ports.
    std::vector<port::LinkPropagation> links;                ///< A wire each,
    std::map<const port::Port*, std::string> said_of_links;  ///< and who attends to them.

    bool all_turned() const;
    std::optional<std::string> propagate(size_t wire);
    uint16_t worker_count() const { return static_cast<uint16_t>(config.workers); }

private:
    std::vector<WireProfiles> find_profiles() const;
    bool all_spread() const;
    bool choose_memory() const;
    unsigned mbufs_needed(unsigned extra) const;
    port::EalOptions eal_options(const Options& options) const;
    void make_pool();
    void open_ports();
    void make_workers(stages::StreamObserver* streams_to);
    std::vector<WireEnds> ends_for(uint16_t worker) const;
};

Appliance::Parts::Parts(const config::Config& given, const Options& options)
    : config(given), mbufs(mbufs_needed(options.mbufs_extra)), eal(eal_options(options)) {
    make_pool();
    open_ports();
    make_workers(options.streams_to);
}

std::vector<WireProfiles> Appliance::Parts::find_profiles() const {
    if (config.wires.empty()) {
        throw UsageError(concat(config.file, ": no wire is configured; name two ports in wires"));
    }
    std::vector<WireProfiles> found;
    for (const config::Wire& wire : config.wires) {
        found.push_back({{port::find_profile(wire.outside, files, config.file),
                          port::find_profile(wire.inside, files, config.file)}});
    }
    return found;
}

bool Appliance::Parts::all_spread() const {
    return std::ranges::all_of(profiles, [this](const WireProfiles& wire) {
        return port::can_spread(wire.of[0], wire.of[1], config.workers);
    });
}

bool Appliance::Parts::choose_memory() const {
    if (port::hugepages_available()) return true;
    for (size_t i = 0; i < profiles.size(); ++i) {
        for (size_t side = 0; side < profiles[i].of.size(); ++side) {
            if (!profiles[i].of[side].hugepages) continue;
            throw SetupError(concat(
                "port ", end_of(config.wires[i], static_cast<Side>(side)).device,
                ": its driver needs hugepages and none are free; reserve some, for example with "
                "\"sysctl vm.nr_hugepages=512\""));
        }
    }
    return false;
}

unsigned Appliance::Parts::mbufs_needed(unsigned extra) const {
    unsigned needed = mbufs_spare + extra + config.workers * mbuf_cache;
    for (const WireProfiles& wire : profiles) {
        for (const port::Profile& profile : wire.of) {
            needed += (spreads ? config.workers : 1u) * profile.rx_descriptors +
                      config.workers * profile.tx_descriptors;
        }
    }
    if (!spreads && config.workers > 1) needed += config.workers * 2 * HandOver::packets_max;
    return needed;
}

port::EalOptions Appliance::Parts::eal_options(const Options& options) const {
    port::EalOptions eal_options;
    eal_options.hugepages = hugepages;
    eal_options.memory_mib = memory_spare_mib + mib_of(mbufs);
    eal_options.placement = port::place(config.cores, config.workers);
    for (const config::Wire& wire : config.wires) {
        for (const config::Port* end : {&wire.outside, &wire.inside}) {
            if (port::is_pci(end->device)) eal_options.pci.push_back(end->device);
        }
    }
    eal_options.telemetry = true;
    eal_options.user_arguments = options.eal_arguments;
    return eal_options;
}

void Appliance::Parts::make_pool() {
    pool.reset(rte_pktmbuf_pool_create("packets", mbufs, mbuf_cache, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                       static_cast<int>(rte_socket_id())));
    if (pool != nullptr) return;
    throw SetupError(concat("no memory for ", mbufs, " packet buffers (", mib_of(mbufs),
                            " MiB): ", rte_strerror(rte_errno), "; reserve more hugepages"));
}

void Appliance::Parts::open_ports() {
    links.resize(config.wires.size());
    for (size_t i = 0; i < config.wires.size(); ++i) {
        auto& ends = ports.emplace_back();
        for (size_t side = 0; side < ends.size(); ++side) {
            ends[side] = std::make_unique<port::Port>(
                port::Port::Request{.configured = end_of(config.wires[i], static_cast<Side>(side)),
                                    .profile = profiles[i].of[side],
                                    .workers = worker_count(),
                                    .spread = spreads,
                                    .interrupts = config.idle == config::Idle::interrupt,
                                    .sets_link = config.wires[i].link_propagation,
                                    .pool = pool.get()});
        }
    }
}

void Appliance::Parts::make_workers(stages::StreamObserver* streams_to) {
    if (streams_to != nullptr && config.workers > 1) {
        throw UsageError(concat(config.file, ": streams are read by one worker, not ",
                                config.workers, "; set workers to 1"));
    }
    rules = std::make_unique<RuleBoard>(policy::RuleSet::compile(config), worker_count());
    if (!spreads && config.workers > 1) hand_over = std::make_unique<HandOver>(worker_count());
    const uint64_t secret = random_secret();
    for (uint16_t i = 0; i < worker_count(); ++i) {
        counters.push_back(std::make_unique<stages::Counters>());
        contexts.push_back(std::make_unique<stages::WorkerContext>(stages::WorkerContext::Resources{
            config, rules->current(), *counters.back(), pool.get(), i, secret,
            config.keys_socket.empty() ? 0 : keys_waiting_max, spreads && config.workers > 1,
            true}));
        contexts.back()->streams_to = streams_to;
        workers.push_back(std::make_unique<Worker>(
            Worker::Setup{.index = i,
                          .wires = ends_for(i),
                          .pipeline = make_pipeline(pipeline, *contexts.back()),
                          .context = *contexts.back(),
                          .rules = *rules,
                          .hand_over = hand_over.get(),
                          .clock = &clock,
                          .idle = config.idle}));
    }
}

std::vector<WireEnds> Appliance::Parts::ends_for(uint16_t worker) const {
    std::vector<WireEnds> wires;
    for (const auto& ends : ports) {
        WireEnds& wire = wires.emplace_back();
        for (size_t side = 0; side < ends.size(); ++side) {
            const port::Port& port = *ends[side];
            wire[side] = {0, worker < port.rx_queues() ? worker : WireEnd::none,
                          worker < port.tx_queues() ? worker : WireEnd::none, port.interrupts(),
                          &port.door()};
        }
    }
    return wires;
}

Appliance::Appliance(const config::Config& config, const Options& options)
    : parts_(std::make_unique<Parts>(config, options)) {
    std::vector<std::string> names;
    for (const config::Wire& wire : config.wires) names.push_back(wire.name);
    telemetry_ = std::make_unique<Telemetry>(*this, std::move(names));
}

Appliance::~Appliance() { stop(); }

void Appliance::start() {
    parts_->running = true;
    for (unsigned i = 0; i < parts_->workers.size(); ++i) {
        // Worker n runs on lcore n+1: port::eal_arguments.
        if (rte_eal_remote_launch(run_worker, parts_->workers[i].get(), i + 1) != 0) {
            throw SetupError(concat("worker ", i,
                                    " has no core to run on; what stands after "
                                    "\"--\" must not change the lcores"));
        }
    }
}

void Appliance::stop() noexcept {
    if (!parts_->running) return;
    parts_->running = false;
    // In turn: the first one reads for all, and waits for what it has handed over.
    for (unsigned i = 0; i < parts_->workers.size(); ++i) {
        parts_->workers[i]->stop();
        rte_eal_wait_lcore(i + 1);
    }
}

uint16_t Appliance::workers() const { return parts_->worker_count(); }

const stages::Counters& Appliance::counters(uint16_t worker) const {
    return *parts_->counters[worker];
}

std::vector<pipeline::PortStatus> Appliance::ports() const {
    std::vector<pipeline::PortStatus> all;
    for (size_t i = 0; i < parts_->ports.size(); ++i) {
        for (size_t side = 0; side < parts_->ports[i].size(); ++side) {
            const port::Port& port = *parts_->ports[i][side];
            const port::PortState state = port.state();
            all.push_back({.wire = parts_->config.wires[i].name,
                           .side = static_cast<Side>(side),
                           .device = port.device(),
                           .up = state.up,
                           .present = state.present,
                           .held = state.held,
                           .reopened = state.reopened,
                           .held_times = state.held_times,
                           .hold_failures = state.hold_failures,
                           .rx_missed = state.rx_missed,
                           .rx_errors = state.rx_errors,
                           .rx_no_mbuf = state.rx_no_mbuf,
                           .tx_errors = state.tx_errors});
        }
    }
    return all;
}

size_t Appliance::take_records(std::span<verdicts::VerdictRecord> out) {
    const auto now = std::chrono::steady_clock::now();
    if (now - parts_->clock_set_at >= 100ms) {
        parts_->clock_set_at = now;
        parts_->clock.follow_wall_clock();
    }
    size_t taken = 0;
    for (const auto& context : parts_->contexts) {
        taken += context->records.pop(out.subspan(taken));
    }
    for (verdicts::VerdictRecord& record : out.first(taken)) record.time += parts_->clock.step();
    return taken;
}

size_t Appliance::take_contexts(std::span<verdicts::PlayerContext> out) {
    size_t taken = 0;
    for (const auto& context : parts_->contexts) {
        taken += context->contexts.pop(out.subspan(taken));
    }
    for (verdicts::PlayerContext& told : out.first(taken)) told.time += parts_->clock.step();
    return taken;
}

size_t Appliance::take_reports(std::span<stages::FlowReport> out) {
    size_t taken = 0;
    for (const auto& context : parts_->contexts) taken += context->reports.pop(out.subspan(taken));
    for (stages::FlowReport& report : out.first(taken)) {
        report.began += parts_->clock.step();
        report.last_seen += parts_->clock.step();
    }
    return taken;
}

std::vector<pipeline::RingStatus> Appliance::rings(uint16_t worker) const {
    const stages::WorkerContext& context = *parts_->contexts[worker];
    const Worker& its = *parts_->workers[worker];
    std::vector<pipeline::RingStatus> rings = {
        {"records", context.records.size(), context.records.capacity()},
        {"reports", context.reports.size(), context.reports.capacity()},
        {"orders", its.orders_waiting(), Worker::orders_max},
        {"keys", its.keys_waiting(), Worker::keys_max},
    };
    if (parts_->hand_over == nullptr) return rings;
    const HandOver& hand_over = *parts_->hand_over;
    rings.push_back({"handed_over", hand_over.waiting(worker), HandOver::packets_max});
    rings.push_back({"handed_back", hand_over.waiting_back(worker), HandOver::packets_max});
    return rings;
}

pipeline::BufferStatus Appliance::buffers() const {
    return {rte_mempool_in_use_count(parts_->pool.get()), parts_->mbufs};
}

/// True once each Worker has begun a turn that began after the call: none is still
/// inside a port whose door was shut before it.
bool Appliance::Parts::all_turned() const {
    constexpr auto patience = 1s;
    const auto until = std::chrono::steady_clock::now() + patience;
    for (const auto& counts : counters) {
        const uint64_t seen = counts->progress.get();
        while (running && counts->progress.get() < seen + 2) {
            if (std::chrono::steady_clock::now() > until) return false;
            std::this_thread::sleep_for(1ms);
        }
    }
    return true;
}

std::vector<std::string> Appliance::mend_ports() {
    std::vector<std::string> said;
    for (const auto& ends : parts_->ports) {
        for (const auto& port : ends) {
            if (port->state().present) continue;
            port->shut();
            if (!parts_->all_turned()) continue;
            std::string sentence = concat("port ", port->device(), " is back");
            try {
                port->reopen();
            } catch (const SetupError& error) {
                sentence = error.what();
            }
            // Whoever asked will ask again, but what is said once need not be said again.
            if (std::exchange(parts_->said[port.get()], sentence) != sentence) {
                said.push_back(std::move(sentence));
            }
        }
    }
    return said;
}

/// What people should know, the first time.
std::optional<std::string> Appliance::Parts::propagate(size_t wire) {
    const auto& ends = ports[wire];
    const Nanos now = std::chrono::steady_clock::now().time_since_epoch();
    const auto change = links[wire].look({ends[0]->has_link(), ends[1]->has_link()}, now);
    if (!change) return std::nullopt;
    port::Port& port = *ends[static_cast<size_t>(change->side)];
    const int error = port.set_link(change->up);
    if (error == 0) {
        links[wire].applied(*change, now);
        said_of_links.erase(&port);
        return std::nullopt;
    }
    links[wire].refused(now);
    if (error == -ENOTSUP) links[wire].impossible(change->side);
    std::string sentence =
        concat("wire ", config.wires[wire].name, ": the link of the ",
               name_in(side_names, change->side), " port ", port.device(), " can not be set ",
               change->up ? "up" : "down", ": ", rte_strerror(-error),
               error == -ENOTSUP ? "; breaks on the other side are not seen behind it" : "");
    if (std::exchange(said_of_links[&port], sentence) == sentence) return std::nullopt;
    return sentence;
}

std::vector<std::string> Appliance::propagate_links() {
    std::vector<std::string> said;
    for (size_t wire = 0; wire < parts_->ports.size(); ++wire) {
        if (!parts_->config.wires[wire].link_propagation) continue;
        if (auto sentence = parts_->propagate(wire)) said.push_back(std::move(*sentence));
    }
    return said;
}

size_t Appliance::take_packets(std::span<verdicts::PacketRecord> out) {
    size_t taken = 0;
    for (const auto& context : parts_->contexts) {
        taken += context->packets.pop(out.subspan(taken));
    }
    for (verdicts::PacketRecord& packet : out.first(taken)) packet.time += parts_->clock.step();
    return taken;
}

bool Appliance::give(const verdicts::Order& order) {
    // A Worker that gets the same Order again, because another one's ring was
    // full, finds it obeyed already.
    bool all = true;
    for (const auto& worker : parts_->workers) all = worker->give(order) && all;
    return all;
}

bool Appliance::give_key(const keys::Key& key) {
    // Whose flow it is only the Workers know.
    bool all = true;
    for (const auto& worker : parts_->workers) all = worker->give_key(key) && all;
    return all;
}

void Appliance::publish(std::unique_ptr<const policy::RuleSet> rules) {
    parts_->rules->publish(std::move(rules));
}

double Appliance::tsc_hz() const { return parts_->clock.hz(); }

std::vector<stages::EvidenceRecorder*> Appliance::evidence() const {
    std::vector<stages::EvidenceRecorder*> recorders;
    for (const auto& context : parts_->contexts) recorders.push_back(&context->evidence);
    return recorders;
}

const std::vector<std::string>& Appliance::stages() const { return parts_->pipeline.stages; }

port::Capabilities Appliance::capabilities() const {
    port::Capabilities all = 0;
    for (const WireProfiles& wire : parts_->profiles) {
        for (const port::Profile& profile : wire.of) all |= profile.capabilities;
    }
    return all;
}

std::vector<std::string> Appliance::description() const {
    const Parts& parts = *parts_;
    std::vector<std::string> lines;
    lines.push_back(concat(parts.mbufs, " packet buffers of ", mbuf_bytes, " bytes in ",
                           parts.hugepages ? "hugepages" : "ordinary memory"));
    lines.push_back(
        concat(parts.config.workers, " workers, ",
               parts.hand_over != nullptr ? "fed by the first one" : "each with its own queues"));
    for (size_t i = 0; i < parts.ports.size(); ++i) {
        for (const auto& port : parts.ports[i]) {
            lines.push_back(concat("wire ", parts.config.wires[i].name, ": ", port->device(), ", ",
                                   port->rx_queues(), " receive and ", port->tx_queues(),
                                   " transmit queues"));
        }
    }
    for (const auto& context : parts.contexts) {
        lines.push_back(concat("worker ", context->worker, ": ", context->flows.capacity(),
                               " flows in ", context->flows.memory() >> 20, " MiB"));
    }
    return lines;
}

}  // namespace portcullis::pipeline
