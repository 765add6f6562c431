#pragma once

#include <cmath>

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// Pitch: a head turned further than straight up or down, which the client clamps
/// at every movement of the mouse.
///
/// It does not clamp what a server's teleport or set rotation says, and answers it word
/// for word.
/// So a pitch the server asked for is never blamed, and after a relative one
/// (whose sum only the client knows) one answer is let pass.
/// Blind: a cheat that stays within the range.
class Pitch {
public:
    static constexpr std::string_view name = "packets.pitch";
    static constexpr float weight = 4;  ///< Three within a minute.

    struct Settings {
        double limit_degrees = 90;
    };
    static constexpr std::array<Parameter<Settings>, 1> parameters = {
        {{"limit_degrees", &Settings::limit_degrees, 90, 180,
          "Largest pitch up or down that is no finding, degrees."}}};

    void on(const protocol::Move& move, const Player& player, const Settings& settings,
            Findings& out) noexcept {
        if (!move.has_rotation || player.bedrock()) return;
        const double pitch = std::abs(static_cast<double>(move.rotation.pitch));
        if (!(pitch > settings.limit_degrees + rounding)) return;  // NaN is packets.not_finite's.
        if (asked_for(move.rotation.pitch)) return;
        if (relative_answers_ > 0) {
            --relative_answers_;
            return;
        }
        out.add(confidence,
                {.observed = pitch, .limit = settings.limit_degrees, .unit = "degrees"});
    }

    void on(const protocol::Teleported& to, const Player&, const Settings& settings,
            Findings&) noexcept {
        ask(to.rotation.pitch, to.relative_pitch, settings);
    }
    void on(const protocol::RotationSet& to, const Player&, const Settings& settings,
            Findings&) noexcept {
        ask(to.rotation.pitch, to.relative_pitch, settings);
    }

private:
    static constexpr float confidence = 0.99f;
    /// Clients other than vanilla turn radians into degrees.
    static constexpr double rounding = 0.01;

    void ask(float pitch, bool relative, const Settings& settings) noexcept {
        if (relative) {
            if (pitch != 0) ++relative_answers_;
            return;
        }
        if (std::abs(static_cast<double>(pitch)) <= settings.limit_degrees) return;
        asked_[next_++ % asked_.size()] = pitch;
    }
    /// The client may keep on saying it until the mouse moves.
    bool asked_for(float pitch) const noexcept {
        for (const float asked : asked_) {
            if (asked != 0 && (pitch == asked || pitch == std::fmod(asked, 360.0f))) return true;
        }
        return false;
    }

    std::array<float, 4> asked_{};
    uint32_t next_ = 0;
    uint32_t relative_answers_ = 0;
};

}  // namespace portcullis::checks
