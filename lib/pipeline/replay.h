#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "config/config.h"
#include "keys/key.h"
#include "pipeline/capture.h"
#include "pipeline/pipeline.h"
#include "port/eal.h"
#include "stages/counters.h"
#include "stages/evidence/capture.h"
#include "stages/packet_observer.h"

struct rte_mbuf;
struct rte_mempool;
struct rte_ring;

namespace portcullis::pipeline {

/// EAL as an offline tool wants it: ordinary memory, no devices, no files, no
/// root, no core of its own.
port::EalOptions offline_eal();

/// What all replays of a process share: packet buffers and the two ends of a wire
/// made of rings, that a Worker polls as any other ports.
class ReplayWire {
public:
    /// After EAL's start.  Throws SetupError.
    ReplayWire();
    ~ReplayWire();
    ReplayWire(const ReplayWire&) = delete;
    ReplayWire& operator=(const ReplayWire&) = delete;

private:
    friend class Replay;
    rte_mempool* small_ = nullptr;  ///< Frames up to the usual size, and our own.
    rte_mempool* large_ = nullptr;  ///< Jumbo frames and what offloading has glued together.
    rte_ring* in_ = nullptr;
    rte_ring* nothing_ = nullptr;
    rte_ring* out_inside_ = nullptr;
    rte_ring* out_outside_ = nullptr;
    uint16_t outside_ = 0, inside_ = 0;
    int timestamp_offset_ = -1, size_offset_ = -1;
    uint64_t captured_flag_ = 0;  ///< Set on what came out of a capture.
    uint64_t cut_flag_ = 0;       ///< And of that, on what is not all of its frame.
};

/// One capture through a Worker and its stages, in the capture's own time: the
/// same Worker, pipeline and ports as live, turned by hand.  Both directions are
/// in one file, so all frames come in on the outside.
class Replay {
public:
    struct Setup {
        const config::Config& config;
        PipelineFile pipeline;
        std::shared_ptr<const policy::RuleSet> rules;
        ReplayWire& wire;
        stages::PacketObserver* observer = nullptr;
        /// Hears every frame that leaves, in order; may be empty.
        std::function<void(const CapturedFrame&)> on_left;
        /// Hears every record, in order.
        std::function<void(const verdicts::VerdictRecord&)> on_record;
        /// Session keys that are known from the start; they do not expire.
        std::span<const keys::Key> keys{};
        /// Takes the bytes of streams instead of a decoder; may be none.
        stages::StreamObserver* streams_to = nullptr;
        /// Takes the packets that prove verdicts, if the configuration wants them kept.
        std::function<void(stages::Capture&)> on_evidence{};
    };
    explicit Replay(const Setup& setup);
    ~Replay();
    Replay(const Replay&) = delete;
    Replay& operator=(const Replay&) = delete;

    /// Goes on with a connection as it stood when `part` began.  Before the first
    /// frame.  False: it can not be held.
    bool resume(const stages::CapturePart& part);
    void feed(const CapturedFrame& frame);
    /// A session key comes between two frames.
    void give_key(const keys::Key& key);
    /// After the last frame.
    void finish();

    const stages::Counters& counters() const noexcept;

private:
    class Parts;
    /// Frames that come this close to each other go through in one burst, as they
    /// would live.
    static constexpr Nanos burst_span_max = 100us;

    rte_mbuf* make(const CapturedFrame& frame) const;
    void run_burst();
    void take_left();

    std::unique_ptr<Parts> parts_;
};

}  // namespace portcullis::pipeline
