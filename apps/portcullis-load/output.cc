#include "output.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <thread>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "base/concat.h"
#include "base/setup_error.h"
#include "pipeline/capture.h"
#include "port/data_files.h"
#include "port/eal.h"
#include "port/port.h"

namespace portcullis::load {

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t index_of(Side side) noexcept { return static_cast<size_t>(side); }

class IntoCapture final : public Output {
public:
    explicit IntoCapture(const std::string& path) : file_(path, true) {}

    void send(Side from, Nanos time, Bytes frame) override {
        file_.write({time, static_cast<uint32_t>(frame.size()), frame});
        ++figures_.sent[index_of(from)];
        figures_.bytes += frame.size();
    }
    void finish() override { file_.close(); }

private:
    pipeline::CaptureWriter file_;
};

/// "net_af_packet0,iface=veth0" is driven by the profile af_packet.
std::string driver_of(const std::string& device) {
    const std::string name = device.substr(0, device.find(','));
    if (!name.starts_with("net_")) {
        throw UsageError(
            concat(device, ": say with --driver which profile of drivers-config/ it is"));
    }
    const size_t end = name.find_last_not_of("0123456789");
    return name.substr(4, end - 3);
}

class IntoPorts final : public Output {
public:
    explicit IntoPorts(const Options& options)
        : fast_(options.as_fast_as_possible), eal_(eal_options(options)), pool_(make_pool()) {
        ports_[index_of(Side::outside)] = open(options.outside, options.driver);
        if (!options.inside.empty()) {
            ports_[index_of(Side::inside)] = open(options.inside, options.driver);
        }
    }
    ~IntoPorts() override {
        for (auto& port : ports_) port.reset();
        rte_mempool_free(pool_);
    }

    void send(Side from, Nanos time, Bytes frame) override {
        if (!fast_) wait_for(time);
        // A single port carries what both sides say.
        const Side out = ports_[index_of(from)] != nullptr ? from : Side::outside;
        Waiting& waiting = waiting_[index_of(out)];
        rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
        if (mbuf == nullptr) {
            ++figures_.refused;
            return;
        }
        std::ranges::copy(frame, rte_pktmbuf_mtod(mbuf, std::byte*));
        mbuf->data_len = static_cast<uint16_t>(frame.size());
        mbuf->pkt_len = static_cast<uint32_t>(frame.size());
        waiting.burst[waiting.size++] = mbuf;
        ++figures_.sent[index_of(from)];
        figures_.bytes += frame.size();
        if (waiting.size == burst_max) {
            flush(out);
            receive();
        }
    }
    void finish() override {
        for (const Side side : {Side::outside, Side::inside}) flush(side);
        // What is under way arrives, or never does.
        const auto end = Clock::now() + std::chrono::milliseconds(200);
        while (Clock::now() < end) receive();
    }

private:
    static constexpr uint16_t burst_max = 32;
    static constexpr unsigned buffers = 16'383;
    static constexpr unsigned memory_mib = 128;
    static constexpr int tries_max = 10'000;

    struct Waiting {
        std::array<rte_mbuf*, burst_max> burst;
        uint16_t size = 0;
    };

    static port::EalOptions eal_options(const Options& options) {
        port::EalOptions eal;
        eal.memory_mib = memory_mib;
        eal.placement = port::place("", 0);
        for (const std::string& device : {options.outside, options.inside}) {
            if (port::is_pci(device)) eal.pci.push_back(device);
        }
        eal.hugepages = !eal.pci.empty();
        return eal;
    }
    static rte_mempool* make_pool() {
        rte_mempool* pool =
            rte_pktmbuf_pool_create("load", buffers, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
        if (pool == nullptr) throw SetupError(concat("no memory for ", buffers, " packet buffers"));
        return pool;
    }
    std::unique_ptr<port::Port> open(const std::string& device, const std::string& driver) {
        const config::Port named{
            .device = device, .driver = driver.empty() ? driver_of(device) : driver, .mark = {}};
        const port::Profile profile = port::find_profile(named, port::DataFiles(""), "");
        return std::make_unique<port::Port>(
            port::Port::Request{.configured = named, .profile = profile, .pool = pool_});
    }

    /// Nobody shuts the door of a generator's port.
    static uint16_t id_of(const port::Port& port) noexcept {
        return static_cast<uint16_t>(port.door().id());
    }

    /// Sends what waits and takes what comes until then.
    void wait_for(Nanos time) {
        const auto now = Clock::now();
        if (first_ == Nanos{}) {
            first_ = time;
            began_ = now;
        }
        const auto due = began_ + std::chrono::duration_cast<Clock::duration>(time - first_);
        constexpr auto near = std::chrono::microseconds(50);
        if (due <= now + near) {
            if (now > due) figures_.late = std::max(figures_.late, Nanos(now - due));
            return;
        }
        for (const Side side : {Side::outside, Side::inside}) flush(side);
        do receive();
        while (Clock::now() < due);
    }
    void flush(Side side) {
        Waiting& waiting = waiting_[index_of(side)];
        const auto& port = ports_[index_of(side)];
        if (port == nullptr || waiting.size == 0) return;
        uint16_t sent = 0;
        for (int tries = 0; sent < waiting.size && tries < tries_max; ++tries) {
            sent = static_cast<uint16_t>(
                sent + rte_eth_tx_burst(id_of(*port), 0, waiting.burst.data() + sent,
                                        static_cast<uint16_t>(waiting.size - sent)));
            if (sent < waiting.size) receive();
        }
        figures_.refused += waiting.size - sent;
        for (uint16_t i = sent; i < waiting.size; ++i) rte_pktmbuf_free(waiting.burst[i]);
        waiting.size = 0;
    }
    void receive() {
        std::array<rte_mbuf*, burst_max> burst;
        for (size_t side = 0; side < ports_.size(); ++side) {
            if (ports_[side] == nullptr) continue;
            const uint16_t got = rte_eth_rx_burst(id_of(*ports_[side]), 0, burst.data(), burst_max);
            figures_.received[side] += got;
            for (uint16_t i = 0; i < got; ++i) rte_pktmbuf_free(burst[i]);
        }
    }

    const bool fast_;
    port::Eal eal_;
    rte_mempool* pool_;
    std::array<std::unique_ptr<port::Port>, 2> ports_;
    std::array<Waiting, 2> waiting_;
    Nanos first_{};
    Clock::time_point began_;
};

}  // namespace

void Output::Options::declare(CLI::App& command) {
    command.add_option("--pcap", pcap, "Into this capture file, at once, with the times of play");
    command.add_option("--outside", outside,
                       "Players' frames out of this DPDK device: a PCI address, or for example "
                       "net_af_packet0,iface=veth0");
    command.add_option("--inside", inside,
                       "The server's out of this one; without it out of --outside too");
    command.add_option("--driver", driver, "Profile of drivers-config/, if the name does not say");
    command.add_flag("--flat-out", as_fast_as_possible,
                     "Wait for no packet's time: as many a second as go out");
}

std::unique_ptr<Output> Output::open(const Options& options) {
    if (options.pcap.empty() == options.outside.empty()) {
        throw UsageError("say where to: either --pcap FILE or --outside DEVICE");
    }
    if (!options.pcap.empty()) return std::make_unique<IntoCapture>(options.pcap);
    return std::make_unique<IntoPorts>(options);
}

}  // namespace portcullis::load
