#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "port/data_files.h"
#include "stages/make_stage.h"
#include "stages/stage.h"

namespace portcullis::pipeline {

/// A pipeline file (pipelines/…/NAME.yaml): which stages a packet meets, in
/// which order.
struct PipelineFile {
    std::string path;
    std::vector<std::string> stages;
};

/// Reads and checks one file.  Throws UsageError (file:line:column) for a stage
/// that does not exist, stands twice, or stands before one it needs.
PipelineFile read_pipeline(const std::string& path);

/// The file that a configuration names, looked for in pipelines/ of `files`.
PipelineFile find_pipeline(const std::string& name, const port::DataFiles& files);

using Pipeline = std::vector<std::unique_ptr<stages::Stage>>;

/// One Worker's stages.  `context` must outlive them.
Pipeline make_pipeline(const PipelineFile& file, stages::WorkerContext& context);

}  // namespace portcullis::pipeline
