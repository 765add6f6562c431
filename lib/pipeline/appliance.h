#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "pipeline/wire_side.h"
#include "port/privileges.h"
#include "stages/evidence/recorder.h"
#include "stages/packet_observer.h"

namespace portcullis::pipeline {

class Telemetry;

/// The packet side of a running appliance: ports, Workers and what lies between
/// them, made from one Config.  Control sees it as a WireSide.
class Appliance final : public pipeline::WireSide {
public:
    struct Options {
        std::vector<std::string> eal_arguments;  ///< The user's own, after "--".
        unsigned mbufs_extra = 0;  ///< For a net_pcap port that keeps its capture in memory.
        /// Takes the bytes of streams instead of a decoder; for one Worker, may be none.
        stages::StreamObserver* streams_to = nullptr;
    };

    /// Starts EAL, opens the ports, sets everything up; no packet moves yet.
    /// Throws SetupError or UsageError.  Once a process.
    Appliance(const config::Config& config, const Options& options);
    Appliance(const Appliance&) = delete;
    Appliance& operator=(const Appliance&) = delete;
    ~Appliance() override;

    /// The Workers begin to poll.
    void start();
    /// They empty their queues and end; returns within a fraction of a second.
    void stop() noexcept;

    uint16_t workers() const override;
    const stages::Counters& counters(uint16_t worker) const override;
    std::vector<pipeline::PortStatus> ports() const override;
    size_t take_records(std::span<verdicts::VerdictRecord> out) override;
    size_t take_contexts(std::span<verdicts::PlayerContext> out) override;
    size_t take_reports(std::span<stages::FlowReport> out) override;
    std::vector<pipeline::RingStatus> rings(uint16_t worker) const override;
    pipeline::BufferStatus buffers() const override;
    std::vector<std::string> mend_ports() override;
    std::vector<std::string> propagate_links() override;
    size_t take_packets(std::span<verdicts::PacketRecord> out) override;
    bool give(const verdicts::Order& order) override;
    bool give_key(const keys::Key& key) override;
    void publish(std::unique_ptr<const policy::RuleSet> rules) override;
    double tsc_hz() const override;

    /// Where each Worker leaves what proves verdicts.
    std::vector<stages::EvidenceRecorder*> evidence() const;

    /// The stages' names, in the order of Counters::stage_cycles.
    const std::vector<std::string>& stages() const override;
    /// What of root's power the ports need from here on.
    port::Capabilities capabilities() const;
    /// What was set up, one line each, for the log.
    std::vector<std::string> description() const;

private:
    class Parts;
    std::unique_ptr<Parts> parts_;
    std::unique_ptr<Telemetry> telemetry_;
};

}  // namespace portcullis::pipeline
