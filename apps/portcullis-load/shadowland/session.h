#pragma once

#include <array>
#include <cstdint>
#include <numbers>

#include "attack.h"
#include "base/ip.h"
#include "base/time.h"
#include "player/shadowland/map.h"
#include "protocol/shadowland/cipher.h"
#include "protocol/shadowland/layouts.h"

namespace portcullis::load {

using protocol::Direction;
using shadowland::index_of;

/// Players that see each other.
inline constexpr uint32_t group_size = 8;

/// What comes next in a session, in the order of the wire document's handshake: even
/// steps are the client's, odd ones the server's.
enum class Step : uint8_t {
    connect,
    cookie,
    connect_again,
    accept,
    crypto_test,
    crypto_test_ack,
    handshake,
    handshake_ack,
    enter,
    create_self,
    play,
};

/// Sequences that one end received reliably and has not acknowledged yet.
struct Owed {
    static constexpr size_t sequences_max = 16;
    std::array<uint64_t, sequences_max> sequences{};
    uint8_t count = 0;
    void add(uint64_t sequence) noexcept {
        if (count < sequences_max) sequences[count++] = sequence;
    }
};

/// One player and his server's end of it, as far as the next packets depend on it.
struct Session {
    uint32_t number = 0;
    uint32_t connection_id = 0;
    Endpoint client;
    Attack attack = Attack::none;
    Step step = Step::connect;
    bool encrypted = false;

    std::array<std::array<uint64_t, shadowland::channels>, 2> sequences{};  ///< By direction.
    std::array<Owed, 2> owed;               ///< By the direction of the Ack.
    std::array<uint32_t, 2> epochs{};       ///< That each end seals under.
    shadowland::EpochKeys keys, next_keys;  ///< Of the client's epoch, and the one after it.
    std::array<std::byte, shadowland::key_size> public_key{};
    std::array<std::byte, shadowland::cookie_size> cookie{};
    std::array<std::byte, shadowland::crypto_test_size> crypto_test{};

    Nanos begins{};   ///< When it first connects.
    Nanos entered{};  ///< When it was in the world.
    Nanos walked_at{};
    shadowland::Place home, place;
    float heading = 0;  ///< Radians.
    float vx = 0, vy = 0;
    uint8_t created = 0;  ///< Of the others in its group, that it was told of.
    uint8_t shown = 0;    ///< Whose turn it is to be updated.
    bool stunned = false;
    bool leaked = false;

    uint16_t ping_id = 0, pong_id = 0;  ///< Asked, and to be answered (0: nothing).
    uint64_t ping_ms = 0;
    uint16_t challenge_id = 0, challenge_index = 0;
    bool challenged = false;
    uint16_t request_id = 0, answer_id = 0;
    uint32_t action = 0, target = 0;
    enum class Rekey : uint8_t { none, requested, answered } rekey = Rekey::none;

    Nanos ping_at{}, action_at{}, challenge_at{}, rekey_at{};
    Nanos attack_begins = Nanos::max(), attack_at{};
    uint16_t attack_count = 0;
    uint16_t fragment_id = 0;

    uint32_t entity() const noexcept { return 1 + number; }
    bool attacking(Attack how, Nanos now) const noexcept {
        return attack == how && now >= attack_begins;
    }
    uint32_t client_time_ms(Nanos now) const noexcept {
        const bool fast = attacking(Attack::movement_timer, now);
        return static_cast<uint32_t>(
            to_milliseconds(now - begins + (fast ? (now - attack_begins) / 5 : Nanos{})));
    }
    const shadowland::Key& key_of(Direction d) const noexcept {
        const bool next = epochs[index_of(d)] > epochs[index_of(Direction::to_server)];
        return (next ? next_keys : keys).of(d);
    }

    /// What was just begun on channel 1 in this direction, the other end acknowledges.
    void expect_ack(Direction direction) noexcept {
        owed[index_of(protocol::opposite(direction))].add(sequences[index_of(direction)][1]);
    }
    /// The heading as a quantised rotation says it: a turn is 65,536.
    int16_t heading_turns() const noexcept {
        return static_cast<int16_t>(heading * static_cast<float>(32'768 / std::numbers::pi));
    }
};

}  // namespace portcullis::load
