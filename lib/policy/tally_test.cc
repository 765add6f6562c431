// Goal: certain findings reach the kick in time, doubtful ones and the spared never
// do, single stumbles are forgotten, and the log is not flooded.
// Method: findings told to a Tally at given times under the default ladder.

#include "policy/tally.h"

#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "policy/rule_set.h"

namespace portcullis::policy {
namespace {

checks::CheckId id_of(std::string_view name) {
    for (size_t i = 0; i < checks::check_names.size(); ++i) {
        if (checks::check_names[i] == name) return static_cast<checks::CheckId>(i);
    }
    ADD_FAILURE() << "no check " << name;
    return 0;
}

class TallyTest : public testing::Test {
protected:
    Weighed weigh(std::string_view check, float confidence) {
        return tally.weigh({.check = id_of(check), .confidence = confidence, .evidence = {}},
                           policy, subject, now);
    }
    /// The time until the action, with one finding every `interval`; an hour: never.
    Nanos until(Action action, std::string_view check, float confidence, Nanos interval) {
        const Nanos begin = now;
        while (now - begin < 1h) {
            const Weighed weighed = weigh(check, confidence);
            if (weighed.acts && weighed.action == action) return now - begin;
            now += interval;
        }
        return 1h;
    }

    config::Policy source;
    config::Problems problems{""};
    Policy policy{source, problems};
    Subject subject{
        .name = "Alice", .uuid = {}, .address = IpAddress::v4(0xc6336407), .version = 767};
    Tally tally;
    Nanos now = 1000s;
};

TEST_F(TallyTest, ACertainFindingEveryTickIsKickedWithinASecondAndAHalf) {
    EXPECT_LE(until(Action::kick, "packets.pitch", 1, 50ms), 1500ms);
    EXPECT_LE(until(Action::kick, "combat.no_swing", 0.97f, 50ms), 1500ms);
}

TEST_F(TallyTest, OneAttackOnTheServerIsEnough) {
    for (const char* check :
         {"exploit.bomb", "exploit.oversize", "exploit.log4shell", "packets.not_finite"}) {
        Tally fresh;
        const Weighed weighed = fresh.weigh(
            {.check = id_of(check), .confidence = 1, .evidence = {}}, policy, subject, now);
        EXPECT_EQ(weighed.action, Action::kick) << check;
        EXPECT_TRUE(weighed.acts && weighed.record) << check;
    }
}

// What their files promise, at the confidence that they give.
TEST_F(TallyTest, TwoThatNoClientMakesAreEnough) {
    EXPECT_LT(weigh("packets.impossible", 0.99f).action, Action::kick);
    now += 10s;
    EXPECT_EQ(weigh("packets.impossible", 0.99f).action, Action::kick);
}

TEST_F(TallyTest, BelowTheThresholdNothingEverHappens) {
    for (int i = 0; i < 20 * 3600; ++i) {
        const Weighed weighed = weigh("combat.reach", 0.949f);
        ASSERT_EQ(weighed.action, Action::log);
        ASSERT_FALSE(weighed.acts);
        ASSERT_EQ(weighed.level, 0);
        now += 50ms;
    }
}

TEST_F(TallyTest, WalksTheLadder) {
    EXPECT_EQ(weigh("packets.pitch", 1).action, Action::log);    // 4
    EXPECT_EQ(weigh("packets.pitch", 1).action, Action::alert);  // 8
    EXPECT_EQ(weigh("packets.pitch", 1).action, Action::kick);   // 12
}

TEST_F(TallyTest, AStumbleAnHourNeverAddsUp) {
    EXPECT_EQ(until(Action::kick, "combat.no_swing", 1, 10min), 1h);
    EXPECT_LT(tally.level(id_of("combat.no_swing"), now), 0.01f);
}

TEST_F(TallyTest, TheLevelHalvesEveryMinute) {
    const float level = weigh("packets.pitch", 1).level;
    EXPECT_NEAR(tally.level(id_of("packets.pitch"), now + 60s), level / 2, 1e-4);
    EXPECT_NEAR(tally.level(id_of("packets.pitch"), now + 120s), level / 4, 1e-4);
    EXPECT_EQ(tally.level(id_of("packets.pitch"), now - 60s), level);  // A clock that went back.
}

TEST_F(TallyTest, EvenALongAttackIsForgotten) {
    for (int i = 0; i < 100000; ++i) (void)weigh("packets.pitch", 1);
    EXPECT_LT(tally.level(id_of("packets.pitch"), now + 5min), 10);
}

TEST_F(TallyTest, ChecksHaveTheirOwnLevels) {
    (void)weigh("packets.pitch", 1);
    EXPECT_EQ(tally.level(id_of("combat.reach"), now), 0);
}

TEST_F(TallyTest, StatisticsTellPeopleButNeverAct) {
    bool alerted = false;
    for (int i = 0; i < 1000; ++i) {
        const Weighed weighed = weigh("combat.click_rate", 1);
        ASSERT_FALSE(weighed.acts);
        ASSERT_LE(weighed.action, Action::alert);
        alerted |= weighed.action == Action::alert;
    }
    EXPECT_TRUE(alerted);
}

TEST_F(TallyTest, RecordsTheFirstTheGraverAndOneASecond) {
    size_t records = 0;
    uint32_t told = 0;
    for (int i = 0; i < 200; ++i) {  // Ten seconds.
        const Weighed weighed = weigh("packets.malformed", 0.5f);
        if (weighed.record) {
            ++records;
            told += 1 + weighed.repeats;
            if (i == 0)
                EXPECT_EQ(weighed.repeats, 0u);
            else
                EXPECT_EQ(weighed.repeats, 19u);
        }
        now += 50ms;
    }
    EXPECT_EQ(records, 10u);
    EXPECT_EQ(told, 181u);

    EXPECT_TRUE(weigh("packets.malformed", 1).record) << "acts now, which it did not before";
    EXPECT_FALSE(weigh("packets.malformed", 1).record) << "the same again";
    Weighed weighed;
    while (weighed.action == Action::log) weighed = weigh("packets.malformed", 1);
    EXPECT_TRUE(weighed.record) << "alert is more than log";
    while (weighed.action == Action::alert) weighed = weigh("packets.malformed", 1);
    EXPECT_TRUE(weighed.record) << "kick is more than alert";
}

TEST_F(TallyTest, TheSparedAreWrittenDownOnly) {
    struct {
        const char* player;
        const char* prefix;
        int32_t version;
        bool spared;
    } constexpr cases[] = {
        {"Alice", nullptr, 0, true},
        {"alice", nullptr, 0, false},
        {nullptr, "198.51.100.0/24", 0, true},
        {nullptr, "198.51.101.0/24", 0, false},
        {nullptr, nullptr, 767, true},
        {nullptr, nullptr, 47, false},
        {"069a79f4-44e9-4726-a5be-fca90e38aaf5", nullptr, 0, true},
        {"069A79F444E94726A5BEFCA90E38AAF5", nullptr, 0, true},
        {"069a79f4-44e9-4726-a5be-fca90e38aaf6", nullptr, 0, false},
    };
    subject.uuid = {0x06, 0x9a, 0x79, 0xf4, 0x44, 0xe9, 0x47, 0x26,
                    0xa5, 0xbe, 0xfc, 0xa9, 0x0e, 0x38, 0xaa, 0xf5};
    for (const auto& c : cases) {
        config::Policy from;
        if (c.player != nullptr) from.exempt_players = {c.player};
        if (c.prefix != nullptr) from.exempt_addresses = {*parse_prefix(c.prefix)};
        if (c.version != 0) from.exempt_versions = {c.version};
        const Policy exempting(from, problems);
        Tally fresh;
        const Weighed weighed =
            fresh.weigh({.check = id_of("exploit.bomb"), .confidence = 1, .evidence = {}},
                        exempting, subject, now);
        EXPECT_EQ(weighed.acts, !c.spared);
        EXPECT_EQ(weighed.action, c.spared ? Action::log : Action::kick);
        EXPECT_TRUE(weighed.record);
        EXPECT_GT(weighed.level, 9.9f);
    }
}

TEST_F(TallyTest, AThresholdOfOneAsksForCertainty) {
    source.act_at_confidence = 1;
    const Policy strict(source, problems);
    const auto weigh_strictly = [&](float confidence) {
        return tally.weigh(
            {.check = id_of("exploit.bomb"), .confidence = confidence, .evidence = {}}, strict,
            subject, now);
    };
    EXPECT_FALSE(weigh_strictly(0.999f).acts);
    EXPECT_EQ(weigh_strictly(1).action, Action::kick);
}

template <class... C>
std::vector<checks::CheckId> ids_of(checks::CheckList<C...>) {
    return {static_cast<checks::CheckId>(checks::check_id(C::name))...};
}

TEST_F(TallyTest, WhoMeetsEveryCheckOfHisGameIsRememberedByEach) {
    for (const auto& ids :
         {ids_of(checks::MinecraftChecks{}), ids_of(checks::ShadowlandChecks{})}) {
        Tally many;
        std::map<checks::CheckId, Tally> alone;
        std::map<checks::CheckId, size_t> records, told;
        constexpr size_t rounds = 100;
        const Nanos begin = now;
        for (size_t round = 0; round < rounds; ++round) {  // Ten seconds, each check in turn.
            for (const checks::CheckId check : ids) {
                const checks::Finding finding{.check = check, .confidence = 1, .evidence = {}};
                const Weighed weighed = many.weigh(finding, policy, subject, now);
                const Weighed expected = alone[check].weigh(finding, policy, subject, now);
                EXPECT_NEAR(weighed.level, expected.level, 1e-3) << checks::check_names[check];
                EXPECT_EQ(weighed.action, expected.action) << checks::check_names[check];
                EXPECT_EQ(weighed.acts, expected.acts) << checks::check_names[check];
                if (weighed.record) ++records[check], told[check] += 1 + weighed.repeats;
                now += 100ms / ids.size();
            }
        }
        const auto seconds = static_cast<size_t>((now - begin) / 1s);
        constexpr size_t graver_records_max = 5;  // The rungs from `log` to `kick`, once each.
        now += Tally::record_interval;
        for (const checks::CheckId check : ids) {
            EXPECT_LE(records[check], seconds + 1 + graver_records_max)
                << checks::check_names[check];
            const Weighed last =
                many.weigh({.check = check, .confidence = 1, .evidence = {}}, policy, subject, now);
            ASSERT_TRUE(last.record);
            EXPECT_EQ(told[check] + 1 + last.repeats, rounds + 1) << checks::check_names[check];
        }
    }
}

TEST_F(TallyTest, AFloodOfFindingsIsCountedToTheLast) {
    constexpr uint32_t findings = 300'000;  // All in one instant.
    uint64_t told = 0, records = 0;
    for (uint32_t i = 0; i < findings; ++i) {
        const Weighed weighed = weigh("packets.malformed", 0.5f);
        if (weighed.record) ++records, told += 1 + weighed.repeats;
    }
    now += Tally::record_interval;
    told += 1 + weigh("packets.malformed", 0.5f).repeats;
    EXPECT_EQ(told, findings + 1);
    EXPECT_LE(records, 1 + findings / Tally::repeats_max);
}

TEST_F(TallyTest, ALevelFallsHoweverOftenOthersAreFound) {
    const float level = weigh("packets.pitch", 1).level;
    const Nanos begin = now;
    for (; now - begin < 60s; now += 100us) weigh("packets.malformed", 0.5f);
    EXPECT_NEAR(tally.level(id_of("packets.pitch"), begin + 60s), level / 2, level / 200);
}

TEST_F(TallyTest, NumbersThatAreNoneDoNothing) {
    const Weighed weighed = weigh("exploit.bomb", std::numeric_limits<float>::quiet_NaN());
    EXPECT_FALSE(weighed.acts);
    EXPECT_FALSE(
        tally.weigh({.check = 200, .confidence = 1, .evidence = {}}, policy, subject, now).acts);
}

}  // namespace
}  // namespace portcullis::policy
