// Goal: the list of players follows the records, never outgrows its limit, and
// shows the gravest first.
// Method: records by hand.

#include "control/player_registry.h"

#include <gtest/gtest.h>

namespace portcullis::control {
namespace {

using verdicts::VerdictRecord;
using Kind = VerdictRecord::Kind;

VerdictRecord about(Kind kind, std::string_view name, uint16_t port) {
    VerdictRecord r;
    r.kind = kind;
    r.player.name.assign(name);
    r.client = {IpAddress::v4(0x0a000001), port};
    r.time = 100s;
    return r;
}

VerdictRecord verdict(uint8_t check, float level, uint32_t repeats) {
    VerdictRecord r = about(Kind::verdict, "Alice", 1);
    r.check = check;
    r.level = level;
    r.repeats = repeats;
    r.in_game = true;
    return r;
}

TEST(PlayerRegistry, WhoNeverGotInIsNoPlayer) {
    PlayerRegistry players(10);
    VerdictRecord knocking = verdict(3, 10, 1);
    knocking.in_game = false;
    players.take(knocking);
    VerdictRecord source = knocking;
    source.player = {};
    players.take(source);
    EXPECT_EQ(players.size(), 0u);
}

TEST(PlayerRegistry, ShowsTheGravestFirst) {
    PlayerRegistry players(10);
    players.take(about(Kind::login, "Alice", 1));
    players.take(verdict(3, 1, 1));
    players.take(verdict(5, 9, 2));
    players.take(verdict(3, 2, 4));
    ASSERT_EQ(players.find_all("ALICE").size(), 1u);
    const auto* alice = players.find_all("ALICE")[0];
    EXPECT_EQ(alice->level(), 9);
    const auto gravest = alice->gravest();
    ASSERT_EQ(gravest.size(), 2u);
    EXPECT_EQ(gravest[0].first, 5);
    EXPECT_EQ(gravest[0].second.count, 3u);
    EXPECT_EQ(gravest[1].second.count, 7u) << "two records, and five findings between";
    EXPECT_EQ(alice->since, 100s);
}

TEST(PlayerRegistry, ForgetsWhoLeftAndWhoseAddressIsAnothersNow) {
    PlayerRegistry players(10);
    players.take(about(Kind::login, "Alice", 1));
    players.take(verdict(3, 1, 1));
    players.take(about(Kind::login, "Bob", 1));  // Same address and port: Alice's end was lost.
    EXPECT_EQ(players.size(), 1u);
    EXPECT_TRUE(players.find_all("Alice").empty());
    ASSERT_EQ(players.find_all("Bob").size(), 1u);
    EXPECT_TRUE(players.find_all("Bob")[0]->found.empty());
    players.take(about(Kind::disconnect, "Bob", 1));
    EXPECT_EQ(players.size(), 0u);
}

TEST(PlayerRegistry, KnowsPlayersWhoCameBeforeItAndNotThoseWithoutName) {
    PlayerRegistry players(10);
    players.take(verdict(3, 1, 1));
    ASSERT_EQ(players.find_all("Alice").size(), 1u);
    EXPECT_EQ(players.find_all("Alice")[0]->since, Nanos{});
    players.take(about(Kind::verdict, "", 2));  // A scanner that never logged in.
    EXPECT_EQ(players.size(), 1u);
}

TEST(PlayerRegistry, IsNeverLargerThanItsLimit) {
    PlayerRegistry players(2);
    for (uint16_t port = 1; port <= 5; ++port) players.take(about(Kind::login, "P", port));
    EXPECT_EQ(players.size(), 2u);
    EXPECT_EQ(players.unlisted(), 3u);
    players.take(about(Kind::disconnect, "P", 1));
    players.take(about(Kind::login, "P", 9));
    EXPECT_EQ(players.size(), 2u);
}

}  // namespace
}  // namespace portcullis::control
