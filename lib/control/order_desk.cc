#include "control/order_desk.h"

#include <algorithm>
#include <new>
#include <utility>

namespace portcullis::control {

uint64_t OrderDesk::give(const Waiting& waiting) noexcept {
    const std::lock_guard lock(mutex_);
    try {
        if (waiting_.size() < orders_waiting_max) {
            waiting_.push_back(waiting);
            return ++taken_[waiting.of_operator];
        }
    } catch (const std::bad_alloc&) {
        // As full as it gets.
    }
    ++refused_;
    return 0;
}

void OrderDesk::pass_on(
    pipeline::WireSide& wire,
    const std::function<void(const verdicts::Order& order, bool of_operator)>& passed) {
    while (true) {
        Waiting first;
        {
            const std::lock_guard lock(mutex_);
            if (waiting_.empty()) return;
            first = waiting_.front();
        }
        // Only this thread takes from the front, so it is still there afterwards.
        if (!wire.give(first.order)) return;
        {
            const std::lock_guard lock(mutex_);
            waiting_.pop_front();
            ++given_;
        }
        passed(first.order, first.of_operator);
    }
}

OrderDesk::Counts OrderDesk::counts() const {
    const std::lock_guard lock(mutex_);
    return {given_, refused_, waiting_.size()};
}

void Receipts::await(uint64_t order, Tell tell, Clock::time_point now) {
    asked_.push_back({order, std::move(tell), now + patience});
}

void Receipts::look(uint64_t kept, Clock::time_point now) {
    std::erase_if(asked_, [&](const Asked& asked) {
        const bool is_kept = asked.order <= kept;
        if (!is_kept && now < asked.give_up_at) return false;
        asked.tell(is_kept);
        return true;
    });
}

void BlockBook::heed(const verdicts::Order& order, Nanos now) {
    using Kind = verdicts::Order::Kind;
    if (order.kind != Kind::block && order.kind != Kind::unblock) return;
    std::erase_if(blocks_, [&](const Block& block) { return block.prefix == order.prefix; });
    if (order.kind == Kind::block) {
        blocks_.push_back({order.prefix, now + order.lasts, std::string(order.reason.view())});
    }
}

void BlockBook::shift(Nanos step) {
    for (Block& block : blocks_) block.until += step;
}

void BlockBook::forget_expired(Nanos now) {
    std::erase_if(blocks_, [now](const Block& block) { return block.until <= now; });
}

}  // namespace portcullis::control
