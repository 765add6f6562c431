#include "protocol/shadowland/connects.h"

#include <algorithm>
#include <cstring>

#include "base/reader.h"
#include "base/writer.h"
#include "protocol/shadowland/header.h"

namespace portcullis::shadowland {

namespace {

int64_t in_ms(Nanos t) noexcept {
    return std::chrono::duration_cast<std::chrono::milliseconds>(t).count();
}

/// Neighbouring values must not be neighbours in any bits.
uint64_t spread(uint64_t h) noexcept {
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

constexpr size_t connect_size = 107;
static_assert(Connects::answer_size < connect_size, "an answer must not amplify a flood");

}  // namespace

Connects::Connects(const Limits& limits, uint64_t secret)
    : limits_(limits),
      secret_(spread(secret + 0x9e3779b97f4a7c15u)),
      sources_(sources_max, limits.source_per_s, limits.source_per_s, secret_),
      // As a session may: what a line held back comes all at once.
      packets_(sources_max, limits.source_packets_per_s, 3 * limits.source_packets_per_s, ~secret_),
      asked_(std::make_unique<Asked[]>(asked_max)) {}

Connects::Counted Connects::count(const Endpoint& client, uint8_t service, bool can_answer,
                                  Nanos now) noexcept {
    // Who shares an address with a flooder gets in all the same where we can answer.
    if (!sources_.take(client.address, now)) {
        return {can_answer ? ConnectFate::answered : ConnectFate::over_source, true};
    }
    if (totals_[service].take(now, limits_.per_s, limits_.per_s)) return {ConnectFate::passed};
    return {can_answer ? ConnectFate::answered : ConnectFate::flooded};
}

ConnectFate Connects::judge(const keys::ServerSecrets* secrets, Bytes cookie,
                            const Endpoint& client, Bytes public_key, uint8_t service,
                            Nanos now) noexcept {
    if (secrets == nullptr || !secrets->has_cookie) return ConnectFate::cookie_unjudged;
    const auto holds = [&](Bytes secret) noexcept {
        return authenticator_.cookie_holds(secret, cookie, client, public_key);
    };
    if (!holds(secrets->cookie) &&
        (now >= secrets->previous_until || !holds(secrets->previous_cookie))) {
        return ConnectFate::cookie_forged;
    }
    Reader in(cookie);
    const uint64_t made_ms = in.le_u64();
    const auto good = [&]() noexcept {
        return cookie_state_at(made_ms, server_ms(service, now)) == CookieState::good;
    };
    // What we gave only says what we believed.
    if (!made_here(in.le_u64())) {
        clocks_[service].hear(static_cast<int64_t>(made_ms) - in_ms(now), !good(), now);
    }
    return good() ? ConnectFate::cookie_good : ConnectFate::cookie_expired;
}

void Connects::Clock::hear(int64_t said_ms, bool old, Nanos now) noexcept {
    if (said_ms > ahead_ms() || !old) {
        old_in_row = 0;
        return learn(said_ms, now);
    }
    // It is the clock that is behind, and not all of its clients.
    if (++old_in_row < old_in_row_max) return;
    *this = {};
    learn(said_ms, now);
}

void Connects::Clock::learn(int64_t said_ms, Nanos now) noexcept {
    if (!known || now - window_began > clock_window) {
        before_ms = known ? best_ms : said_ms;
        best_ms = said_ms;
        window_began = now;
        known = true;
    }
    best_ms = std::max(best_ms, said_ms);
}

/// The sum is what nobody can guess; the nonce only makes cookies differ, and lets us know
/// our own.
uint64_t Connects::nonce() noexcept {
    const uint64_t high = spread(secret_ + ++answers_) >> 32;
    return high << 32 | (spread(secret_ ^ high) & UINT32_MAX);
}
bool Connects::made_here(uint64_t nonce) const noexcept {
    return (spread(secret_ ^ nonce >> 32) & UINT32_MAX) == (nonce & UINT32_MAX);
}

uint64_t Connects::hash_of(const Endpoint& client) const noexcept {
    std::array<uint64_t, 2> halves;
    std::memcpy(halves.data(), client.address.octets.data(), sizeof halves);
    return spread(spread(spread(secret_ ^ halves[0]) + halves[1]) + client.port);
}

void Connects::asked(const Endpoint& client, uint32_t build, Nanos now) noexcept {
    const uint64_t hash = hash_of(client);
    const auto tag = static_cast<uint32_t>(hash >> 32);
    Asked* const set = asked_.get() + hash % (asked_max / asked_ways) * asked_ways;
    Asked* place =
        std::find_if(set, set + asked_ways, [&](const Asked& a) { return a.tag == tag; });
    if (place == set + asked_ways) {
        place = std::ranges::min_element(set, set + asked_ways, {}, &Asked::at);
    }
    *place = {tag, build, now};
}

std::optional<uint32_t> Connects::build_of(const Endpoint& client, Nanos now) const noexcept {
    const uint64_t hash = hash_of(client);
    const auto tag = static_cast<uint32_t>(hash >> 32);
    const Asked* const set = asked_.get() + hash % (asked_max / asked_ways) * asked_ways;
    for (const Asked* a = set; a < set + asked_ways; ++a) {
        if (a->tag == tag && a->at != Nanos::min() && now - a->at <= asked_life) return a->build;
    }
    return std::nullopt;
}

uint64_t Connects::server_ms(uint8_t service, Nanos now) const noexcept {
    return static_cast<uint64_t>(std::max<int64_t>(0, in_ms(now) + clocks_[service].ahead_ms()));
}

std::array<std::byte, Connects::answer_size> Connects::answer(const keys::ServerSecrets& secrets,
                                                              const Endpoint& client,
                                                              Bytes public_key, uint8_t service,
                                                              Nanos now) noexcept {
    const auto cookie = authenticator_.make_cookie(secrets.cookie, client, public_key,
                                                   server_ms(service, now), nonce());
    return cookie_packet(cookie);
}

std::array<std::byte, Connects::answer_size> Connects::cookie_packet(Bytes cookie) noexcept {
    std::array<std::byte, answer_size> packet;
    Header header;
    header.flags = flag::control;
    write_header(header, packet);
    Writer body(MutableBytes(packet).subspan(header_size));
    body.u8(static_cast<uint8_t>(ControlType::cookie));
    body.bytes(cookie);
    write_crc(packet);
    return packet;
}

}  // namespace portcullis::shadowland
