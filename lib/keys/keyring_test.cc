// Goal: a key is there for its connection and no other, once, until it expires; a full
// ring gives up the oldest and never grows.
// Method: stories with connections that differ in one port.

#include "keys/keyring.h"

#include <gtest/gtest.h>

namespace portcullis::keys {
namespace {

MinecraftKey key(uint16_t client_port, int number) {
    MinecraftKey key{{IpAddress::v4(1), client_port}, {IpAddress::v4(2), 25565}, {}};
    key.secret.fill(static_cast<std::byte>(number));
    return key;
}

/// The number of the key that is taken; -1: none.
int take(Keyring& ring, uint16_t client_port, Nanos now = 1s) {
    const auto* secret = ring.take({IpAddress::v4(1), client_port}, {IpAddress::v4(2), 25565}, now);
    return secret == nullptr ? -1 : static_cast<int>(secret->front());
}

TEST(Keyring, GivesAKeyOnceToItsConnection) {
    Keyring ring(64, 7);
    ring.add(key(1000, 1), 10s);
    ring.add(key(1001, 2), 10s);
    EXPECT_EQ(take(ring, 1002), -1);
    EXPECT_EQ(take(ring, 1001), 2);
    EXPECT_EQ(take(ring, 1001), -1);
    EXPECT_EQ(take(ring, 1000), 1);
}

TEST(Keyring, ServesAReusedPortInTheOrderOfArrival) {
    Keyring ring(8);
    for (const int number : {1, 2, 3}) ring.add(key(1000, number), 10s);
    for (const int number : {1, 2, 3, -1}) EXPECT_EQ(take(ring, 1000), number);
}

TEST(Keyring, TheNewestOfALiveFeedIsTheOnlyOne) {
    Keyring ring(8);
    ring.replace(key(1001, 7), 10s);
    for (const int number : {1, 2, 3}) ring.replace(key(1000, number), 10s);
    EXPECT_EQ(take(ring, 1000), 3);
    EXPECT_EQ(take(ring, 1000), -1);
    EXPECT_EQ(take(ring, 1001), 7);
}

TEST(Keyring, ForgetsWhatExpired) {
    Keyring ring(8);
    ring.add(key(1000, 1), 10s);
    EXPECT_EQ(take(ring, 1000, 11s), -1);
    ring.add(key(1000, 2), 10s);
    EXPECT_EQ(take(ring, 1000, 10s), 2);
}

TEST(Keyring, TheOldestGivesWay) {
    Keyring ring(Keyring::ways);
    for (uint16_t i = 0; i <= Keyring::ways; ++i) ring.add(key(i, i), 10s);
    EXPECT_EQ(take(ring, 0), -1);
    for (uint16_t i = 1; i <= Keyring::ways; ++i) EXPECT_EQ(take(ring, i), i);
}

TEST(Keyring, WithoutRoomTakesNothing) {
    Keyring ring(0);
    EXPECT_EQ(ring.capacity(), 0u);
    ring.add(key(1000, 1), 10s);
    EXPECT_EQ(take(ring, 1000), -1);
}

}  // namespace
}  // namespace portcullis::keys
