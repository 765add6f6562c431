#pragma once

#include <string>
#include <vector>

#include "control/state.h"

/// What the admin socket answers to questions, as JSON.  No answer waits for anything:
/// where Workers must be asked, their reports are given in.
namespace portcullis::control {

Json moment(Nanos time);  ///< RFC 3339; null for 0.

Json status_answer(const State& state);
Json wires_answer(const State& state);
Json services_answer(const State& state);
Json workers_answer(const State& state);
Json blocks_answer(const State& state);
Json config_answer(const State& state);

/// Which Flows of those told are shown.
struct FlowChoice {
    std::string service;        ///< Of this name only; empty: all.
    std::string flow_state;     ///< In this state only; empty: any.
    size_t skip = 0, show = 0;  ///< So many of the first left out, so many shown then.
};
Json flows_answer(const State& state, const FlowInquiry::Answer& told, const FlowChoice& choice);

/// Which players of those known are shown.
struct PlayerChoice {
    static constexpr size_t shown_max = 10'000;

    std::string service;                ///< Of this name only; empty: all.
    size_t skip = 0, show = shown_max;  ///< So many of the first left out, so many shown then.
};
/// Players as records told of them, with what Workers say of them now.
Json players_answer(const State& state, const FlowInquiry::Answer& told,
                    const PlayerChoice& choice);
Json player_answer(const State& state, const PlayerRegistry::Entry& entry);

/// Reported packets of a player from number `from` on.
Json traced_answer(const State& state, const std::string& name, uint64_t from);

/// Throws SetupError when nobody of that name is known to be here.
std::vector<const PlayerRegistry::Entry*> named_players(const State& state,
                                                        const std::string& name);

}  // namespace portcullis::control
