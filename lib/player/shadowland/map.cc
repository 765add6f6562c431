#include "player/shadowland/map.h"

namespace portcullis::shadowland {

namespace {

/// How far outside its quadrant a position may lie, as a share of the quadrant:
/// so that who walks along a border does not flicker.
constexpr double outside_max = 1.0 / 8;

}  // namespace

Maps::Maps(const config::Shadowland& config) {
    const auto place = [](const config::Shadowland::Axes& a) { return Place{a[0], a[1], a[2]}; };
    for (const config::Shadowland::Map& from : config.maps) {
        Map& map = maps_.emplace_back();
        map.id = static_cast<uint16_t>(from.id);
        map.section = place(from.section);
        for (size_t axis = 0; axis < map.quadrants.size(); ++axis) {
            map.quadrants[axis] = static_cast<uint32_t>(from.quadrants(axis));
        }
        map.step = from.step;
        map.ground = from.ground;
        for (const auto& wall : from.walls) map.walls.push_back({place(wall.min), place(wall.max)});
    }
}

const Map* Maps::find(uint16_t id) const noexcept {
    for (const Map& map : maps_) {
        if (map.id == id) return &map;
    }
    return nullptr;
}

bool Map::holds(const Place& place) const noexcept {
    const double at[] = {place.x, place.y, place.z};
    const double size[] = {section.x, section.y, section.z};
    for (size_t i = 0; i < 3; ++i) {
        const double beyond = outside_max * size[i];
        if (at[i] < -beyond || at[i] > quadrants[i] * size[i] + beyond) return false;
    }
    return true;
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
