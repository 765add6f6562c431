#include "pipeline/pipeline.h"

#include <algorithm>
#include <string_view>

#include <yaml-cpp/yaml.h>

#include "base/concat.h"
#include "base/setup_error.h"

namespace portcullis::pipeline {

namespace {

[[noreturn]] void refuse(const std::string& path, const YAML::Mark& mark, const std::string& what) {
    throw UsageError(concat(path, ":", mark.line + 1, ":", mark.column + 1, ": ", what));
}

YAML::Node load_yaml(const std::string& path) {
    try {
        return YAML::LoadFile(path);
    } catch (const YAML::ParserException& error) {
        refuse(path, error.mark, error.msg);
    } catch (const YAML::BadFile&) {
        throw UsageError(concat(path, ": the file can not be read"));
    }
}

std::string known_stages() {
    std::string text;
    for (std::string_view name : stages::stage_names()) {
        text += concat(text.empty() ? "" : ", ", name);
    }
    return text;
}

/// Its place in the order in which stages may stand, or a complaint.
size_t rank_of(const std::string& path, const YAML::Node& item) {
    const std::string name = item.as<std::string>("");
    const auto known = stages::stage_names();
    const auto found = std::ranges::find(known, name);
    if (found == known.end()) {
        refuse(path, item.Mark(), concat("no stage \"", name, "\"; there are ", known_stages()));
    }
    return static_cast<size_t>(found - known.begin());
}

}  // namespace

PipelineFile read_pipeline(const std::string& path) {
    const YAML::Node top = load_yaml(path);
    if (!top.IsMap()) refuse(path, top.Mark(), "a mapping with the key \"stages\" is expected");
    for (const auto& entry : top) {
        const std::string key = entry.first.as<std::string>("");
        if (key != "stages") {
            refuse(path, entry.first.Mark(), concat("unknown key \"", key, "\"; allowed: stages"));
        }
    }
    const YAML::Node list = top["stages"];
    if (!list || !list.IsSequence()) {
        refuse(path, list ? list.Mark() : top.Mark(), "stages must be a list of names");
    }

    PipelineFile file{path, {}};
    size_t next_rank = 0;
    for (const YAML::Node& item : list) {
        const size_t rank = rank_of(path, item);
        if (rank < next_rank) {
            refuse(path, item.Mark(),
                   concat("stage \"", item.as<std::string>(),
                          "\" must stand once, in this order: ", known_stages()));
        }
        next_rank = rank + 1;
        file.stages.push_back(item.as<std::string>());
    }
    return file;
}

PipelineFile find_pipeline(const std::string& name, const port::DataFiles& files) {
    const std::string path = files.find("pipelines/" + name);
    if (path.empty()) {
        throw UsageError(
            concat("pipeline \"", name, "\": pipelines/", name, " is not in ", files.places()));
    }
    return read_pipeline(path);
}

Pipeline make_pipeline(const PipelineFile& file, stages::WorkerContext& context) {
    Pipeline pipeline;
    for (const std::string& name : file.stages) {
        pipeline.push_back(stages::make_stage(name, context));
        if (pipeline.back() == nullptr) {
            throw UsageError(concat(file.path, ": stage \"", name, "\" is not in this build"));
        }
    }
    return pipeline;
}

}  // namespace portcullis::pipeline
