#pragma once

#include <array>

#include "protocol/shadowland/cipher.h"
#include "stages/evidence/capture.h"

namespace portcullis::evidence {

/// In evidence the packets of Shadowland are sealed with this key, which is no secret, in
/// place of the session's own: header, size, epoch and what could not be opened stay what
/// they were, so the decoder goes the same way.
inline constexpr shadowland::Key open_key{};
/// In place of a server's secret of the integrity table.
inline constexpr std::array<std::byte, 32> open_integrity_secret{};

/// Seals the packets of a part anew, in place, and forgets the keys.  Sums are made to match.
void reseal(stages::CapturePart& part);

}  // namespace portcullis::evidence
