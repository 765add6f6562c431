#pragma once

#include <cstdint>
#include <string_view>

#include "verdicts/entry.h"

namespace portcullis::actions::webhook {

/// A verdict that every webhook is told of, by default.
inline verdicts::Entry entry_of(std::string_view player, uint64_t number,
                                float confidence = 0.97f) {
    using namespace std::chrono_literals;
    verdicts::Entry entry;
    entry.check = "movement.no_fall";
    entry.service = "survival";
    entry.record.id_high = 1;
    entry.record.id_low = number;
    entry.record.time = 1'795'000'000s;
    entry.record.player.name.assign(player);
    entry.record.in_game = true;
    entry.record.action = policy::Action::kick;
    entry.record.confidence = confidence;
    entry.record.observed = 1.42;
    entry.record.limit = 0.71;
    entry.record.unit.assign("blocks/tick");
    return entry;
}

}  // namespace portcullis::actions::webhook
