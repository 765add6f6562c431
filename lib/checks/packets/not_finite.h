#pragma once

#include <cmath>

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// Not finite: a position or rotation that is no number, sent to break servers
/// that compute with it (every comparison with NaN is false, so limits pass).
///
/// No line, lag or teleport makes one: a client reaches such a state only by
/// being told to, and the server's teleports are numbers.  Certain.
class NotFinite {
public:
    static constexpr std::string_view name = "packets.not_finite";
    static constexpr float weight = 10;  ///< One is enough.

    struct Settings {};

    void on(const protocol::Move& move, const Player&, const Settings&, Findings& out) noexcept {
        if (move.has_position) judge(move.position, out);
        if (move.has_rotation) judge(move.rotation, out);
    }
    void on(const protocol::VehicleMoved& moved, const Player&, const Settings&,
            Findings& out) noexcept {
        judge(moved.position, out);
        judge(moved.rotation, out);
    }

private:
    static void judge(const protocol::Position& at, Findings& out) noexcept {
        if (std::isfinite(at.x) && std::isfinite(at.y) && std::isfinite(at.z)) return;
        out.add(1, {.unit = "blocks", .note = "position is no number"});
    }
    static void judge(const protocol::Rotation& to, Findings& out) noexcept {
        if (std::isfinite(to.yaw) && std::isfinite(to.pitch)) return;
        out.add(1, {.unit = "degrees", .note = "rotation is no number"});
    }
};

}  // namespace portcullis::checks
