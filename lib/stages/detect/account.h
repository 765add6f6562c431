#pragma once

#include "policy/tally.h"
#include "records/record.h"

namespace portcullis::stages {

/// What is kept of a player whatever the game: who he is, and what he has done.
struct Account {
    // What every event asks for comes first, what only Findings do comes last.
    verdicts::PlayerIdentity identity;
    bool logged_in = false;     ///< The server let him in; records say `in_game`.
    bool ending = false;        ///< His connection is being ended: nothing more is decided.
    bool left = false;          ///< His leaving was told.
    bool came_back = false;     ///< He went on after a reset that was told as his leaving.
    bool server_ended = false;  ///< The server said goodbye.
    uint32_t blocks_seen = 0;   ///< His own address was not among so many blocks.
    policy::Tally tally;
};

}  // namespace portcullis::stages
