#pragma once

#include "checks/check.h"
#include "checks/client_ticks.h"
#include "player/player.h"

namespace portcullis::checks {

/// Fast: blocks broken sooner than any tool can.
///
/// A block that does not give way at one blow (those are only "started") takes
/// two ticks of damage at least, so a tick lies between start and finish, and the
/// next start comes a tick later: ten finished a second is the end of all
/// honesty.  Every client waits five ticks more after a block that it finished, and
/// neither a cancel nor a new click ends that wait (1.7 to 26.1): it is counted down
/// only while it digs.  So a run of `run` blocks finished at more than 1 in
/// `ticks_per_block`, whatever was cancelled between, is a machine's.
///
/// Time is counted in the client's ticks where the wire shows them; else by
/// arrival, to which all that a stall before may have held back is added.  A queue on
/// the line that swells and drains brings seconds together with no stall before them, but
/// who digs swings each tick, also in the wait: so it is as many ticks as there were
/// swings at least, but one a start, for a click may swing twice.
/// One block started and finished in one tick is only written down: some clients
/// finish even what breaks at one blow, and a server does not mind.  In creative
/// mode everything does.
/// Blind: which block and tool it is (chunks are not read), so breaking stone
/// half as fast again as one may goes unseen.
class DigFast {
public:
    static constexpr std::string_view name = "digging.fast";
    /// Of the ring a packet writes one entry, which no run reaches back to.
    static constexpr bool judges_by_front = true;
    static constexpr float weight = 2;

    struct Settings {
        double run = 12;
        double ticks_per_block = 3.5;
    };
    static constexpr size_t run_max = 32;
    static constexpr std::array<Parameter<Settings>, 2> parameters = {{
        {"run", &Settings::run, 4, run_max - 1, "Blocks in a row that must be too fast."},
        {"ticks_per_block", &Settings::ticks_per_block, 2, 7,
         "Game ticks from block to block that an honest player may keep up."},
    }};

    void on(const protocol::Move& move, const Player& player, const Settings&, Findings&) noexcept {
        ticks_.on(move, player);
    }
    void on(const protocol::TickEnded& ended, const Player&, const Settings&, Findings&) noexcept {
        ticks_.on(ended);
    }
    void on(const protocol::Swing&, const Player&, const Settings&, Findings&) noexcept {
        ++swings_;
    }
    void on(const protocol::Dig& dig, const Player& player, const Settings& settings,
            Findings& out) noexcept;

private:
    struct Finish {
        Nanos at{};
        Nanos credit{};  ///< How much earlier it may have been done.
        uint32_t tick = 0;
        uint16_t swings = 0;
    };
    void judge_run(const Settings& settings, Findings& out) noexcept;

    ClientTicks ticks_;
    uint32_t count_ = 0;  ///< Finished out of creative mode.
    uint32_t start_tick_ = 0;
    uint16_t swings_ = 0;  ///< Ever, less one a start; modulo 65,536.
    bool started_ = false;
    std::array<Finish, run_max> finishes_;  ///< A ring.
};

}  // namespace portcullis::checks
