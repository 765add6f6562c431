#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/config.h"
#include "protocol/shadowland/messages.h"

namespace portcullis::shadowland {

/// A place in the world, in units of 1 cm.
struct Place {
    double x = 0, y = 0, z = 0;
    Place operator-(const Place& o) const noexcept { return {x - o.x, y - o.y, z - o.z}; }
    double length() const noexcept { return std::hypot(x, y, z); }
    double horizontal() const noexcept { return std::hypot(x, y); }
};
inline Place place_of(const Triple& t) noexcept { return {t[0], t[1], t[2]}; }

struct Box {
    Place min, max;
};

/// What both ends and we must know of a map to read positions on it: its
/// quadrants, its quantisation, and where one can stand.
struct Map {
    uint16_t id = 0;
    Place section;                      ///< Size of a quadrant.
    std::array<uint32_t, 3> quadrants;  ///< Along each axis.
    double step = 1;                    ///< Of quantised positions.
    std::optional<double> ground;       ///< Height of the floor; nothing: it has hills.
    std::vector<Box> walls;

    /// Whether a position lies in the world, or as far outside as a quantised one may.
    bool holds(const Place& place) const noexcept;
    /// A quantised position in the world; nothing if no such quadrant exists or the
    /// position lies too far outside it.
    std::optional<Place> place(uint16_t quadrant, const Quantised& local) const noexcept;
};

/// The maps of the configuration, for as long as a Worker runs: players point at them.
class Maps {
public:
    explicit Maps(const config::Shadowland& config);

    /// The map of this id; null if it is not known, and then nothing on it is judged.
    const Map* find(uint16_t id) const noexcept;

private:
    std::vector<Map> maps_;
};

}  // namespace portcullis::shadowland
