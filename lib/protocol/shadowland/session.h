#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/ip.h"
#include "base/time.h"
#include "protocol/shadowland/cipher.h"
#include "protocol/shadowland/fragments.h"
#include "protocol/shadowland/replay_window.h"
#include "protocol/shadowland/wire.h"

namespace portcullis::shadowland {

/// So many a second for ever, and so many at once.
struct Bucket {
    float level = 0;
    Nanos at{};

    /// Counts one more.  False when it does not fit: then it is not counted.
    bool take(Nanos now, double per_second, double burst) noexcept {
        const double leaked = to_seconds(now - at) * per_second;
        if (now > at) at = now;
        level = static_cast<float>(level > leaked ? level - std::max(leaked, 0.0) : 0.0);
        if (level + 1 > burst) return false;
        level += 1;
        return true;
    }
};

/// What one side sent reliably on one channel, and what of it the other has
/// acknowledged, over the last 64 sequences.
struct Reliable {
    /// Bit and entry n: the sequence n below the highest.
    uint64_t acknowledged = 0;
    std::array<uint8_t, ReplayWindow::size> copies{};
    Nanos acknowledged_at{};

    void moved(uint64_t by) noexcept {
        for (size_t i = copies.size(); i-- > 0;) copies[i] = i >= by ? copies[i - by] : 0;
        acknowledged = by < ReplayWindow::size ? acknowledged << by : 0;
    }
};

/// One direction of a session.
struct Half {
    std::array<ReplayWindow, channels> windows;
    std::array<Reliable, channels - 1> reliable;  ///< Of channels 1 and 2.
    FragmentSets fragments;
    Reliable& of(Channel c) noexcept { return reliable[index_of(c) - 1]; }
    ReplayWindow& window(Channel c) noexcept { return windows[index_of(c)]; }
    const ReplayWindow& window(Channel c) const noexcept { return windows[index_of(c)]; }
};

/// The keys of one epoch, as far as we were given them.
struct Epoch {
    uint32_t number = 0;
    bool known = false;
    EpochKeys keys;
};

/// A Ping on its way; a Pong counts only for one of these.
struct PingSent {
    uint16_t id = 0;
    bool waiting = false;
    uint64_t send_time_ms = 0;
    Nanos passed_at{};
};

struct Challenge {
    uint16_t id = 0;
    uint16_t index = 0;
    bool waiting = false;
    Nanos passed_at{};
};

/// What is remembered of a session between a client and a server, from
/// ConnectionAccepted on.  Bound to both addresses by the Flow that it hangs on.
struct Session {
    static constexpr size_t pings_max = 16;
    static constexpr size_t challenges_max = 4;

    uint32_t connection_id = 0;
    uint32_t build = 0;
    bool encrypted = false;
    bool open = true;  ///< No Disconnect was seen.
    bool reliable_ready = false;
    bool entered = false;  ///< EnterToWorld was seen.
    uint8_t options = 0;
    uint8_t tick_rate = 60;
    uint16_t heartbeat_timeout_ms = 15'000;

    Epoch epoch;  ///< The newest that a packet was opened with.
    Epoch previous;
    Nanos previous_until{};  ///< Its keys serve until then.
    Nanos next_key_look{};
    std::array<Nanos, 2> unread_at{};  ///< When its side last said what we have no key for.
    uint32_t rekey_requested = 0;      ///< The epoch that the server asked for; 0: none.
    uint32_t rekey_answered = 0;

    Nanos since{};
    Nanos pong_at{};      ///< The newest counting Pong, or when the first Ping went.
    Nanos last_client{};  ///< A proven packet of the client's.
    double rtt_ms = 0;    ///< Of the newest Pong; 0: none yet.
    uint32_t pings = 0, pongs = 0;
    std::array<PingSent, pings_max> ping_ring;
    std::array<Challenge, challenges_max> challenges;

    std::array<Half, 2> halves;
    /// When each of the client's last sequences on channel 0 came, in 16 ms.
    std::array<uint16_t, ReplayWindow::size> unreliable_at{};
    uint64_t unreliable_twice = 0;  ///< Bit n: a second copy came.
    Bucket repeats;                 ///< That the network does not explain.
    Bucket packets;                 ///< All of the client's.
    Bucket syncs;
    bool heartbeat_told = false;
    uint8_t starved_told = 0;

    uint64_t retransmissions = 0;

    Half& half(Direction d) noexcept { return halves[index_of(d)]; }
    /// Whether an answer, or the rest of something, may belong to what we could not read.
    bool unread_lately(Direction d, Nanos now) const noexcept {
        constexpr Nanos answered_within = 30s;
        const Nanos at = unread_at[index_of(d)];
        return at != Nanos{} && now - at < answered_within;
    }
};

}  // namespace portcullis::shadowland
