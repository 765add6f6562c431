// Goal: what may hold in the client is never taken for impossible, and what can
// no longer hold is forgotten once a request came back.
// Method: short talks between server and client, told to a Player one by one.
#include "player/player.h"

#include <random>

#include <gtest/gtest.h>

namespace portcullis {
namespace {

using protocol::Attribute;
using protocol::Effect;
using protocol::GameMode;

constexpr protocol::EntityId self = 1, other = 2;

protocol::Move to(double x, double y, double z) {
    protocol::Move move;
    move.has_position = true;
    move.position = {x, y, z};
    return move;
}

protocol::Move looking(protocol::Move move) {
    move.has_rotation = true;
    return move;
}

Player joined(int32_t version = 754) {
    Player player;
    player.version = version;
    player.on(protocol::Joined{self, GameMode::survival});
    player.on(to(0, 64, 0));
    return player;
}

void ticks(Player& player, int count) {
    for (int i = 0; i < count; ++i) {
        player.now += game_tick;
        protocol::Position at = player.position();
        player.on(to(at.x + 0.2, at.y, at.z));
    }
}

TEST(Player, IsOfTheBedrockEditionByHisUuidOrByWhatHisProxyTold) {
    const protocol::Uuid java = {1, 2, 3, 4, 5, 6, 0x40, 8, 0x80},
                         floodgate = {0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
    Player player = joined();
    player.on(protocol::LoggedIn{"Alice", java});
    EXPECT_FALSE(player.bedrock());
    player.on(protocol::LoggedIn{".Alice", floodgate});
    EXPECT_TRUE(player.bedrock());
    // An account that is linked with a Java account has that one's UUID.
    Player linked = joined();
    linked.is_bedrock();
    linked.on(protocol::LoggedIn{"Alice", java});
    EXPECT_TRUE(linked.bedrock());
}

TEST(Player, KeepsOldAndNewUntilThePingComesBack) {
    Player player = joined();
    player.on(protocol::EffectGiven{self, Effect::speed, 1});
    EXPECT_NEAR(player.movement_speed_max(), 0.14, 1e-6);
    player.on(protocol::EffectTaken{self, Effect::speed});
    EXPECT_NEAR(player.movement_speed_max(), 0.14, 1e-6) << "he may not know yet";
    player.on(protocol::PingSent{5});
    ticks(player, 20);
    EXPECT_NEAR(player.movement_speed_max(), 0.14, 1e-6) << "still no answer";
    player.on(protocol::PingAnswered{5});
    EXPECT_NEAR(player.movement_speed_max(), 0.1, 1e-6);
}

TEST(Player, KnowsNotWhetherAttributesOutliveADeathUntilToldAgain) {
    auto asked = [id = 0](Player& player) mutable {
        player.on(protocol::PingSent{++id});
        player.on(protocol::PingAnswered{id});
    };
    Player player = joined(769);
    // A weapon that shortens the arm, and a charm that halves the fall.
    player.on(protocol::AttributeSet{self, Attribute::entity_interaction_range, 2, false});
    player.on(protocol::AttributeSet{self, Attribute::gravity, 0.04, false});
    player.on(protocol::AttributeSet{self, Attribute::step_height, 1.2, false});
    asked(player);
    EXPECT_EQ(player.entity_reach_max(), 2);
    for (int deaths = 0; deaths < 2; ++deaths) {
        player.on(protocol::WorldChanged{GameMode::survival});
        asked(player);
        EXPECT_EQ(player.entity_reach_max(), 3);
        EXPECT_NEAR(player.gravity_min(), 0.04, 1e-6);
        EXPECT_NEAR(player.attribute_max(Attribute::gravity), 0.08, 1e-6);
        EXPECT_NEAR(player.step_height_max(), 1.2, 1e-6);
    }
    player.on(protocol::AttributeSet{self, Attribute::entity_interaction_range, 2.5, false});
    EXPECT_EQ(player.entity_reach_max(), 3) << "he may not know yet";
    asked(player);
    EXPECT_EQ(player.entity_reach_max(), 2.5);
    EXPECT_NEAR(player.gravity_min(), 0.04, 1e-6) << "not told again";
}

TEST(Player, BelievesAKeepAliveOnlyAfterTheGameTicked) {
    Player player = joined();
    player.on(protocol::GameModeChanged{GameMode::creative});
    player.on(protocol::GameModeChanged{GameMode::survival});
    player.on(protocol::KeepAliveSent{9});
    player.on(protocol::KeepAliveAnswered{9});
    EXPECT_TRUE(player.may_fly()) << "the network answered, the game may hang";
    ticks(player, 11);
    EXPECT_TRUE(player.may_fly());
    ticks(player, 1);
    EXPECT_FALSE(player.may_fly());
}

TEST(Player, AnAnswerToAnEarlierRequestProvesNothing) {
    Player player = joined();
    player.on(protocol::PingSent{1});
    player.on(protocol::AbilitiesSet{false, false, true, false, 0.05f, 0.1f});
    player.on(protocol::AbilitiesSet{false, false, false, false, 0.05f, 0.1f});
    player.on(protocol::PingAnswered{1});
    EXPECT_TRUE(player.may_fly());
}

TEST(Player, KnowsTheAnswerToATeleportFromAStep) {
    struct Case {
        const char* name;
        int32_t version;
        bool confirms;
    };
    for (const Case& c :
         {Case{"1.8 by its coordinates", 47, false}, Case{"1.16 by its confirmation", 754, true}}) {
        Player player = joined(c.version);
        ticks(player, 5);
        const protocol::Position there{100, 70, -5};
        player.on(
            protocol::Teleported{false, false, false, false, false, there, {}, c.confirms, 3});
        const protocol::Move step = to(player.position().x + 0.2, 64, 0);
        EXPECT_EQ(player.kind_of(step), Player::MoveKind::tick) << c.name << ": not there yet";
        player.on(step);
        if (c.confirms) player.on(protocol::TeleportConfirmed{3});
        const protocol::Move answer = looking(to(there.x, there.y, there.z));
        EXPECT_EQ(player.kind_of(answer), Player::MoveKind::answer) << c.name;
        player.on(answer);
        EXPECT_EQ(player.kind_of(to(100.2, 70, -5)), Player::MoveKind::tick) << c.name;
        EXPECT_EQ(player.ticks_undisturbed(), 0u) << c.name;
    }
}

// ViaVersion on a proxy confirms at once; the player moves on until he reads it.
TEST(Player, KnowsTheAnswerToATeleportThatATranslatorConfirmed) {
    for (const bool native : {false, true}) {
        Player player = joined(765);
        player.line.translated = true;
        ticks(player, 5);
        protocol::Teleported far{};
        far.position = {500, 70, 0};
        far.has_id = true;
        far.id = 3;
        player.on(far);
        player.on(protocol::TeleportConfirmed{3});
        if (!native) {
            EXPECT_EQ(player.trips().reached(), 0u) << "the proxy answered, not he";
            ticks(player, 6);
        }
        const protocol::Move there = looking(to(500, 70, 0));
        EXPECT_EQ(player.kind_of(there), Player::MoveKind::answer);
        player.on(there);
        EXPECT_EQ(player.trips().reached(), 1u);
        EXPECT_EQ(player.kind_of(to(501, 70, 0)), Player::MoveKind::tick);
    }
}

TEST(Player, WhoIsTurnedIsNotPutAnywhere) {
    Player player = joined(769);
    ticks(player, 3);
    protocol::Move step = to(player.position().x, 64, 0);
    step.on_ground = true;
    player.on(step);
    const uint32_t lived = player.ticks();
    for (int turn = 0; turn < 3; ++turn) player.on(protocol::RotationSet{false, false, {90, 5}});
    player.now += 5s;
    EXPECT_EQ(player.latency(), RoundTrips::unmeasured) << "nothing waits for an answer";
    const protocol::Move far = looking(to(player.position().x + 50, 64, 0));
    EXPECT_EQ(player.kind_of(far), Player::MoveKind::tick) << "he was not asked there";

    protocol::Move look;
    look.has_rotation = true;
    look.rotation = {90, 5};
    for (int turn = 0; turn < 3; ++turn) {
        EXPECT_EQ(player.kind_of(look), Player::MoveKind::turn) << "the answer is no tick";
        player.on(look);
    }
    EXPECT_EQ(player.ticks(), lived);
    EXPECT_GT(player.ticks_undisturbed(), 0u);
    EXPECT_TRUE(player.on_ground()) << "the answer says nothing of the ground";
    EXPECT_EQ(player.kind_of(look), Player::MoveKind::tick);
}

TEST(Player, TellsARepeatFromATick) {
    for (const auto& [version, repeat] :
         {std::pair{754, false}, {755, true}, {766, true}, {767, false}}) {
        Player player = joined(version);
        ticks(player, 3);
        const protocol::Position at = player.position();
        EXPECT_EQ(player.kind_of(looking(to(at.x, at.y, at.z))) == Player::MoveKind::repeat, repeat)
            << "protocol " << version;
    }
}

TEST(Player, TakesTheRepeatOfAClientBehindATranslator) {
    // Whatever version the proxy speaks, the client may be one that repeats, and the proxy
    // repeats for those that do not.
    for (const int32_t version : {47, 340, 754, 758, 766, 767, 774}) {
        Player player = joined(version);
        player.line.translated = true;
        ticks(player, 3);
        const protocol::Position at = player.position();
        EXPECT_EQ(player.kind_of(looking(to(at.x + 0.02, at.y, at.z))), Player::MoveKind::repeat)
            << "protocol " << version;
        EXPECT_EQ(player.kind_of(looking(to(at.x + 0.2, at.y, at.z))), Player::MoveKind::tick)
            << "protocol " << version;
    }
}

TEST(Player, TellsARidersRepeatFromAWalkersTicks) {
    Player player = joined(765);
    player.on(protocol::Mounted{5, self});
    const protocol::Move seat = looking(to(9, 66, 0));
    EXPECT_EQ(player.kind_of(seat), Player::MoveKind::tick) << "the tick before it said a place";
    player.on(looking({}));
    EXPECT_EQ(player.kind_of(seat), Player::MoveKind::repeat);
    EXPECT_EQ(player.kind_of(to(9, 66, 0)), Player::MoveKind::tick) << "without a look";
}

TEST(Player, ForgetsAPushOnceItShowed) {
    Player player = joined();
    player.on(protocol::Velocity{self, 0.4, 0.36, 0});
    player.on(protocol::Velocity{other, 9, 9, 9});
    ASSERT_EQ(player.pushes().size(), 1u);
    ticks(player, 3);
    EXPECT_EQ(player.pushes().size(), 1u) << "not felt yet";
    const protocol::Position at = player.position();
    player.on(to(at.x + 0.5, at.y + static_cast<double>(0.36f), at.z));
    EXPECT_EQ(player.pushes().size(), 0u);
}

void lets_go(Player& player) {
    player.on(protocol::Dig{static_cast<uint8_t>(protocol::Dig::Status::release_item), {}, 0});
}

TEST(Player, IsThrownByATridentOnlyAsOftenAsItCharges) {
    Player player = joined();
    lets_go(player);
    EXPECT_EQ(player.spins(), 0u) << "nothing was in use";
    EXPECT_FALSE(player.may_spin());
    for (int i = 0; i < 40; ++i) {
        player.on(protocol::UseItem{});
        lets_go(player);
        ticks(player, 1);
    }
    EXPECT_LE(player.spins(), 6u);
    const uint32_t before = player.spins();
    for (int i = 0; i < 5; ++i) {
        player.on(protocol::UseItem{});
        player.now += 10 * game_tick;  // Stands, and says nothing.
        lets_go(player);
    }
    EXPECT_EQ(player.spins(), before + 5);
    for (int i = 0; i < 5; ++i) {
        player.on(protocol::UseItem{});
        ticks(player, 10);
        player.now -= 10 * game_tick;  // Runs, and the line delivers it all at once.
        lets_go(player);
    }
    EXPECT_EQ(player.spins(), before + 10);
}

TEST(Player, OfEqualPushesForgetsOnlyTheOneThatShowed) {
    Player player = joined();
    for (int i = 0; i < 3; ++i) player.on(protocol::Velocity{self, 0.6, 0.4, 0});
    for (size_t left = 3; left > 0; --left) {
        ASSERT_EQ(player.pushes().size(), left);
        const protocol::Position at = player.position();
        player.on(to(at.x + 0.6, at.y + static_cast<double>(0.4f), at.z));
    }
    EXPECT_TRUE(player.pushes().empty());
}

TEST(Player, HasNoWingsThatTheServerNeverSaw) {
    Player player = joined();
    for (int claim = 0; claim < 10; ++claim) {
        player.on(protocol::EntityAction{self, protocol::EntityAction::Kind::start_gliding, 0});
        EXPECT_EQ(player.may_glide(), claim < 1) << "claim " << claim;
    }
    player.on(protocol::PoseSet{self, true, false, false, false, false});
    EXPECT_TRUE(player.may_glide());
}

TEST(Player, KeepsHisWingsUntilTheServerCouldSayNo) {
    const protocol::PacketSeen server_speaks{.name = "", .wire_bytes = 9, .from_server = true};
    const auto lives = [&](Player& player, int count, bool server_there) {
        for (int i = 0; i < count; ++i) {
            if (server_there) player.on(server_speaks);
            ticks(player, 1);
        }
    };
    for (const bool hangs : {true, false}) {
        Player player = joined();
        lives(player, 40, true);
        player.on(protocol::EntityAction{self, protocol::EntityAction::Kind::start_gliding, 0});
        lives(player, 200, !hangs);
        EXPECT_EQ(player.may_glide(), hangs);
        lives(player, 100, true);
        EXPECT_FALSE(player.may_glide()) << "it spoke again, and did not confirm";
    }
}

// Other threads than the game's speak while it hangs.
TEST(Player, WaitsForTheGameOfAServerThatTellsTheTime) {
    const protocol::PacketSeen server_speaks{.name = "", .wire_bytes = 9, .from_server = true};
    Player player = joined();
    const auto lives = [&](int count, bool tells_time) {
        for (int i = 0; i < count; ++i) {
            player.on(server_speaks);
            if (tells_time && i % 20 == 0) player.on(protocol::WorldTime{});
            ticks(player, 1);
        }
    };
    lives(60, true);
    EXPECT_FALSE(player.server_silent());
    player.on(protocol::EntityAction{self, protocol::EntityAction::Kind::start_gliding, 0});
    lives(160, false);
    EXPECT_TRUE(player.server_silent());
    EXPECT_TRUE(player.may_glide());
    lives(100, true);
    EXPECT_FALSE(player.server_silent());
    EXPECT_FALSE(player.may_glide());
    lives(20 * 62, false);
    EXPECT_FALSE(player.server_silent()) << "it tells the time no more";
}

TEST(Player, IsDisturbedByNoWordOfHisOwnForLong) {
    Player player = joined();
    ticks(player, 50);
    for (int i = 0; i < 50; ++i) {
        player.on(protocol::EntityAction{self, protocol::EntityAction::Kind::leave_bed, 0});
        player.on(protocol::Respawned{});
        ticks(player, 1);
    }
    EXPECT_GE(player.ticks_undisturbed(), 50u);
    player.on(protocol::HealthSet{0, 20});
    ticks(player, 20);
    player.on(protocol::Respawned{});
    EXPECT_EQ(player.ticks_undisturbed(), 0u);
}

TEST(Player, TakesALostAnswerForASlowLine) {
    Player player = joined();
    EXPECT_EQ(player.latency(), RoundTrips::unmeasured);
    for (int i = 0; i < 8; ++i) {
        player.on(protocol::KeepAliveSent{i});
        player.now += 40ms;
        player.on(protocol::KeepAliveAnswered{i});
    }
    EXPECT_EQ(player.latency(), 40ms);
    player.on(protocol::KeepAliveSent{99});
    player.now += 3s;
    EXPECT_EQ(player.latency(), 3s);
    EXPECT_EQ(player.latency_min(), 40ms);
}

TEST(Player, AnswersBuryWhatTheyPassedBy) {
    // A client answers in order: what he left out never comes, and makes no line slow.
    Player pings = joined();
    pings.on(protocol::PingSent{1});
    for (int id = 2; id < 12; ++id) {
        pings.on(protocol::PingSent{id});
        pings.now += 40ms;
        pings.on(protocol::PingAnswered{id});
    }
    EXPECT_EQ(pings.latency(), 40ms);

    Player teleports = joined();
    for (const int32_t id : {1, 2}) {
        teleports.on(protocol::Teleported{false, false, false, false, false, {}, {}, true, id});
    }
    teleports.now += 40ms;
    teleports.on(protocol::TeleportConfirmed{2});
    teleports.now += 10s;
    EXPECT_EQ(teleports.latency(), 40ms);
}

TEST(Player, AKeepAliveBuriesNoPingBeforeTheGameTicked) {
    Player player = joined();
    player.on(protocol::PingSent{1});
    player.on(protocol::KeepAliveSent{2});
    player.now += 40ms;
    player.on(protocol::KeepAliveAnswered{2});
    player.now += 3s;
    EXPECT_EQ(player.latency(), 3040ms) << "the game may hang and answer yet";
    ticks(player, 11);
    EXPECT_GT(player.latency(), 3040ms);
    ticks(player, 1);
    EXPECT_EQ(player.latency(), 40ms) << "it read the ping, and will not answer";
    // One that it may not have read yet waits on.
    player.on(protocol::PingSent{3});
    ticks(player, 40);
    EXPECT_EQ(player.latency(), 2s);
}

// A target runs about; whatever the client may have seen within its sight lies
// within the hull.
TEST(EntityTracker, HullHoldsAllThatTheClientMaySee) {
    constexpr uint32_t seed = 20261120;
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> step(-0.6, 0.6);
    for (const Nanos window : {Nanos{100ms}, Nanos{350ms}, Nanos{1s}, Nanos{4s}}) {
        EntityTracker tracker;
        const Nanos start = 1000s;
        protocol::Position at{1000.5, 64, -2000.25};
        tracker.spawned({other, true, -1, at}, {}, start);
        std::vector<std::pair<Nanos, protocol::Position>> sent = {{start, at}};
        for (int tick = 1; tick < 2000; ++tick) {
            const Nanos now = start + tick * game_tick;
            const double dx = step(random), dy = step(random), dz = step(random);
            at = {at.x + dx, at.y + dy, at.z + dz};
            tracker.moved({other, dx, dy, dz}, window, now);
            sent.push_back({now, at});
            const auto seen = tracker.seen(other, window, now);
            ASSERT_TRUE(seen.has_value());
            for (size_t i = sent.size(); i-- > 0;) {
                const bool current = i + 1 == sent.size() || sent[i + 1].first >= now - window;
                if (!current) break;
                const double away = distance(seen->feet, Box::at(sent[i].second));
                ASSERT_LT(away, 1e-6) << "seed " << seed << ", tick " << tick;
            }
        }
    }
}

TEST(EntityTracker, KeepsPlayersAndTheNear) {
    EntityTracker tracker;
    const protocol::Position here{0, 64, 0};
    for (int i = 0; i < 100; ++i) {
        tracker.spawned({100 + i, false, 50, {double(i), 64, 0}}, here, 1s);
    }
    EXPECT_EQ(tracker.size(), EntityTracker::entities_max);
    EXPECT_FALSE(tracker.complete());
    for (int i = 0; i < 5; ++i) tracker.spawned({i, true, -1, {50.0, 64, 0}}, here, 1s);
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(tracker.seen(i, 1s, 1s).has_value()) << i;
    EXPECT_TRUE(tracker.seen(100, 1s, 1s).has_value()) << "the nearest mob stays";
}

TEST(EntityTracker, KnowsNoPlaceOfWhoRidesUntilHeIsPlacedAgain) {
    EntityTracker tracker;
    for (const protocol::EntityId id : {5, other}) {
        tracker.spawned({id, true, -1, {0, 64, 0}}, {}, 1s);
        tracker.seated(id, 9);
    }
    const auto rides = [&](protocol::EntityId id) { return tracker.seen(id, 1s, 9s)->rides; };
    EXPECT_TRUE(rides(5) && rides(other));
    tracker.placed({5, {1, 64, 0}}, 1s, 2s);
    EXPECT_TRUE(rides(5)) << "a placement while he rides";
    tracker.unseated(9);
    tracker.seated(other, 9);
    EXPECT_TRUE(rides(5)) << "off, and nobody said where";
    tracker.placed({5, {30, 64, 0}}, 1s, 5s);
    tracker.placed({other, {30, 64, 0}}, 1s, 5s);
    EXPECT_FALSE(rides(5));
    EXPECT_EQ(tracker.seen(5, 1s, 9s)->known, Nanos{5s}) << "not where he rode";
    EXPECT_TRUE(rides(other)) << "of the same vehicle, but listed again";
    tracker.gone(9);
    tracker.placed({other, {30, 64, 0}}, 1s, 6s);
    EXPECT_FALSE(rides(other)) << "his vehicle is gone";
    tracker.seated(other, 9);
    tracker.spawned({other, true, -1, {0, 64, 0}}, {}, 7s);
    EXPECT_FALSE(rides(other)) << "spawned anew";
}

TEST(EntityTracker, FollowsWhoGoesFarAway) {
    EntityTracker tracker;
    tracker.spawned({other, true, -1, {0, 64, 0}}, {}, 1s);
    tracker.placed({other, {50000.5, 64, 1}}, 1s, 2s);
    const auto seen = tracker.seen(other, 1s, 2s);
    ASSERT_TRUE(seen.has_value());
    EXPECT_LT(distance(seen->feet, Box::at({50000.5, 64, 1})), 0.05);
}

}  // namespace
}  // namespace portcullis
