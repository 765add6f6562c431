#pragma once

#include "session.h"

namespace portcullis::load {

/// Where players live and how they walk, on map 1.
namespace world {

inline constexpr uint16_t map_id = 1;

/// Players of a group live around one place, groups far from each other and from walls.
shadowland::Place home_of(uint32_t number) noexcept;

/// Where who means to go through the wall lives.
shadowland::Place home_at_the_wall(uint32_t number) noexcept;

/// As a client with this attack, or none, moves until `now`.
void walk(Session& session, Nanos now, float turn) noexcept;

struct Quantised {
    uint16_t quadrant;
    shadowland::Quantised local;
};
Quantised quantise(const shadowland::Place& place) noexcept;

}  // namespace world

}  // namespace portcullis::load
