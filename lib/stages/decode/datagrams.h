#pragma once

#include <string_view>

#include "packet/burst.h"
#include "protocol/shadowland/decoder.h"
#include "stages/worker_context.h"

namespace portcullis::stages {

class ShadowlandWatch;

/// Shadowland's side of decode: each datagram of a Service is one whole thing, so
/// there is no stream, and what its receiver would not take does not go on.
class Datagrams {
public:
    explicit Datagrams(WorkerContext& context);

    void receive(Packet& packet, uint8_t index, Burst& burst) noexcept;
    /// Asks the memory for what `receive` will look at.
    void fetch_for(const Flow& flow, protocol::Direction direction) const noexcept;
    void forget(Flow& flow) noexcept;
    bool resume(Flow& flow, const CapturePart& part) noexcept;
    size_t write_disconnect(const Flow& flow, protocol::Direction to, std::string_view reason,
                            MutableBytes out) noexcept;
    /// Of a Flow with a session.
    bool opaque(const Flow& flow) const noexcept { return decoder_.session(flow.session).sealed(); }
    uint32_t sessions() const noexcept { return decoder_.sessions_used(); }

private:
    void remember(Packet& packet) noexcept;
    void settle(Packet& packet, const shadowland::Outcome& outcome,
                const policy::RuleSet::Service& service, ShadowlandWatch* watch) noexcept;
    void answer(const Packet& packet, Bytes answer, Burst& burst) noexcept;
    void count(const Packet& packet, const shadowland::Outcome& outcome) noexcept;

    WorkerContext& context_;
    shadowland::Decoder decoder_;
};

}  // namespace portcullis::stages
