#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "stages/stage.h"
#include "stages/worker_context.h"

namespace portcullis::stages {

/// The names a pipeline file may use, in the order a packet meets them.
std::span<const std::string_view> stage_names() noexcept;

/// The stage of this name for one Worker; null when there is none.  `context`
/// must outlive it.
std::unique_ptr<Stage> make_stage(std::string_view name, WorkerContext& context);

}  // namespace portcullis::stages
