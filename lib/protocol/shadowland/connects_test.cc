// Goal: a flood of Connects is answered in the server's place with cookies that the server
// takes, costs no memory, and blames and hurts nobody else; a cookie is judged by the
// server's own clock.
// Method: the tables alone, with made-up clients and times.

#include "protocol/shadowland/connects.h"

#include <gtest/gtest.h>

#include "protocol/shadowland/header.h"
#include "protocol/shadowland/tell_test_support.h"
#include "protocol/shadowland/vectors.h"

namespace portcullis::shadowland {
namespace {

const Endpoint honest = *parse_endpoint("203.0.113.5:40000");
const std::vector<std::byte> key(key_size, std::byte{7});

keys::ServerSecrets secrets() {
    keys::ServerSecrets s;
    s.has_cookie = true;
    s.cookie.fill(std::byte{0x33});
    return s;
}
Endpoint random_source(uint32_t i) {
    return {IpAddress::v4(i * 2'654'435'761u), static_cast<uint16_t>(i)};
}

TEST(Connects, AnswerAboveTheLimitAndNotBelow) {
    Connects connects({.per_s = 10, .source_per_s = 1'000}, 1);
    Nanos now = 1'000s;
    int passed = 0, answered = 0;
    for (uint32_t i = 0; i < 1'000; ++i) {
        const ConnectFate fate = connects.count(random_source(i), 0, true, now).fate;
        passed += fate == ConnectFate::passed;
        answered += fate == ConnectFate::answered;
        now += 1ms;
    }
    EXPECT_NEAR(passed, 20, 1);  // Ten at once, and ten in the second.
    EXPECT_EQ(passed + answered, 1'000);
    EXPECT_EQ(connects.count(random_source(1), 1, true, now).fate, ConnectFate::passed)
        << "another service";
    Connects without_secret({.per_s = 1, .source_per_s = 1'000}, 1);
    EXPECT_EQ(without_secret.count(random_source(1), 0, false, now).fate, ConnectFate::passed);
    EXPECT_EQ(without_secret.count(random_source(2), 0, false, now).fate, ConnectFate::flooded);
}

TEST(Connects, AFloodFromEverNewAddressesBlamesNobody) {
    Connects connects({.per_s = 1e9, .source_per_s = 20}, 1);
    const Nanos now = 1'000s;
    for (uint32_t i = 0; i < 1'000'000; ++i) {
        ASSERT_FALSE(connects.count(random_source(i), 0, true, now).of_source) << i;
    }
    EXPECT_EQ(connects.count(honest, 0, true, now).fate, ConnectFate::passed);
}

TEST(Connects, OneAddressIsLimitedAlsoAmongOthers) {
    Connects connects({.per_s = 1e9, .source_per_s = 20}, 1);
    const Nanos now = 1'000s;
    int over = 0;
    for (uint32_t i = 0; i < 1'000; ++i) {
        for (uint32_t j = 0; j < 100; ++j) connects.count(random_source(i * 100 + j), 0, true, now);
        over += connects.count(honest, 0, true, now).of_source;
    }
    EXPECT_GE(over, 900);
}

TEST(Connects, OurAnswerIsTheServersByteForByte) {
    // The vector's time and nonce; what is left is the document's packet.
    Authenticator authenticator;
    const auto& cookie_vector = vectors::all[1];
    const auto wanted = from_hex(cookie_vector.datagram);
    const auto public_key =
        from_hex("7b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13");
    const auto cookie =
        authenticator.make_cookie(secrets().cookie, *parse_endpoint("10.88.0.1:50000"), public_key,
                                  1'795'150'000'000, 0x0807060504030201);
    const auto packet = Connects::cookie_packet(cookie);
    EXPECT_EQ(to_hex(packet), to_hex(wanted));
}

TEST(Connects, OurAnswersAreGoodCookiesForTheirClientAlone) {
    Connects connects({}, 1);
    const keys::ServerSecrets s = secrets();
    const Nanos now = 1'795'150'000s;
    const auto packet = connects.answer(s, honest, key, 0, now);
    EXPECT_LT(packet.size(), from_hex(vectors::all[0].datagram).size());
    EXPECT_EQ(read_header(packet).error, Error::none);
    EXPECT_TRUE(crc_holds(packet));
    const Bytes cookie = Bytes(packet).subspan(header_size + 1, cookie_size);
    const auto judge = [&](const Endpoint& client, Bytes k, Nanos when) {
        return connects.judge(&s, cookie, client, k, 0, when);
    };
    EXPECT_EQ(judge(honest, key, now + 9s), ConnectFate::cookie_good);
    EXPECT_EQ(judge(honest, key, now + 11s), ConnectFate::cookie_expired);
    EXPECT_EQ(judge(random_source(9), key, now), ConnectFate::cookie_forged);
    EXPECT_EQ(judge(honest, std::vector<std::byte>(key_size), now), ConnectFate::cookie_forged);
    EXPECT_EQ(connects.judge(nullptr, cookie, honest, key, 0, now), ConnectFate::cookie_unjudged);
    EXPECT_NE(to_hex(connects.answer(s, honest, key, 0, now)), to_hex(packet)) << "never twice";
}

TEST(Connects, TakeCookiesOfTheSecretBefore) {
    Connects connects({}, 1);
    const Nanos now = 1'795'150'000s;
    keys::ServerSecrets s = secrets();
    const auto packet = connects.answer(s, honest, key, 0, now);
    const Bytes cookie = Bytes(packet).subspan(header_size + 1, cookie_size);
    s.previous_cookie = s.cookie;
    s.previous_until = now + 10s;
    s.cookie.fill(std::byte{0x44});
    EXPECT_EQ(connects.judge(&s, cookie, honest, key, 0, now + 9s), ConnectFate::cookie_good);
    EXPECT_EQ(connects.judge(&s, cookie, honest, key, 0, now + 10s), ConnectFate::cookie_forged);
}

TEST(Connects, AServersOtherClockExpiresNobody) {
    for (const int64_t ahead_s : {-3'600, -20, -2, 2, 20, 3'600}) {
        Connects connects({}, 1);
        Authenticator server;
        const keys::ServerSecrets s = secrets();
        const Nanos now = 1'795'150'000s;
        const auto server_ms = [&](Nanos t) {
            return uint64_t(std::chrono::duration_cast<std::chrono::milliseconds>(t).count() +
                            ahead_s * 1'000);
        };
        const auto cookie = server.make_cookie(s.cookie, honest, key, server_ms(now), 5);
        connects.hear_clock(0, server_ms(now), now + 5ms);
        for (const uint64_t nonsense : {UINT64_MAX, uint64_t{1} << 63, uint64_t{1} << 62}) {
            connects.hear_clock(0, nonsense, now);
        }
        EXPECT_EQ(connects.judge(&s, cookie, honest, key, 0, now + 100ms), ConnectFate::cookie_good)
            << ahead_s;
        // What it tells holds: an old one is old by that clock, and ours are good there.
        EXPECT_EQ(connects.judge(&s, cookie, honest, key, 0, now + 12s),
                  ConnectFate::cookie_expired)
            << ahead_s;
        const auto ours = connects.answer(s, honest, key, 0, now + 13s);
        EXPECT_EQ(server.judge_cookie(s.cookie, Bytes(ours).subspan(header_size + 1, cookie_size),
                                      honest, key, server_ms(now + 13s)),
                  CookieState::good)
            << ahead_s;
    }
}

TEST(Connects, OldCookiesOfAClientsDoNotMoveTheClock) {
    Connects connects({}, 1);
    Authenticator server;
    const keys::ServerSecrets s = secrets();
    const auto in_ms = [](Nanos t) {
        return uint64_t(std::chrono::duration_cast<std::chrono::milliseconds>(t).count());
    };
    const Nanos begin = 1'795'150'000s;
    const auto old = server.make_cookie(s.cookie, honest, key, in_ms(begin - 3'600s), 5);
    connects.hear_clock(0, in_ms(begin), begin);
    for (int i = 1; i < 600; ++i) {
        const Nanos now = begin + i * 1s;
        for (int n = 0; n < 8; ++n) {
            EXPECT_EQ(connects.judge(&s, old, honest, key, 0, now), ConnectFate::cookie_expired);
        }
        const auto ours = connects.answer(s, honest, key, 0, now);
        EXPECT_EQ(server.judge_cookie(s.cookie, Bytes(ours).subspan(header_size + 1, cookie_size),
                                      honest, key, in_ms(now)),
                  CookieState::good);
    }
}

TEST(Connects, RememberWhoAskedAMomentAgo) {
    Connects connects({}, 1);
    const Nanos now = 1'000s;
    const auto build_of = [&](const Endpoint& client, Nanos at) -> std::optional<uint32_t> {
        const auto asked = connects.asked_by(client, at);
        return asked ? asked->build : std::nullopt;
    };
    EXPECT_FALSE(connects.asked_by(honest, now));
    connects.asked(honest, 77, false, now);
    EXPECT_EQ(build_of(honest, now + 15s), 77u);
    EXPECT_FALSE(connects.asked_by(honest, now + 16s));
    EXPECT_FALSE(connects.asked_by({honest.address, 1}, now));
    // Two names for one build are none, but who has a good cookie is believed.
    connects.asked(honest, 78, false, now);
    EXPECT_TRUE(connects.asked_by(honest, now));
    EXPECT_FALSE(build_of(honest, now));
    connects.asked(honest, 78, true, now);
    connects.asked(honest, 79, false, now);
    EXPECT_EQ(build_of(honest, now), 78u);
}

TEST(Connects, AFloodOfCookiesDoesNotWashAwayWhoWasGivenOne) {
    Connects connects({}, 1);
    const Nanos now = 1'000s;
    connects.given(honest, now);
    connects.asked(honest, 77, false, now);
    for (uint32_t i = 1; i < 200'000; ++i) connects.asked(random_source(i), 1, false, now + 1ms);
    const auto asked = connects.asked_by(honest, now + 5s);
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->build, 77u);
}

}  // namespace
}  // namespace portcullis::shadowland
