#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include "base/setup_error.h"
#include "packet/ring.h"
#include "stages/counters.h"

namespace portcullis::pipeline {

/// What Workers hand each other when the ports can not bring a flow to one
/// Worker by themselves: Worker 0 reads and hands over by hash, and takes back
/// what a port without a transmit queue for everybody shall send.
///
/// The mbuf's `port` says what it is about, as Worker::Place: where it came in on its
/// way out, where it shall leave on its way back.  When it came it carries along.
class HandOver {
public:
    static constexpr uint32_t packets_max = 4096;  ///< In each ring.

    explicit HandOver(uint16_t workers) : received_offset_(register_received()) {
        for (uint16_t i = 0; i < workers; ++i) {
            ways_.push_back(std::make_unique<Way>());
        }
    }

    /// By Worker 0 for `worker`; how many of them found room.
    size_t give(uint16_t worker, std::span<rte_mbuf* const> packets) noexcept {
        return ways_[worker]->out.push(packets);
    }
    size_t take(uint16_t worker, std::span<rte_mbuf*> packets) noexcept {
        return ways_[worker]->out.pop(packets);
    }
    /// By `worker` for Worker 0.
    size_t give_back(uint16_t worker, std::span<rte_mbuf* const> packets) noexcept {
        return ways_[worker]->back.push(packets);
    }
    size_t take_back(uint16_t worker, std::span<rte_mbuf*> packets) noexcept {
        return ways_[worker]->back.pop(packets);
    }
    uint16_t workers() const noexcept { return static_cast<uint16_t>(ways_.size()); }

    /// When Worker 0 received the packet, in cycles; 0: it is of our own making.
    uint64_t received(const rte_mbuf& packet) const noexcept {
        return *RTE_MBUF_DYNFIELD(&packet, received_offset_, const uint64_t*);
    }
    void set_received(rte_mbuf& packet, uint64_t cycles) const noexcept {
        *RTE_MBUF_DYNFIELD(&packet, received_offset_, uint64_t*) = cycles;
    }

    /// How full the rings of `worker` are, from any thread.
    size_t waiting(uint16_t worker) const noexcept { return ways_[worker]->out.size(); }
    size_t waiting_back(uint16_t worker) const noexcept { return ways_[worker]->back.size(); }

    /// Each Worker counts what it put into rings, and what it has taken out and
    /// dealt with; the difference over all of them is in flight.
    void entered(uint16_t worker, uint8_t wire, uint64_t packets) noexcept {
        ways_[worker]->entered[wire].add(packets);
    }
    void left(uint16_t worker, uint8_t wire, uint64_t packets) noexcept {
        ways_[worker]->left[wire].add(packets);
    }
    uint64_t in_flight(uint8_t wire) const noexcept {
        // What left is read first: it can not overtake what entered.
        uint64_t left = 0, entered = 0;
        for (const auto& way : ways_) left += way->left[wire].get();
        for (const auto& way : ways_) entered += way->entered[wire].get();
        return entered - left;
    }

private:
    struct Way {
        Ring<rte_mbuf*> out{"hand_over", packets_max};
        Ring<rte_mbuf*> back{"hand_back", packets_max};
        alignas(64) std::array<stages::Count, stages::wires_max> entered, left;
    };
    static int register_received() {
        static constexpr rte_mbuf_dynfield field = {"portcullis_received", sizeof(uint64_t),
                                                    alignof(uint64_t), 0};
        const int offset = rte_mbuf_dynfield_register(&field);
        if (offset < 0) throw SetupError("no room in packet buffers for when they came");
        return offset;
    }

    const int received_offset_;
    std::vector<std::unique_ptr<Way>> ways_;
};

}  // namespace portcullis::pipeline
