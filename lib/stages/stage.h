#pragma once

namespace portcullis {
struct Burst;
namespace verdicts {
struct Order;
}
}  // namespace portcullis

namespace portcullis::stages {

/// One step over a Burst.  Called once per Burst by one Worker; may mark
/// packets dropped, rewrite them in place, or add packets; never allocates,
/// waits, logs or reads a clock.
class Stage {
public:
    virtual ~Stage() = default;
    virtual void process(Burst& burst) noexcept = 0;
    /// Called about every millisecond of Burst time, also without traffic.
    virtual void keep_house(Burst&) noexcept {}
    /// Control wants something; each stage does its own part of it.  Called
    /// between bursts; what must leave the wire waits for the next `process`.
    virtual void obey(const verdicts::Order&, Burst&) noexcept {}
};

}  // namespace portcullis::stages
