#pragma once

#include "base/bytes.h"
#include "policy/in_front.h"
#include "records/record.h"

namespace portcullis::stages {

class Detect;

/// What stands in front of a connection's own bytes: the PROXY header, if any.
///
/// It is taken off before a game's decoder sees the stream, whether the service is
/// configured for it or not: where it is not, no server reads on behind it, and a
/// server that does all the same is inspected.  Its addresses are believed only as
/// configured.
class Front {
public:
    struct Taken {
        size_t size = 0;      ///< Bytes that are no part of the game; may be yet to come.
        bool waits = false;   ///< More bytes are needed to know.
        bool broken = false;  ///< Where the game begins can not be known.
    };

    bool passed() const noexcept { return passed_; }
    /// `in`: the client's first bytes, offered again, longer, while it waits.
    Taken take(const policy::InFront& in_front, Bytes in, Detect* detect) noexcept;

    /// All that is in front went by in another process.
    void resume(const verdicts::PlayerIdentity& known) noexcept {
        told = known;
        passed_ = true;
    }

    /// What is known of the player before there is one: what a proxy that is believed
    /// told of him, and the marks in his handshake.
    verdicts::PlayerIdentity told;

private:
    bool passed_ = false;
};

}  // namespace portcullis::stages
