#include "stages/make_stage.h"

#include <array>

#include "stages/counters.h"
#include "stages/decode/decode.h"
#include "stages/detect/detect.h"
#include "stages/enforce/enforce.h"
#include "stages/parse/parse.h"
#include "stages/track/track.h"

namespace portcullis::stages {
namespace {

template <class S>
std::unique_ptr<Stage> make(WorkerContext& context) {
    return std::make_unique<S>(context);
}

struct Row {
    std::string_view name;
    std::unique_ptr<Stage> (*make)(WorkerContext&);
};

/// In the order a packet meets them.  Adding a stage: its folder, and a row.
constexpr std::array rows = {
    Row{"parse", make<Parse>},   Row{"track", make<Track>},     Row{"decode", make<Decode>},
    Row{"detect", make<Detect>}, Row{"enforce", make<Enforce>},
};

constexpr auto names = [] {
    std::array<std::string_view, rows.size()> all;
    for (size_t i = 0; i < rows.size(); ++i) all[i] = rows[i].name;
    return all;
}();
static_assert(names.size() <= stages_max, "Counters has a place for each");

}  // namespace

std::span<const std::string_view> stage_names() noexcept { return names; }

std::unique_ptr<Stage> make_stage(std::string_view name, WorkerContext& context) {
    for (const Row& row : rows) {
        if (row.name == name) return row.make(context);
    }
    return nullptr;
}

}  // namespace portcullis::stages
