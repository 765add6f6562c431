#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "keys/key.h"
#include "records/player_context.h"
#include "records/record.h"
#include "stages/counters.h"
#include "stages/tell/told.h"

namespace portcullis::policy {
class RuleSet;
}

namespace portcullis::pipeline {

struct PortStatus {
    std::string wire;
    Side side{};
    std::string device;
    bool up = false;
    bool present = true;    ///< False once the device itself is gone.
    bool held = false;      ///< Its link is set down, since the wire's other port has none.
    uint64_t reopened = 0;  ///< How often it came back.
    uint64_t held_times = 0, hold_failures = 0;
    uint64_t rx_missed = 0, rx_errors = 0, rx_no_mbuf = 0,
             tx_errors = 0;  ///< As the driver counts.
};

/// How full a ring between a Worker and others is.
struct RingStatus {
    std::string_view name;
    uint64_t used = 0, capacity = 0;
};
/// Packet buffers of all Workers and ports.
struct BufferStatus {
    uint64_t used = 0, total = 0;
};

/// What Control sees of the packet side: rings and counters, never a lock.  The
/// appliance implements it; tests put a fake in its place.
class WireSide {
public:
    virtual ~WireSide() = default;
    virtual uint16_t workers() const = 0;
    /// Read while the Worker runs; valid as long as this object.
    virtual const stages::Counters& counters(uint16_t worker) const = 0;
    virtual std::vector<PortStatus> ports() const = 0;
    /// The stages' names, in the order of Counters::stage_cycles.
    virtual const std::vector<std::string>& stages() const = 0;
    /// Moves records out of the Workers' rings, oldest first per Worker.
    virtual size_t take_records(std::span<verdicts::VerdictRecord> out) = 0;
    /// The same of what Workers were ordered to describe.
    virtual size_t take_contexts(std::span<verdicts::PlayerContext> out) = 0;
    /// The same for answers about Flows.
    virtual size_t take_reports(std::span<stages::FlowReport> out) = 0;
    /// The same of reported game packets.
    virtual size_t take_packets(std::span<verdicts::PacketRecord> out) = 0;
    /// Those that lose something untold when they are full.
    virtual std::vector<RingStatus> rings(uint16_t worker) const = 0;
    virtual BufferStatus buffers() const = 0;
    /// Opens again what has gone and come back, such as a removed network card.  May
    /// take long, or hang: not for Control's own thread.  Returns what it did, a line each.
    virtual std::vector<std::string> mend_ports() = 0;
    /// Sets links down and up as wires want whose ports' links are propagated; to be called
    /// some ten times a second, on another thread yet: a port that is being opened again
    /// keeps no other one's link waiting.  Returns what people should know.
    virtual std::vector<std::string> propagate_links() = 0;
    /// To every Worker; false when a ring is full (try again later).
    virtual bool give(const verdicts::Order& order) = 0;
    /// The same for a session key.
    virtual bool give_key(const keys::Key& key) = 0;
    /// Publishes a rule set and returns once no Worker uses the old one.
    virtual void publish(std::unique_ptr<const policy::RuleSet> rules) = 0;
    /// Cycles a second of the processor's time stamp counter.
    virtual double tsc_hz() const = 0;
};

}  // namespace portcullis::pipeline
