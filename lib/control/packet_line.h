#pragma once

#include <string>

#include "records/record.h"

namespace portcullis::control {

/// A reported game packet as `inspect --packets --format jsonl` writes it, with
/// `"cut":true` behind when some of its fields had no room.
std::string packet_line(const verdicts::PacketRecord& packet);

}  // namespace portcullis::control
