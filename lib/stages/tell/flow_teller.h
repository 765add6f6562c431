#pragma once

#include "stages/worker_context.h"

namespace portcullis::stages {

/// Tells Control which Flows there are, when it asks: some places of the table a
/// millisecond and some reports, so that no burst waits for more than a few
/// microseconds of it.  What comes and goes meanwhile may or may not be told.
class FlowTeller {
public:
    static constexpr uint32_t places_busy = 512;    ///< Looked at in one call, with traffic
    static constexpr uint32_t places_idle = 4'096;  ///< and without.
    static constexpr uint32_t reports_max = 64;     ///< Told in one call.

    explicit FlowTeller(WorkerContext& context) noexcept : context_(context) {}

    /// A new question takes the place of one that is being answered.
    void obey(const verdicts::Order& order) noexcept;
    /// About every millisecond; nothing while there is no question.
    void go_on(bool busy) noexcept;

private:
    /// False when the ring is full.
    bool tell(const Flow& flow) noexcept;
    bool wanted(const Flow& flow, FlowReport& report) const noexcept;
    bool tell_end() noexcept;

    WorkerContext& context_;
    bool asked_ = false;
    bool players_only_ = false;
    uint32_t question_ = 0;
    uint32_t next_ = 0;  ///< Place in the table.
    uint32_t left_ = 0;  ///< Flows to tell yet.
};

}  // namespace portcullis::stages
