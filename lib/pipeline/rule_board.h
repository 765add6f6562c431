#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "policy/rule_set.h"

struct rte_rcu_qsbr;

namespace portcullis::pipeline {

/// Where the rule set hangs that all Workers judge by.  Control hangs up a new
/// one; the old one goes once every Worker has ended a burst since (QSBR).
class RuleBoard {
public:
    RuleBoard(std::shared_ptr<const policy::RuleSet> rules, uint16_t workers);
    RuleBoard(const RuleBoard&) = delete;
    RuleBoard& operator=(const RuleBoard&) = delete;
    ~RuleBoard();

    const policy::RuleSet* current() const noexcept {
        return current_.load(std::memory_order_acquire);
    }
    /// For Control.  Returns when no Worker uses the old rules any more.
    void publish(std::shared_ptr<const policy::RuleSet> rules);

    /// A Worker begins and ends to look at the rules, and says that it holds none.
    void enter(uint16_t worker) noexcept;
    void leave(uint16_t worker) noexcept;
    void quiet(uint16_t worker) noexcept;

private:
    struct Free {
        void operator()(void* memory) const noexcept;
    };
    std::unique_ptr<rte_rcu_qsbr, Free> readers_;
    std::atomic<const policy::RuleSet*> current_;
    std::shared_ptr<const policy::RuleSet> owned_;
};

}  // namespace portcullis::pipeline
