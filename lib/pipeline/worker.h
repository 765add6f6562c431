#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "config/config.h"
#include "keys/key.h"
#include "packet/burst.h"
#include "packet/ring.h"
#include "pipeline/fragment_owners.h"
#include "pipeline/hand_over.h"
#include "pipeline/pipeline.h"
#include "pipeline/rule_board.h"
#include "pipeline/tsc_clock.h"
#include "port/door.h"
#include "stages/tell/flow_teller.h"
#include "stages/worker_context.h"

namespace portcullis::pipeline {

/// One end of a wire, as one Worker sees it.
struct WireEnd {
    static constexpr int none = -1;

    uint16_t port = 0;
    int rx_queue = none;  ///< None: Worker 0 reads it and hands over.
    int tx_queue = none;  ///< None: Worker 0 sends for us.
    bool interrupts = false;
    const port::Door* door = nullptr;  ///< Null: `port`, and always open.

    /// The port's id now; `none` while its device is gone.
    int id() const noexcept { return door == nullptr ? port : door->id(); }
};
using WireEnds = std::array<WireEnd, static_cast<size_t>(Side::count)>;

/// A polling core: takes packets from its queues, brings them through the
/// stages, sends them out of the other side, and does that until told to stop.
///
/// It never waits but by its idle policy, and it owns everything it touches;
/// with others it shares rings, the rule board, and counters they may read.
class Worker {
public:
    static constexpr size_t receive_max = 32;  ///< Packets a queue a turn.
    static constexpr uint32_t orders_max = 256;
    static constexpr uint32_t keys_max = 256;  ///< In the ring, not yet taken over.
    /// The longest an idle Worker sleeps: what `idle: sleep` can add to the first
    /// packet after silence.
    static constexpr Nanos sleep_max = 500us;
    /// The longest it waits for an interrupt; Orders are seen by then.
    static constexpr Nanos interrupt_wait_max = 10ms;
    /// How long `stop` leaves it to empty the queues.
    static constexpr Nanos drain_max = 100ms;

    struct Setup {
        uint16_t index = 0;
        std::vector<WireEnds> wires;
        Pipeline pipeline;
        stages::WorkerContext& context;
        RuleBoard& rules;
        HandOver* hand_over = nullptr;    ///< Null: every queue is ours alone.
        const TscClock* clock = nullptr;  ///< Null: time is the packets' (replay).
        int timestamp_offset = -1;        ///< Of the packets' time in an mbuf, for replay.
        /// Marks an mbuf whose frame was cut by the capture: it passes, for what is
        /// missing can not be judged.
        uint64_t cut_flag = 0;
        config::Idle idle = config::Idle::spin;
    };
    explicit Worker(Setup setup);
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Until `stop`; then empties queues and rings, ends all flows, returns.
    void run() noexcept;
    /// One turn of the loop; true when there was something to do.
    bool turn() noexcept;
    /// From any thread; does not wait.
    void stop() noexcept { stopping_.store(true, std::memory_order_relaxed); }
    /// From Control; false when the ring is full.
    bool give(const verdicts::Order& order) noexcept { return orders_.push(order); }
    bool give_key(const keys::Key& key) noexcept { return keys_.push(key); }
    /// From any thread: how many of them wait.
    size_t orders_waiting() const noexcept { return orders_.size(); }
    size_t keys_waiting() const noexcept { return keys_.size(); }

    /// Between turns, by the thread that turns: lets time pass without packets, a
    /// millisecond a step and at most a thousand steps.
    void pass_time(Nanos until) noexcept;

private:
    static constexpr size_t send_max = Burst::packets_max + Burst::injected_max;
    static constexpr Nanos house_interval = 1ms;

    /// An end of a wire, as a packet carries it (mbuf.port) from Worker to Worker.
    struct Place {
        uint8_t wire = 0;
        Side side = Side::outside;

        static Place of(uint16_t number) noexcept {
            return {static_cast<uint8_t>(number / 2), static_cast<Side>(number % 2)};
        }
        uint16_t number() const noexcept {
            return static_cast<uint16_t>(wire * 2 + static_cast<uint16_t>(side));
        }
    };
    /// Frames that leave by one end of a wire, in order.
    struct Leaving {
        std::array<rte_mbuf*, send_max> packets;
        uint16_t size = 0;
    };
    using Received = std::array<rte_mbuf*, receive_max>;

    void receive() noexcept;
    void receive_end(uint8_t wire, Side side, const WireEnd& end) noexcept;
    void receive_handed() noexcept;
    void count_handed() noexcept;
    bool anything_handed_over() const noexcept;
    uint16_t owner_of(const rte_mbuf& packet) noexcept;
    void hand_out(uint8_t wire, std::span<rte_mbuf*> packets) noexcept;
    void add(std::span<rte_mbuf* const> packets, uint8_t wire, Side side) noexcept;
    bool obey() noexcept;
    void process() noexcept;
    void keep_house() noexcept;
    void count_time() noexcept;
    void count_handed_time(std::span<rte_mbuf* const> packets) noexcept;
    void send() noexcept;
    void send_end(uint8_t wire, Side side) noexcept;
    void send_handed_back() noexcept;
    void transmit(uint8_t wire, Side side, uint16_t queue, std::span<rte_mbuf*> packets) noexcept;
    void refuse(uint8_t wire, DropReason reason, std::span<rte_mbuf*> packets) noexcept;
    void idle() noexcept;
    void wait_for_interrupt() noexcept;
    void arm_interrupts() noexcept;
    uint32_t openings() const noexcept;
    void drain() noexcept;
    bool reads() const noexcept;
    bool hands_over() const noexcept { return hand_over_ != nullptr && index_ == 0; }
    stages::Counters& counters() noexcept { return context_.counters; }

    const uint16_t index_;
    const std::vector<WireEnds> wires_;
    stages::WorkerContext& context_;
    RuleBoard& rules_;
    HandOver* const hand_over_;
    FragmentOwners fragment_owners_;       ///< Of what Worker 0 hands over.
    std::vector<std::byte> in_one_piece_;  ///< For frames of several segments.
    const TscClock* const clock_;
    const int timestamp_offset_;
    const uint64_t cut_flag_;
    const config::Idle idle_policy_;
    Pipeline pipeline_;
    stages::FlowTeller teller_;
    const CyclesToNanos nanos_;
    Ring<verdicts::Order> orders_;
    Ring<keys::Key> keys_;

    Burst burst_;
    std::vector<std::array<Leaving, static_cast<size_t>(Side::count)>> leaving_;
    std::array<uint64_t, stages::wires_max> handed_{};  ///< Taken over and not dealt with yet.
    Nanos now_{};
    Nanos house_kept_{};
    uint64_t turn_began_ = 0;  ///< In cycles.
    uint64_t sent_ = 0;        ///< Packets that came and went in this turn.
    bool busy_ = false;        ///< The last turn had something to do.
    uint32_t idle_turns_ = 0;
    bool interrupts_ = false;
    uint32_t openings_armed_ = 0;  ///< Of all doors, when interrupts were armed.
    std::atomic<bool> stopping_{false};
};

}  // namespace portcullis::pipeline
