#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "base/ip.h"
#include "base/time.h"
#include "protocol/shadowland/cipher.h"
#include "protocol/shadowland/fragments.h"
#include "protocol/shadowland/replay_window.h"
#include "protocol/shadowland/source_rates.h"
#include "protocol/shadowland/wire.h"

namespace portcullis::shadowland {

/// How often each of the last 64 sequences came, up to 15: four bits each.
class Copies {
public:
    static constexpr uint8_t most = 15;

    /// Entry n: the sequence n below the highest.
    uint8_t of(uint64_t behind) const noexcept {
        return static_cast<uint8_t>(words_[behind / per_word] >> shift_of(behind) & most);
    }
    /// Counts one more of it; returns how many that makes.
    uint8_t add(uint64_t behind) noexcept {
        const uint8_t before = of(behind);
        if (before < most) words_[behind / per_word] += uint64_t{1} << shift_of(behind);
        return before < most ? static_cast<uint8_t>(before + 1) : most;
    }
    void moved(uint64_t by) noexcept {
        const auto words = static_cast<size_t>(by / per_word);
        const auto bits = static_cast<unsigned>(by % per_word * width);
        for (size_t i = words_.size(); i-- > 0;) {
            uint64_t word = i >= words ? words_[i - words] << bits : 0;
            if (bits > 0 && i > words) word |= words_[i - words - 1] >> (64 - bits);
            words_[i] = word;
        }
    }

private:
    static constexpr unsigned width = 4, per_word = 64 / width;
    static unsigned shift_of(uint64_t behind) noexcept {
        return static_cast<unsigned>(behind % per_word) * width;
    }
    std::array<uint64_t, ReplayWindow::size / per_word> words_{};
};

/// What of the server's last 64 sequences on a reliable channel the client has acknowledged.
struct Acknowledged {
    uint64_t mask = 0;  ///< Bit n: the sequence n below the highest.
    Nanos at{};         ///< When any was.

    bool has(uint64_t behind) const noexcept { return (mask >> behind & 1) != 0; }
    void moved(uint64_t by) noexcept { mask = by < ReplayWindow::size ? mask << by : 0; }
};

/// So many syncs a second by the clock that they tell: as Bucket, in half the room.
class SyncClock {
public:
    /// Counts one more.  False when it does not fit: then it is not counted.
    bool take(uint32_t time_ms) noexcept {
        const auto passed_ms = static_cast<int32_t>(time_ms - time_ms_);
        if (passed_ms > 0) {
            level_ = std::max(0.0f, level_ - static_cast<float>(passed_ms) * per_ms);
            time_ms_ = time_ms;
        }
        if (level_ + 1 > burst) return false;
        level_ += 1;
        return true;
    }

private:
    static constexpr float per_ms = 0.066f;
    static constexpr float burst = 66;  ///< Of one second: a frame may hang.
    float level_ = 0;
    uint32_t time_ms_ = 0;
};

/// One direction of a session.
struct Half {
    std::array<ReplayWindow, channels> windows;
    std::array<Copies, channels - 1> copies;  ///< Of channels 1 and 2.
    FragmentSets fragments;
    Copies& of(Channel c) noexcept { return copies[index_of(c) - 1]; }
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
    uint64_t send_time_ms = 0;
    uint32_t passed_at = 0;  ///< In hundreds of microseconds; wraps.
    uint16_t id = 0;

    static uint32_t stamp(Nanos t) noexcept {
        return static_cast<uint32_t>(t / std::chrono::microseconds(100));
    }
    double ms_since(Nanos now) const noexcept { return (stamp(now) - passed_at) / 10.0; }
};

struct Challenge {
    uint16_t id = 0;
    uint16_t index = 0;
    uint32_t passed_at = 0;  ///< As a Ping's.
    bool waiting = false;
    bool late = false;  ///< Or may be for the server: it is not to say what the answer was.

    Nanos age(Nanos now) const noexcept {
        return std::chrono::microseconds(100) * (PingSent::stamp(now) - passed_at);
    }
    static constexpr Nanos answer_max = 5s;
    bool overdue(Nanos now) const noexcept { return waiting && age(now) > answer_max; }
};

/// A reliable packet that went on with messages made harmless: each time it is sent again,
/// it goes on the same.
struct Harmless {
    static constexpr size_t messages_max = 6;
    uint32_t next;
    uint64_t sequence;
    Channel channel;
    bool whole;  ///< All of it is one Nop.
    uint8_t count = 0;
    std::array<uint16_t, messages_max> offsets{};  ///< Of types in the payload.
};

/// In which of the last half seconds somebody was heard.
class HalfSeconds {
public:
    void hear(Nanos now) noexcept {
        const auto at = static_cast<uint8_t>(now / 500ms);
        const auto passed = static_cast<uint8_t>(at - at_);
        bits_ = static_cast<uint8_t>((passed < 8 ? bits_ << passed : 0) | 1);
        at_ = at;
    }
    /// In the one at hand and in each of the three before it.
    bool steadily() const noexcept { return (bits_ & 0x0f) == 0x0f; }

private:
    uint8_t bits_ = 0;  ///< Bit n: the half second n before the newest.
    uint8_t at_ = 0;    ///< Of the newest; wraps.
};

/// Sequences on channel 0 too far ahead for a window that nothing proves: many in a row, and
/// none in its old place, are the sender's new place.
class FarAhead {
public:
    /// False: too few yet.
    bool hear(uint64_t sequence, Nanos now) noexcept {
        const auto low = static_cast<uint32_t>(sequence);
        if (count_ == 0 || low - last_ > ReplayWindow::unproven_jump_max) {
            count_ = 0;
            since_ = stamp(now);
        }
        last_ = low;
        if (count_ < UINT8_MAX) ++count_;
        const auto passed = static_cast<uint8_t>(stamp(now) - since_);
        return count_ >= enough && passed >= passed_min;
    }
    void forget() noexcept { count_ = 0; }

private:
    static constexpr uint8_t enough = 8;
    static constexpr Nanos unit = 250ms;
    static constexpr uint8_t passed_min = 4;
    static uint8_t stamp(Nanos now) noexcept { return static_cast<uint8_t>(now / unit); }

