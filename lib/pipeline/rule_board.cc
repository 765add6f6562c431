#include "pipeline/rule_board.h"

#include <cstdlib>
#include <new>
#include <utility>

#include <rte_common.h>
#include <rte_rcu_qsbr.h>

namespace portcullis::pipeline {

void RuleBoard::Free::operator()(void* memory) const noexcept { std::free(memory); }

RuleBoard::RuleBoard(std::shared_ptr<const policy::RuleSet> rules, uint16_t workers)
    : current_(rules.get()), owned_(std::move(rules)) {
    const size_t size = RTE_ALIGN_CEIL(rte_rcu_qsbr_get_memsize(workers), RTE_CACHE_LINE_SIZE);
    readers_.reset(static_cast<rte_rcu_qsbr*>(std::aligned_alloc(RTE_CACHE_LINE_SIZE, size)));
    if (readers_ == nullptr || rte_rcu_qsbr_init(readers_.get(), workers) != 0) {
        throw std::bad_alloc();
    }
    for (uint16_t i = 0; i < workers; ++i) rte_rcu_qsbr_thread_register(readers_.get(), i);
}

RuleBoard::~RuleBoard() = default;

void RuleBoard::publish(std::shared_ptr<const policy::RuleSet> rules) {
    current_.store(rules.get(), std::memory_order_release);
    rte_rcu_qsbr_synchronize(readers_.get(), RTE_QSBR_THRID_INVALID);
    owned_ = std::move(rules);
}

void RuleBoard::enter(uint16_t worker) noexcept {
    rte_rcu_qsbr_thread_online(readers_.get(), worker);
}
void RuleBoard::leave(uint16_t worker) noexcept {
    rte_rcu_qsbr_thread_offline(readers_.get(), worker);
}
void RuleBoard::quiet(uint16_t worker) noexcept { rte_rcu_qsbr_quiescent(readers_.get(), worker); }

}  // namespace portcullis::pipeline
