#pragma once

#include <algorithm>

#include "checks/check.h"
#include "checks/client_ticks.h"
#include "player/player.h"

namespace portcullis::checks {

/// Several: more blocks begun within one tick of the client than it has hands, as a
/// nuker digs up all around itself.
///
/// A client looks what is under its crosshair once a tick, and all clicks of that tick
/// are at that one block, whatever breaks at one blow; Vivecraft has two hands that strike
/// by themselves.  Where the wire shows the ticks more blocks begun in one are impossible,
/// whatever the line did: order is all that counts.
///
/// Where ticks are not seen, a block begun in each is what holds for ever.  So a bucket
/// leaks at `per_second` and holds `burst`: ten seconds' work, which a queue on the line
/// that drains brings together with no silence before it; and as much more as a silence
/// before may have held back.
/// Blind: two blocks a tick, where ticks are not seen up to that burst; placing; creative.
class DigSeveral {
public:
    static constexpr std::string_view name = "digging.several";
    static constexpr float weight = 2;

    struct Settings {
        double blocks = 2;
        double per_second = 22;
        double burst = 220;
    };
    static constexpr std::array<Parameter<Settings>, 3> parameters = {{
        {"blocks", &Settings::blocks, 1, 100, "Blocks begun in one visible tick."},
        {"per_second", &Settings::per_second, 20, 1000,
         "Blocks begun a second where ticks are not seen."},
        {"burst", &Settings::burst, 20, 10000, "Blocks begun beyond that for a moment."},
    }};

    void on(const protocol::Move& move, const Player& player, const Settings&, Findings&) noexcept {
        ticks_.on(move, player);
    }
    void on(const protocol::TickEnded& ended, const Player&, const Settings&, Findings&) noexcept {
        ticks_.on(ended);
    }
    void on(const protocol::Dig& dig, const Player& player, const Settings& settings,
            Findings& out) noexcept {
        if (dig.status != static_cast<uint8_t>(protocol::Dig::Status::start)) return;
        if (player.bedrock() || player.may_be(protocol::GameMode::creative)) return;
        const bool same_tick =
            ticks_.known() && ticks_.count() == tick_ && player.now - tick_at_ < tick_max;
        const bool other = begun_ == 0 || dig.block != block_;
        block_ = dig.block;
        if (!ticks_.known()) {
            begun_ = 1;
            if (other) fill(player, settings, out);
        } else if (!same_tick) {
            tick_ = ticks_.count();
            tick_at_ = player.now;
            begun_ = 1;
        } else if (other && begun_ < UINT8_MAX && ++begun_ == settings_limit(settings) + 1) {
            out.add(certain, {.observed = static_cast<double>(begun_),
                              .limit = settings.blocks,
                              .unit = "blocks/tick"});
        }
    }

private:
    static constexpr float certain = 0.97f;
    static constexpr float finding_every = 10;  ///< Blocks over the bucket's limit a finding.
    /// A client that stopped showing its ticks (no chunk under it) is not blamed for blocks
    /// that lie apart.
    static constexpr Nanos tick_max = 100ms;

    static int settings_limit(const Settings& settings) noexcept {
        return static_cast<int>(settings.blocks);
    }
    void fill(const Player& player, const Settings& settings, Findings& out) noexcept {
        const double elapsed = to_seconds(std::max(Nanos{}, player.now - filled_at_));
        const double paid = to_seconds(player.held_back()) * settings.per_second;
        filled_at_ = player.now;
        level_ = static_cast<float>(std::max(-paid, level_ - elapsed * settings.per_second) + 1);
        if (level_ <= settings.burst) return;
        out.add(certain, {.observed = level_,
                          .limit = settings.burst,
                          .unit = "blocks",
                          .note = "begun at once"});
        level_ -= finding_every;
    }

    ClientTicks ticks_;
    uint32_t tick_ = 0;  ///< In which the last ones were begun,
    Nanos tick_at_{};    ///< when the first of them came,
    uint8_t begun_ = 0;  ///< and how many, other than the one before.
    float level_ = 0;    ///< Of the bucket; below nothing: what a silence paid for.
    Nanos filled_at_{};
    protocol::BlockPosition block_{};  ///< The last one begun.
};

}  // namespace portcullis::checks
