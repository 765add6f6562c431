#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "pipeline/wire_side.h"
#include "records/record_sink.h"

namespace portcullis::control {

/// Orders on their way to the Workers: put here from any thread, passed on by
/// Control's.  A Worker's full ring makes them wait; when `orders_waiting_max`
/// wait, the next is refused and counted.
class OrderDesk final : public Orders {
public:
    static constexpr size_t orders_waiting_max = 65'536;

    bool give(const verdicts::Order& order) noexcept override { return give({order, false}) != 0; }
    /// Which one of the operators' it is, from 1; 0: refused.
    uint64_t give_for_operator(const verdicts::Order& order) noexcept {
        return give({order, true});
    }

    /// Passes on what the rings take; calls `passed` for each.  On Control's thread.
    void pass_on(pipeline::WireSide& wire,
                 const std::function<void(const verdicts::Order& order, bool of_operator)>& passed);

    struct Counts {
        uint64_t given = 0, refused = 0, waiting = 0;
    };
    Counts counts() const;

private:
    struct Waiting {
        verdicts::Order order;
        bool of_operator = false;
    };
    /// 0: refused.  Else which one of its kind, an operator's or not.
    uint64_t give(const Waiting& waiting) noexcept;

    mutable std::mutex mutex_;
    std::deque<Waiting> waiting_;
    uint64_t taken_[2] = {};  ///< From sinks and from operators.
    uint64_t given_ = 0, refused_ = 0;
};

/// Operators who ordered what should outlive a restart: each hears of it once it would, or
/// after `patience` that it would not.
class Receipts {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds patience{3};
    using Tell = std::function<void(bool kept)>;

    /// `order` as OrderDesk counts them.
    void await(uint64_t order, Tell tell, Clock::time_point now);
    /// So many Orders, from the first on, would outlive one.
    void look(uint64_t kept, Clock::time_point now);

private:
    struct Asked {
        uint64_t order;
        Tell tell;
        Clock::time_point give_up_at;
    };
    std::vector<Asked> asked_;  ///< No more than there are connections.
};

/// Which prefixes are blocked and until when, as the Orders said; for
/// `ctl blocks`.  The Workers have lists of their own, the block list in
/// lib/actions is the one that lasts.
class BlockBook {
public:
    struct Block {
        IpPrefix prefix;
        Nanos until{};
        std::string reason;
    };

    void heed(const verdicts::Order& order, Nanos now);
    void forget_expired(Nanos now);
    /// The wall clock was set by `step`: all blocks last as long as before.
    void shift(Nanos step);
    const std::vector<Block>& blocks() const noexcept { return blocks_; }

private:
    std::vector<Block> blocks_;
};

}  // namespace portcullis::control