    uint32_t last_ = 0;  ///< Its lower half.
    uint8_t count_ = 0;
    uint8_t since_ = 0;  ///< Of the first of them; wraps.
};

/// What the game messages of a client may change of a session, but for windows, keys and what
/// lies in pools: together, so that it can be put aside before each packet at little cost.
struct Conduct {
    Nanos pong_at{};                   ///< The newest counting Pong, or when the first Ping went.
    Nanos last_client{};               ///< A proven packet of the client's.
    std::array<Nanos, 2> unread_at{};  ///< When its side last said what we have no key for.
    Nanos heard_at{};                  ///< Any packet of the client's that was no repeat.
    uint32_t pings = 0, pongs = 0;
    uint16_t pings_waiting = 0;  ///< Bit n: the one at n of `ping_ring`.
    bool heartbeat_told = false;
    uint8_t starved_told = 0;
    HalfSeconds client_spoke;      ///< Proven packets.
    float rtt_ms = 0;              ///< Of the newest Pong; 0: none yet.
    uint32_t rekey_requested = 0;  ///< The epoch that the server asked for; 0: none.
    uint32_t rekey_answered = 0;
    uint64_t unreliable_twice = 0;  ///< Bit n: a second copy came.
    Bucket repeats;                 ///< That the network does not explain.
    Bucket packets;                 ///< All of the client's.
    Bucket syncs;
    SyncClock syncs_by_clock;
};

/// The same of its control messages: what it answers.
struct Answers {
    static constexpr size_t challenges_max = 4;

    std::array<Challenge, challenges_max> challenges;
    std::array<Acknowledged, channels - 1> acknowledged;  ///< Of the server's channels 1 and 2.
};

/// What is remembered of a session between a client and a server, from
/// ConnectionAccepted on.  Bound to both addresses by the Flow that it hangs on.
struct Session : Conduct, Answers {
    static constexpr size_t pings_max = 12;

    uint32_t connection_id = 0;
    uint32_t build = 0;
    uint8_t service = 0;
    bool build_known = false;
    bool encrypted = false;
    /// What its server said and nobody could read, until the listener has been told.
    bool missed_updates = false, missed_reliable = false;
    uint16_t heartbeat_timeout_ms = 15'000;

    Epoch epoch;  ///< The newest that a packet was opened with.
    Epoch previous;
    Nanos previous_until{};  ///< Its keys serve until then.
    Nanos next_key_look{};

    /// When another address first spoke under this id, and when last, in a row.
    Nanos stranger_from{}, stranger_at{};
    std::array<PingSent, pings_max> ping_ring;

    std::array<Half, 2> halves;
    /// When each of the client's last sequences on channel 0 came, in 64 ms; wraps.
    std::array<uint8_t, ReplayWindow::size> unreliable_at{};

    uint32_t harmless = UINT32_MAX;  ///< First of a list in the Worker's pool.
    uint32_t kept = UINT32_MAX;      ///< First of what waits for its key, in another.
    FarAhead far_ahead;              ///< Of the client's, while nothing proves them.
    uint32_t accepted_at_ms = 0;     ///< The server's time in its ConnectionAccepted; wraps.

    /// Every one on channel 0 begins a new slot for its sequence.
    uint8_t& unreliable_slot(uint64_t sequence) noexcept {
        return unreliable_at[sequence % ReplayWindow::size];
    }
    Half& half(Direction d) noexcept { return halves[index_of(d)]; }
    /// Whether an answer, or the rest of something, may belong to what we could not read.
    bool unread_lately(Direction d, Nanos now) const noexcept {
        constexpr Nanos answered_within = 30s;
        const Nanos at = unread_at[index_of(d)];
        return at != Nanos{} && now - at < answered_within;
    }
    /// No key has opened anything of it.
    bool sealed() const noexcept { return encrypted && !epoch.known; }
    Acknowledged& acknowledged_on(Channel c) noexcept { return acknowledged[index_of(c) - 1]; }
    /// Up to which of the server's sequences on this channel the client has acknowledged all.
    uint64_t delivered(Channel c) const noexcept {
        const uint64_t highest = halves[index_of(Direction::to_client)].window(c).highest();
        // What lies further back has been: a sender keeps to its window.
        const uint64_t real =
            highest < ReplayWindow::size ? (uint64_t{1} << highest) - 1 : ~uint64_t{0};
        const uint64_t open = ~acknowledged[index_of(c) - 1].mask & real;
        return highest - static_cast<uint64_t>(std::bit_width(open));
    }
};

}  // namespace portcullis::shadowland
