#pragma once

#include <functional>
#include <string>
#include <vector>

#include "keys/key.h"
#include "turn.h"

namespace portcullis::load {

/// One datagram on its way.
struct Said {
    Nanos time;  ///< Since the Unix epoch.
    Direction direction;
    const Endpoint& client;
    bool honest;  ///< Of a session that attacks nobody.
    Bytes bytes;
};

/// A whole Shadowland service: its players and the server, both ends of every session,
/// in the order of time.  The same settings always say the same.
///
/// First all enter the world, some a second and each at rest, then all play at once: the
/// rate of datagrams is then what was asked for until the end.
class Game {
public:
    struct Share {
        Attack attack;
        double of_sessions;  ///< 0 ... 1.
    };
    struct Settings {
        uint32_t sessions = 10'000;
        double rate = 600'000;  ///< Datagrams a second, both directions.
        bool encrypted = false;
        uint64_t seed = 1;
        double connects_per_second = 150;
        Nanos begins{};  ///< Since the Unix epoch.
        Nanos rekey_every{};
        Endpoint server;
        IpAddress first_client;
        std::vector<Share> attacks;
    };

    static constexpr uint32_t sessions_max = 131'072;
    /// Of datagrams a second of one session; more is a flood, less is no play.
    static constexpr double rate_min = 10, rate_max = 120;

    /// Throws UsageError: what can not be played so.
    explicit Game(const Settings& settings);

    /// Says the next datagram to `take`, which says whether to go on.
    void play(const std::function<bool(const Said&)>& take);

    /// When everybody is in and moves.
    Nanos plays_from() const noexcept { return plays_from_; }
    std::span<const Session> sessions() const noexcept { return sessions_; }
    /// The keys of all epochs until then, as a server feeds them.
    std::vector<keys::Key> keys(Nanos until) const;

private:
    void make_sessions();
    void choose_attackers();
    void begin_playing();
    bool visit(uint32_t number, Direction direction, const std::function<bool(const Said&)>& take);
    std::span<Session> group_of(uint32_t number) noexcept;

    const Settings settings_;
    Random random_;
    Secrets secrets_;
    DatagramWriter writer_;
    shadowland::Authenticator authenticator_;
    std::vector<Session> sessions_;
    Nanos plays_from_{};
    Nanos now_{};
    bool playing_ = false;
};

}  // namespace portcullis::load
