#include "control/flow_inquiry.h"

#include <utility>

namespace portcullis::control {

void FlowInquiry::ask(Question question) {
    waiting_.push_back(std::move(question));
    if (waiting_.size() == 1) begin(Clock::now());
}

void FlowInquiry::begin(Clock::time_point now) {
    verdicts::Order order;
    order.kind = verdicts::Order::Kind::list_flows;
    order.question = ++number_;
    order.flows_max = waiting_.front().flows_max;
    order.players_only = waiting_.front().players_only;
    answer_ = {};
    workers_left_ = wire_.workers();
    until_ = now + patience;
    asked_ = true;
    // Refused, it is answered by nobody: all Workers are silent then.
    if (!orders_.give(order)) until_ = now;
}

void FlowInquiry::gather(Clock::time_point now) {
    while (const size_t taken = wire_.take_reports(batch_)) {
        for (const stages::FlowReport& report : std::span(batch_).first(taken)) take(report);
    }
    while (asked_ && (workers_left_ == 0 || now >= until_)) end();
}

void FlowInquiry::take(const stages::FlowReport& report) {
    if (!asked_ || report.question != number_) return;
    if (report.last) {
        answer_.more = answer_.more || report.more;
        --workers_left_;
    } else {
        answer_.flows.push_back(report);
    }
}

void FlowInquiry::end() {
    const size_t wanted = waiting_.front().flows_max;
    answer_.silent_workers = workers_left_;
    if (answer_.flows.size() > wanted) {
        answer_.flows.resize(wanted);
        answer_.more = true;
    }
    const Question question = std::move(waiting_.front());
    waiting_.pop_front();
    asked_ = false;
    const Answer answer = std::exchange(answer_, {});
    if (!waiting_.empty()) begin(Clock::now());
    question.done(answer);
}

}  // namespace portcullis::control
