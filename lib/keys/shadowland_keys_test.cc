// Goal: a Worker finds the keys it was given until newer ones take their place.

#include "keys/shadowland_keys.h"

#include <gtest/gtest.h>

namespace portcullis::keys {
namespace {

TEST(ShadowlandKeys, AreFoundUntilNewerTakeThePlace) {
    constexpr uint32_t keys_max = 8;
    ShadowlandKeys ring(keys_max);
    ShadowlandKey key{};
    key.client = *parse_endpoint("198.51.100.8:40000");
    key.server = *parse_endpoint("10.0.0.3:3565");
    for (uint32_t i = 0; i < 100; ++i) {
        key.connection_id = i;
        ring.add(key);
        for (uint32_t j = 0; j <= i; ++j) {
            const bool kept = j + keys_max > i;
            EXPECT_EQ(ring.find(key.client, key.server, j, 0) != nullptr, kept) << i << ' ' << j;
        }
    }
    EXPECT_EQ(ring.find(key.server, key.client, 99, 0), nullptr);
    EXPECT_EQ(ring.find(key.client, key.server, 99, 1), nullptr);
}

TEST(ShadowlandKeys, KeepTheNewestSecretOfAServer) {
    ShadowlandKeys ring(1);
    ShadowlandSecrets secrets{};
    secrets.server = *parse_endpoint("10.0.0.3:3565");
    secrets.integrity_size = 4;
    ring.add(secrets, 100s);
    EXPECT_FALSE(ring.secrets_of(secrets.server)->has_cookie);
    secrets.integrity_size = 0;
    secrets.has_cookie = true;
    secrets.cookie.fill(std::byte{1});
    ring.add(secrets, 100s);
    EXPECT_TRUE(ring.secrets_of(secrets.server)->has_cookie);
    EXPECT_EQ(ring.secrets_of(secrets.server)->integrity_size, 4);
    EXPECT_EQ(ring.secrets_of(*parse_endpoint("10.0.0.4:3565")), nullptr);
}

TEST(ShadowlandKeys, KeepTheSecretBeforeForAsLongAsACookieLives) {
    ShadowlandKeys ring(0);
    ShadowlandSecrets secrets{};
    secrets.server = *parse_endpoint("10.0.0.3:3565");
    secrets.has_cookie = true;
    secrets.cookie.fill(std::byte{1});
    ring.add(secrets, 100s);
    EXPECT_LT(ring.secrets_of(secrets.server)->previous_until, 100s);
    ring.add(secrets, 101s);  // The same again changes nothing.
    EXPECT_LT(ring.secrets_of(secrets.server)->previous_until, 100s);
    const auto before = secrets.cookie;
    secrets.cookie.fill(std::byte{2});
    ring.add(secrets, 102s);
    EXPECT_EQ(ring.secrets_of(secrets.server)->cookie, secrets.cookie);
    EXPECT_EQ(ring.secrets_of(secrets.server)->previous_cookie, before);
    EXPECT_EQ(ring.secrets_of(secrets.server)->previous_until, 112s);
}

TEST(ShadowlandKeys, OfAnyAddressServeWhereNoneAreItsOwn) {
    ShadowlandKeys ring(0);
    ShadowlandSecrets secrets{};
    secrets.server.port = 3565;
    secrets.has_cookie = true;
    secrets.cookie.fill(std::byte{1});
    ring.add(secrets, {});
    secrets.server = *parse_endpoint("10.0.0.3:3565");
    secrets.cookie.fill(std::byte{2});
    ring.add(secrets, {});
    EXPECT_EQ(ring.secrets_of(secrets.server)->cookie[0], std::byte{2});
    EXPECT_EQ(ring.secrets_of(*parse_endpoint("10.0.0.4:3565"))->cookie[0], std::byte{1});
    EXPECT_EQ(ring.secrets_of(*parse_endpoint("10.0.0.4:3566")), nullptr);
}

TEST(ShadowlandKeys, MayHaveNoRoomAtAll) {
    ShadowlandKeys ring(0);
    ring.add(ShadowlandKey{});
    EXPECT_EQ(ring.find({}, {}, 0, 0), nullptr);
}

}  // namespace
}  // namespace portcullis::keys
