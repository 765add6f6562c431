#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "keys/shadowland_keys.h"
#include "protocol/shadowland/cipher.h"
#include "protocol/shadowland/source_rates.h"
#include "protocol/shadowland/traffic.h"
#include "protocol/shadowland/wire.h"

namespace portcullis::shadowland {

/// What comes before a session: Connects without a cookie, counted against a flood and
/// answered in the server's place; Connects with one, judged and kept in mind until the
/// server accepts.  All of it in tables of fixed size, so a flood costs no memory.
class Connects {
public:
    static constexpr size_t services_max = 64;

    struct Limits {
        double per_s = 200;                   ///< Without a cookie, to one service.
        double source_per_s = 20;             ///< Of those, from one address.
        double source_packets_per_s = 1'000;  ///< Of no session, from one address.
    };

    Connects(const Limits& limits, uint64_t secret);

    struct Counted {
        ConnectFate fate{};
        bool of_source = false;  ///< One too many of its address, rather than of all.
    };
    /// A Connect without a cookie: it may pass (`passed`, `flooded`), or is one too many and
    /// wants our answer (`answered`), or gets none (`over_source`).
    Counted count(const Endpoint& client, uint8_t service, bool can_answer, Nanos now) noexcept;
    /// A Connect with a cookie.
    ConnectFate judge(const keys::ServerSecrets* secrets, Bytes cookie, const Endpoint& client,
                      Bytes public_key, uint8_t service, Nanos now) noexcept;
    /// A datagram of no session, or a Connect with a cookie.  False: one too many of its address.
    bool stranger_fits(const Endpoint& client, Nanos now) noexcept {
        return packets_.take(client.address, now);
    }

    /// The server gave the client a cookie.
    void given(const Endpoint& client, Nanos now) noexcept;
    bool was_given(const Endpoint& client, Nanos now) const noexcept;
    /// The client asked to be let in, with this build.  Only a good cookie, which nobody else
    /// has, lets it say another one so soon.
    void asked(const Endpoint& client, uint32_t build, bool good, Nanos now) noexcept;
    struct Asked {
        std::optional<uint32_t> build;  ///< Nothing: it said more than one.
    };
    /// Nothing: nobody asked a moment ago.
    std::optional<Asked> asked_by(const Endpoint& client, Nanos now) const noexcept;

    /// The server says what time it is, in Unix milliseconds.
    void hear_clock(uint8_t service, uint64_t said_ms, Nanos now) noexcept;

    /// The cookie packet as the server would send it now.  Smaller than any Connect.
    static constexpr size_t answer_size = header_size + 1 + cookie_size + crc_size;
    static std::array<std::byte, answer_size> cookie_packet(Bytes cookie) noexcept;
    std::array<std::byte, answer_size> answer(const keys::ServerSecrets& secrets,
                                              const Endpoint& client, Bytes public_key,
                                              uint8_t service, Nanos now) noexcept;

    const Limits& limits() const noexcept { return limits_; }
    Authenticator& authenticator() noexcept { return authenticator_; }

private:
    static constexpr uint32_t sources_max = 16'384;
    static constexpr uint32_t newcomers_max = 16'384;
    static constexpr size_t newcomers_ways = 4;
    /// A client repeats its Connect for six seconds.
    static constexpr Nanos newcomer_life = 15s;
    static constexpr Nanos clock_window = 30s;

    /// A client before its session.
    struct Newcomer {
        uint32_t tag = 0;
        uint32_t build = 0;
        Nanos at = Nanos::min();
        bool given = false;    ///< A cookie, by the server.
        bool asked = false;    ///< With a cookie.
        bool good = false;     ///< With one that was judged good.
        bool differs = false;  ///< It named more than one build.
    };
    /// By how much the server's clock is before ours, as it says itself with each cookie and
    /// each acceptance: the most of the last half minute, for what was delayed says less.
    /// Taken to be nothing until it has.  Clients do not move it.
    struct Clock {
        int64_t best_ms = 0, before_ms = 0;
        Nanos window_began = Nanos::min();
        bool known = false;
        int64_t ahead_ms() const noexcept { return known ? std::max(best_ms, before_ms) : 0; }
        void learn(int64_t said_ms, Nanos now) noexcept;
    };

    uint64_t hash_of(const Endpoint& client) const noexcept;
    uint64_t nonce() noexcept;
    Newcomer& place_of(const Endpoint& client, Nanos now) noexcept;
    const Newcomer* find(const Endpoint& client, Nanos now) const noexcept;
    /// What the server's clock says, as far as we know it.
    uint64_t server_ms(uint8_t service, Nanos now) const noexcept;

    const Limits limits_;
    const uint64_t secret_;
    uint64_t answers_ = 0;
    Authenticator authenticator_;
    SourceRates sources_;
    SourceRates packets_;
    std::array<Bucket, services_max> totals_;
    std::array<Clock, services_max> clocks_;
    std::unique_ptr<Newcomer[]> newcomers_;
};

}  // namespace portcullis::shadowland
