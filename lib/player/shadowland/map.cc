#include "player/shadowland/map.h"

namespace portcullis::shadowland {

namespace {

constexpr Box walls_of_1[] = {{{412'000, 400'000, 0}, {412'200, 420'000, 3'000}}};

constexpr Map maps[] = {
    {.id = 1,
     .section = {25'600, 25'600, 6'400},
     .quadrants = {32, 32, 4},
     .step = 1,
     .ground = 1'000,
     .walls = walls_of_1},
    {.id = 2,
     .section = {12'800, 12'800, 3'200},
     .quadrants = {8, 8, 2},
     .step = 0.5,
     .ground = 500,
     .walls = {}},
};

/// How far outside its quadrant a position may lie, as a share of the quadrant:
/// so that who walks along a border does not flicker.
constexpr double outside_max = 1.0 / 8;

}  // namespace

const Map* find_map(uint16_t id) noexcept {
    for (const Map& map : maps) {
        if (map.id == id) return &map;
    }
    return nullptr;
}

std::optional<Place> Map::place(uint16_t quadrant, const Quantised& local) const noexcept {
    const uint32_t nx = quadrants[0], ny = quadrants[1], nz = quadrants[2];
    if (quadrant >= nx * ny * nz) return std::nullopt;
    const double at[] = {local[0] * step, local[1] * step, local[2] * step};
    const double size[] = {section.x, section.y, section.z};
    for (size_t i = 0; i < 3; ++i) {
        if (at[i] < -outside_max * size[i] || at[i] > (1 + outside_max) * size[i]) {
            return std::nullopt;
        }
    }
    return Place{quadrant % nx * section.x + at[0], quadrant / nx % ny * section.y + at[1],
                 quadrant / (nx * ny) * section.z + at[2]};
}

}  // namespace portcullis::shadowland
