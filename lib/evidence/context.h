#pragma once

#include <string>

#include "stages/evidence/capture.h"
#include "verdicts/json.h"

namespace portcullis::evidence {

/// Whom a Capture is about and how he stood, for people: one JSON object, then a
/// line for each verdict.
std::string context_text(const stages::Capture& capture, const verdicts::Names& names);

}  // namespace portcullis::evidence
