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

    /// The client asked to be let in, with this build.
    void asked(const Endpoint& client, uint32_t build, Nanos now) noexcept;
    /// The build of a client that asked a moment ago; nothing: it did not.
    std::optional<uint32_t> build_of(const Endpoint& client, Nanos now) const noexcept;

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
    static constexpr uint32_t asked_max = 16'384;
    static constexpr size_t asked_ways = 4;
    /// A client repeats its Connect for six seconds.
    static constexpr Nanos asked_life = 15s;
    static constexpr Nanos clock_window = 30s;
    static constexpr uint8_t old_in_row_max = 8;

    struct Asked {
        uint32_t tag = 0;
        uint32_t build = 0;
        Nanos at = Nanos::min();
    };
    /// By how much the server's clock is before ours, as its own cookies tell when they come
    /// back: the most of the last half minute, for an old cookie can only say less.  Taken to
    /// be nothing until a good one says otherwise, or many in a row that would all be old.
    struct Clock {
        int64_t best_ms = 0, before_ms = 0;
        Nanos window_began = Nanos::min();
        bool known = false;
        uint8_t old_in_row = 0;
        int64_t ahead_ms() const noexcept { return known ? std::max(best_ms, before_ms) : 0; }
        void learn(int64_t said_ms, Nanos now) noexcept;
        void hear(int64_t said_ms, bool old, Nanos now) noexcept;
    };

    uint64_t hash_of(const Endpoint& client) const noexcept;
    uint64_t nonce() noexcept;
    bool made_here(uint64_t nonce) const noexcept;
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
    std::unique_ptr<Asked[]> asked_;
};

}  // namespace portcullis::shadowland
