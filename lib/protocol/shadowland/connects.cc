#include "protocol/shadowland/connects.h"

#include <algorithm>
#include <cstring>

#include "base/reader.h"
#include "base/spread.h"
#include "base/writer.h"
#include "protocol/shadowland/header.h"

namespace portcullis::shadowland {

namespace {

int64_t in_ms(Nanos t) noexcept {
    return std::chrono::duration_cast<std::chrono::milliseconds>(t).count();
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
      newcomers_(std::make_unique<Newcomer[]>(newcomers_max)) {}

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
    const bool good = cookie_state_at(made_ms, server_ms(service, now)) == CookieState::good;
    return good ? ConnectFate::cookie_good : ConnectFate::cookie_expired;
}

void Connects::hear_clock(uint8_t service, uint64_t said_ms, Nanos now) noexcept {
    constexpr uint64_t year_10000_ms = 253'402'300'800'000;  // What is later is no clock's.
    if (said_ms >= year_10000_ms) return;
    clocks_[service].learn(static_cast<int64_t>(said_ms) - in_ms(now), now);
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

/// The sum is what nobody can guess; the nonce only makes cookies differ.
uint64_t Connects::nonce() noexcept { return spread(secret_ + ++answers_); }

uint64_t Connects::hash_of(const Endpoint& client) const noexcept {
    std::array<uint64_t, 2> halves;
    std::memcpy(halves.data(), client.address.octets.data(), sizeof halves);
    return spread(spread(spread(secret_ ^ halves[0]) + halves[1]) + client.port);
}

const Connects::Newcomer* Connects::find(const Endpoint& client, Nanos now) const noexcept {
    const uint64_t hash = hash_of(client);
    const auto tag = static_cast<uint32_t>(hash >> 32);
    const Newcomer* const set =
        newcomers_.get() + hash % (newcomers_max / newcomers_ways) * newcomers_ways;
    for (const Newcomer* n = set; n < set + newcomers_ways; ++n) {
        if (n->tag == tag && n->at != Nanos::min() && now - n->at <= newcomer_life) return n;
    }
    return nullptr;
}

/// Its place, or that of who has been silent for longest.  Whom the server has given a cookie
/// gives way to nobody who only says that he has one: of those there may be a flood.
Connects::Newcomer& Connects::place_of(const Endpoint& client, Nanos now) noexcept {
    if (const Newcomer* known = find(client, now)) return const_cast<Newcomer&>(*known);
    const uint64_t hash = hash_of(client);
    Newcomer* const set =
        newcomers_.get() + hash % (newcomers_max / newcomers_ways) * newcomers_ways;
    Newcomer& place =
        *std::ranges::min_element(set, set + newcomers_ways, {}, [&](const Newcomer& n) {
            const bool over = n.at == Nanos::min() || now - n.at > newcomer_life;
            return std::pair(n.given && !over, n.at);
        });
    place = {.tag = static_cast<uint32_t>(hash >> 32), .at = now};
    return place;
}

void Connects::given(const Endpoint& client, Nanos now) noexcept {
    Newcomer& newcomer = place_of(client, now);
    newcomer.given = true;
    newcomer.at = now;
}

bool Connects::was_given(const Endpoint& client, Nanos now) const noexcept {
    const Newcomer* newcomer = find(client, now);
    return newcomer != nullptr && newcomer->given;
}

void Connects::asked(const Endpoint& client, uint32_t build, bool good, Nanos now) noexcept {
    Newcomer& newcomer = place_of(client, now);
    newcomer.at = now;
    if (good || !newcomer.asked) {
        newcomer.differs = false;
        newcomer.build = build;
        newcomer.good = good;
    } else if (!newcomer.good && newcomer.build != build) {
        newcomer.differs = true;
    }
    newcomer.asked = true;
}

std::optional<Connects::Asked> Connects::asked_by(const Endpoint& client,
                                                  Nanos now) const noexcept {
    const Newcomer* newcomer = find(client, now);
    if (newcomer == nullptr || !newcomer->asked) return std::nullopt;
    if (newcomer->differs) return Asked{};
    return Asked{newcomer->build};
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
