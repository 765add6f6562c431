// What a Worker does when there is nothing to do.  The only place where one
// enters the kernel, and only if its configuration says so.

#include <algorithm>

#include <sys/prctl.h>
#include <time.h>

#include <rte_ethdev.h>
#include <rte_interrupts.h>
#include <rte_pause.h>

#include "pipeline/worker.h"

namespace portcullis::pipeline {

namespace {

/// Turns without a packet before a Worker rests: some ten microseconds, so that
/// it stays awake within a burst of traffic.
constexpr uint32_t awake_turns = 256;
constexpr Nanos sleep_min = 10us;
/// A sleep grows by the last one until it is `sleep_max`.
constexpr uint32_t doublings = 5;

void sleep_for(Nanos time) noexcept {
    const timespec wanted{0, static_cast<long>(time.count())};
    nanosleep(&wanted, nullptr);
}

template <class Function>
void for_each_queue(const std::vector<WireEnds>& wires, Function&& function) noexcept {
    for (const WireEnds& ends : wires) {
        for (const WireEnd& end : ends) {
            const int id = end.id();
            if (end.rx_queue != WireEnd::none && id != WireEnd::none) {
                function(end, static_cast<uint16_t>(id), static_cast<uint16_t>(end.rx_queue));
            }
        }
    }
}

}  // namespace

void Worker::idle() noexcept {
    if (idle_policy_ == config::Idle::spin || ++idle_turns_ <= awake_turns) {
        rte_pause();
        return;
    }
    if (interrupts_) {
        wait_for_interrupt();
        return;
    }
    if (idle_turns_ == awake_turns + 1) {
        // The kernel may stretch a sleep by 50 us unless told otherwise.
        prctl(PR_SET_TIMERSLACK, 1000UL);
    }
    const uint32_t rests = std::min(idle_turns_ - awake_turns - 1, doublings);
    sleep_for(std::min(sleep_min * (1 << rests), sleep_max));
}

void Worker::arm_interrupts() noexcept {
    // All queues or none: one that can not wake us would wait for the others.
    interrupts_ = reads();
    openings_armed_ = openings();
    for_each_queue(wires_, [this](const WireEnd& end, uint16_t port, uint16_t queue) {
        interrupts_ = interrupts_ && end.interrupts &&
                      rte_eth_dev_rx_intr_ctl_q(port, queue, RTE_EPOLL_PER_THREAD,
                                                RTE_INTR_EVENT_ADD, nullptr) == 0;
    });
}

uint32_t Worker::openings() const noexcept {
    uint32_t sum = 0;
    for (const WireEnds& ends : wires_) {
        for (const WireEnd& end : ends) sum += end.door == nullptr ? 0 : end.door->openings();
    }
    return sum;
}

void Worker::wait_for_interrupt() noexcept {
    // A port that went and came back does not wake us any more: sleep instead.
    if (openings() != openings_armed_) {
        interrupts_ = false;
        return;
    }
    for_each_queue(wires_, [](const WireEnd&, uint16_t port, uint16_t queue) {
        rte_eth_dev_rx_intr_enable(port, queue);
    });
    // What came before the interrupts were armed would not wake us.
    if (!turn()) {
        rte_epoll_event events[8];
        rte_epoll_wait(RTE_EPOLL_PER_THREAD, events, 8,
                       static_cast<int>(to_milliseconds(interrupt_wait_max)));
    }
    for_each_queue(wires_, [](const WireEnd&, uint16_t port, uint16_t queue) {
        rte_eth_dev_rx_intr_disable(port, queue);
    });
}

}  // namespace portcullis::pipeline
