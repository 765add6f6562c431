#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "evidence/file.h"
#include "pipeline/replay.h"
#include "verdicts/record.h"

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
/// stood.  After EAL's start.  The operator's own signatures are not in the file: what
/// was found by them is found again by those that are given.
std::vector<Retold> replay(const File& file, pipeline::ReplayWire& wire,
                           const std::vector<config::Signature>& signatures = {});

/// Plays the packets of one part and tells every record.  Its configuration goes by
/// `config`, as it was when it was recorded.
config::Config configuration(const stages::CapturePart& part,
                             const std::vector<config::Signature>& signatures = {});
void play(const stages::CapturePart& part, const config::Config& config, pipeline::ReplayWire& wire,
          stages::PacketObserver* observer,
          std::function<void(const verdicts::VerdictRecord&)> on_record);

}  // namespace portcullis::evidence
