#pragma once

#include <algorithm>
#include <cmath>

#include "protocol/event.h"

namespace portcullis {

/// All points that something may have stood at.
struct Box {
    protocol::Position min, max;

    static constexpr Box at(const protocol::Position& p) noexcept { return {p, p}; }

    constexpr void include(const protocol::Position& p) noexcept {
        min = {std::min(min.x, p.x), std::min(min.y, p.y), std::min(min.z, p.z)};
        max = {std::max(max.x, p.x), std::max(max.y, p.y), std::max(max.z, p.z)};
    }
    constexpr void include(const Box& b) noexcept {
        include(b.min);
        include(b.max);
    }
    constexpr Box grown(double sideways, double down, double up) const noexcept {
        return {{min.x - sideways, min.y - down, min.z - sideways},
                {max.x + sideways, max.y + up, max.z + sideways}};
    }
};

/// The shortest way between two boxes; 0 where they touch.
inline double distance(const Box& a, const Box& b) noexcept {
    const auto gap = [](double a_min, double a_max, double b_min, double b_max) {
        return std::max({0.0, a_min - b_max, b_min - a_max});
    };
    return std::hypot(gap(a.min.x, a.max.x, b.min.x, b.max.x),
                      gap(a.min.y, a.max.y, b.min.y, b.max.y),
                      gap(a.min.z, a.max.z, b.min.z, b.max.z));
}

}  // namespace portcullis
