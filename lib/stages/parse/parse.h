#pragma once

#include <cstddef>
#include <memory>

#include "packet/burst.h"
#include "stages/stage.h"
#include "stages/worker_context.h"

namespace portcullis::stages {

/// Reads the headers of every frame.  What has no IP inside is set to pass; what
/// no host would take keeps its fault for `track`, which knows whether a
/// Service is concerned.
class Parse : public Stage {
public:
    /// Frames that lie in several segments are copied here to be read; 64 jumbo
    /// frames fit.  One that does not has the fault `no_buffer`.
    static constexpr size_t copied_bytes_max = 1 << 20;
    /// A pattern scanner may read this far past a payload.
    static constexpr size_t readable_past_end = 64;

    explicit Parse(WorkerContext& context);
    void process(Burst& burst) noexcept override;

private:
    void open_frame(Packet& packet) noexcept;

    WorkerContext& context_;
    std::unique_ptr<std::byte[]> copies_;
    size_t copied_ = 0;
};

}  // namespace portcullis::stages
