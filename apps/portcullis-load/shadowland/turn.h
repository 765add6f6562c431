#pragma once

#include <span>

#include "datagram_writer.h"
#include "session.h"

namespace portcullis::load {

/// Small and fast, and the same everywhere for the same seed (xorshift64*).
class Random {
public:
    explicit Random(uint64_t seed) noexcept : state_(seed * 0x9e3779b97f4a7c15u | 1) {}
    uint64_t next() noexcept {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545f4914f6cdd1du;
    }
    uint32_t below(uint32_t end) noexcept { return static_cast<uint32_t>((next() >> 32) % end); }
    /// -1 ... 1.
    float around() noexcept {
        return static_cast<float>(static_cast<int64_t>(next()) >> 40) / float(1 << 23);
    }
    void fill(MutableBytes out) noexcept {
        for (std::byte& byte : out) byte = static_cast<std::byte>(next() >> 56);
    }

private:
    uint64_t state_;
};

/// What the server and the inspector know and clients do not.
struct Secrets {
    shadowland::Key cookie{};
    std::array<std::byte, 32> integrity{};
};

/// One end's turn to say something.
struct Turn {
    Session& session;
    std::span<Session> group;  ///< Of the session, itself included.
    Nanos now{};               ///< Since the Unix epoch.
    bool playing = false;      ///< Everybody is in: from here on players move.
    Nanos rekey_every{};       ///< 0: never.
    DatagramWriter& writer;
    shadowland::Authenticator& authenticator;
    Random& random;
    const Secrets& secrets;

    uint64_t now_ms() const noexcept {
        return static_cast<uint64_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
    }
};

inline constexpr uint32_t build = 100;

/// What this end owes the other on channel 1, which is nothing afterwards.
inline MutableBytes acknowledge(Turn& turn, protocol::Direction from) noexcept {
    using namespace shadowland;
    Session& s = turn.session;
    Owed& owed = s.owed[index_of(from)];
    std::array<std::byte, 8 * Owed::sequences_max> raw;
    Writer to(raw);
    for (size_t i = 0; i < owed.count; ++i) to.le_u64(owed.sequences[i]);
    turn.writer.begin(s, from, Channel::unreliable, flag::control | flag::acknowledgment);
    turn.writer.message(ControlType::ack,
                        Ack{.channel = 1, .count = owed.count, .raw = to.written()});
    owed.count = 0;
    return turn.writer.end();
}

/// The next datagram of an end; empty when it has nothing to say.
MutableBytes client_says(Turn& turn) noexcept;
MutableBytes server_says(Turn& turn) noexcept;

/// What an attacker's client says in place of an honest one; empty: what an honest one would.
MutableBytes attacker_says(Turn& turn) noexcept;
/// How many datagrams an attacker says in one turn.
uint32_t attacker_repeats(const Session& session, Nanos now) noexcept;
/// Whether he has to be in a session to attack.
bool attacks_in_session(Attack attack) noexcept;

/// A sync of the own entity, as it is now.
shadowland::SyncEntityQuantized sync_of(const Session& session, Nanos now) noexcept;
void write_connect(Turn& turn, Bytes cookie) noexcept;

}  // namespace portcullis::load
