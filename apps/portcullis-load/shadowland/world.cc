#include "world.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace portcullis::load::world {

namespace {

using shadowland::Place;

constexpr double walk_speed = 590;  ///< Units a second; the rules allow 600.
constexpr double radius = 500;      ///< Around home.
constexpr double neighbours_within = 250;
constexpr double group_distance = 16'000;
constexpr uint32_t groups_a_row = 50;

// Map 1, as the wire document has it.
constexpr double section[] = {25'600, 25'600, 6'400};
constexpr uint32_t quadrants[] = {32, 32, 4};
constexpr double ground = 1'000;
struct {
    double min_x = 412'000, max_x = 412'200, min_y = 400'000;
} constexpr wall;

/// Back and forth through the wall, where an honest player turns round.
void clip(Session& s, double distance) noexcept {
    if (s.place.x > wall.max_x + radius) s.heading = std::numbers::pi_v<float>;
    if (s.place.x < wall.min_x - radius) s.heading = 0;
    s.place.x += std::cos(s.heading) * distance;
}

}  // namespace

Place home_of(uint32_t number) noexcept {
    const uint32_t group = number / group_size, member = number % group_size;
    const double angle = member * 2 * std::numbers::pi / group_size;
    // The second half of a lattice square, so that no row runs along the wall of map 1.
    constexpr double first = group_distance / 2 + radius;
    const double x = first + group % groups_a_row * group_distance;
    const double y = first + group / groups_a_row % groups_a_row * group_distance;
    return {x + neighbours_within * std::cos(angle), y + neighbours_within * std::sin(angle),
            ground};
}

Place home_at_the_wall(uint32_t number) noexcept {
    constexpr double spread = 10'000;
    const double y = wall.min_y + radius + number * 97 % static_cast<uint32_t>(spread);
    return {wall.min_x - 2 * radius, y, ground};
}

void walk(Session& s, Nanos now, float turn) noexcept {
    const double seconds = to_seconds(now - s.walked_at);
    s.walked_at = now;
    if (s.stunned) return void(s.vx = s.vy = 0);
    double speed = walk_speed, reach = radius;
    if (s.attacking(Attack::movement_speed, now)) {
        speed *= 1.5;
        reach *= 6;
    }
    if (s.attacking(Attack::movement_timer, now)) speed *= 1.2;
    if (s.attacking(Attack::movement_clip, now)) return clip(s, speed * seconds);
    s.heading += turn * static_cast<float>(seconds);
    const Place from_home = s.place - s.home;
    if (from_home.horizontal() > reach) {
        s.heading = static_cast<float>(std::atan2(-from_home.y, -from_home.x));
    }
    s.vx = std::cos(s.heading) * static_cast<float>(speed);
    s.vy = std::sin(s.heading) * static_cast<float>(speed);
    s.place.x += s.vx * seconds;
    s.place.y += s.vy * seconds;
    s.place.z = ground + (s.attacking(Attack::movement_fly, now) ? 400 : 0);
}

Quantised quantise(const Place& place) noexcept {
    const double at[] = {place.x, place.y, place.z};
    Quantised q{};
    uint32_t cells[3];
    for (size_t i = 0; i < 3; ++i) {
        const double last = quadrants[i] - 1.0;
        cells[i] = static_cast<uint32_t>(std::clamp(std::floor(at[i] / section[i]), 0.0, last));
        q.local[i] = static_cast<int16_t>(std::floor(at[i] - cells[i] * section[i] + 0.5));
    }
    q.quadrant =
        static_cast<uint16_t>(cells[0] + quadrants[0] * (cells[1] + quadrants[1] * cells[2]));
    return q;
}

}  // namespace portcullis::load::world
