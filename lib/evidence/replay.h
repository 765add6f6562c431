#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "evidence/file.h"
#include "pipeline/replay.h"
#include "records/record.h"

namespace portcullis::evidence {

/// A verdict, and what the same build finds in its packets now.
struct Retold {
    verdicts::VerdictRecord stored;
    std::optional<verdicts::VerdictRecord> found;

    /// To the last bit: check, confidence, what was observed and what was allowed,
    /// the player's level and what follows from it.
    bool same() const noexcept;
};

/// Plays each verdict's packets through the Worker and its stages, from where they
/// stood.  After EAL's start.
std::vector<Retold> replay(const File& file, pipeline::ReplayWire& wire);

/// The configuration that held when a part of the file was recorded.
config::Config configuration(const File& file, const stages::CapturePart& part);
/// Plays the packets of one part and tells every record.
void play(const stages::CapturePart& part, const config::Config& config, pipeline::ReplayWire& wire,
          stages::PacketObserver* observer,
          std::function<void(const verdicts::VerdictRecord&)> on_record);

}  // namespace portcullis::evidence
