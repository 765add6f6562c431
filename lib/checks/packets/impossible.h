#pragma once

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// Impossible: a single packet that no client can make, whatever its line does.
///
/// A client strikes what is under its crosshair, which is never its own body while it
/// looks out of that; the server knows which body that is, and the client does once it
/// answers a later request.  It selects one of nine slots; mods with more of them are only
/// written down, up to what an inventory has, and so are clients before 1.8, whose mods
/// kept weapons in slots of their own.
/// Blind: whoever is never asked anything, until then.
class Impossible {
public:
    static constexpr std::string_view name = "packets.impossible";
    static constexpr float weight = 6;  ///< Two within ten seconds.

    struct Settings {};

    void on(const protocol::Attack& attack, const Player& player, const Settings&,
            Findings& out) noexcept {
        if (player.bedrock() || player.watching_another()) return;
        if (!player.surely_self(attack.target)) return;
        out.add(certain, {.note = "struck himself"});
    }
    void on(const protocol::SlotSelected& selected, const Player& player, const Settings&,
            Findings& out) noexcept {
        if (player.bedrock() || (selected.slot >= 0 && selected.slot <= slot_max)) return;
        const bool of_none = selected.slot < 0 || selected.slot >= inventory_slots;
        out.add(of_none && player.version >= version_1_8 ? certain : unsure,
                {.observed = static_cast<double>(selected.slot),
                 .limit = slot_max,
                 .unit = "slot",
                 .note = "no such slot"});
    }

private:
    static constexpr int32_t version_1_8 = 47;
    static constexpr int16_t slot_max = 8;
    static constexpr int16_t inventory_slots = 36;
    static constexpr float certain = 0.99f;
    static constexpr float unsure = 0.8f;
};

}  // namespace portcullis::checks
