#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <span>
#include <vector>

#include "pipeline/wire_side.h"
#include "records/record_sink.h"

namespace portcullis::control {

/// Asks the Workers which Flows there are and gathers what they tell.  One question
/// at a time, for a Worker answers one; the others wait.  A Worker that does not
/// answer in time is said to be silent, and what the others told is the answer.
class FlowInquiry {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds patience{3};
    static constexpr uint16_t flows_max = 65'535;  ///< In one answer.

    struct Answer {
        std::vector<stages::FlowReport> flows;
        bool more = false;  ///< There are others than these.
        unsigned silent_workers = 0;
    };
    struct Question {
        uint16_t flows_max = 100;
        bool players_only = false;
        std::function<void(const Answer& answer)> done;
    };

    FlowInquiry(pipeline::WireSide& wire, Orders& orders) : wire_(wire), orders_(orders) {}

    void ask(Question question);
    /// Takes what Workers tell; often, for their rings are short.
    void gather(Clock::time_point now);
    /// Nobody is answered any more: who asked must not outlive the loop.
    void forget() { waiting_.clear(), asked_ = false; }

private:
    void begin(Clock::time_point now);
    void take(const stages::FlowReport& report);
    void end();

    pipeline::WireSide& wire_;
    Orders& orders_;
    std::deque<Question> waiting_;  ///< The first one is being answered.
    Answer answer_;
    uint32_t number_ = 0;  ///< Of the question, so that late answers to another are known.
    unsigned workers_left_ = 0;
    bool asked_ = false;
    Clock::time_point until_{};
    std::vector<stages::FlowReport> batch_ = std::vector<stages::FlowReport>(256);
};

}  // namespace portcullis::control
