// Goal: who keeps to his rate is never over his limit, who does not is, soon; a table
// that is full of strangers still knows its regulars; time empties it.
// Method: sources by the thousand at given times, with printed seeds.

#include "flow/source_rates.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace portcullis {
namespace {

const SourceNamer namer(20261129);

SourceNames v4(uint32_t address, uint8_t service = 0) {
    return namer(IpAddress::v4(address), service);
}

TEST(SourceNamer, AnAddressSharesWhatItLiesIn) {
    const SourceNames a = v4(0xcb007105), b = v4(0xcb007106), c = v4(0xcb007205);
    EXPECT_EQ(a.count, 2);
    EXPECT_NE(a.of[0], b.of[0]);
    EXPECT_EQ(a.of[1], b.of[1]) << "one /24";
    EXPECT_NE(a.of[1], c.of[1]) << "the next /24";
    EXPECT_NE(a.of[0], v4(0xcb007105, 1).of[0]) << "toward another service";

    const auto v6 = [](const char* text) { return namer(*parse_address(text), 0); };
    const SourceNames p = v6("2001:db8:1:2203::7"), q = v6("2001:db8:1:2203:ffff::8"),
                      r = v6("2001:db8:1:22ff::7"), s = v6("2001:db8:1:ff00::7"),
                      t = v6("2001:db8:2:2203::7");
    EXPECT_EQ(p.count, 3);
    EXPECT_EQ(p.of, q.of) << "one /64";
    EXPECT_NE(p.of[0], r.of[0]);
    EXPECT_EQ(p.of[1], r.of[1]) << "one /56";
    EXPECT_NE(p.of[1], s.of[1]);
    EXPECT_EQ(p.of[2], s.of[2]) << "one /48";
    EXPECT_NE(p.of[2], t.of[2]);
}

TEST(SourceRates, HoldsASourceToItsRate) {
    const SourceLimit limit = SourceLimit::of(30, 1000);
    struct Case {
        const char* what;
        double per_second;
        int seconds;
        bool over;
    };
    constexpr Case cases[] = {
        {"at its rate for an hour", 30, 3600, false},
        {"twice its rate for half a minute", 60, 30, false},
        {"twice its rate for a minute", 60, 60, true},
        {"a thousand a second", 1000, 2, true},
    };
    for (const Case& c : cases) {
        SourceRates rates(1024);
        Nanos now = 1'795'000'000s;
        bool over = false;
        for (int i = 0; i < static_cast<int>(c.per_second * c.seconds); ++i) {
            over |= limit.exceeded_by(rates.charge(7, now, limit));
            now += Nanos(static_cast<int64_t>(1e9 / c.per_second));
        }
        EXPECT_EQ(over, c.over) << c.what;
    }
}

TEST(SourceRates, GrantsTheWholeBurstAndNoMore) {
    const SourceLimit limit = SourceLimit::of(30, 1000);
    SourceRates rates(1024);
    for (int i = 0; i < 1000; ++i) {
        ASSERT_FALSE(limit.exceeded_by(rates.charge(7, 5s, limit))) << i;
    }
    EXPECT_TRUE(limit.exceeded_by(rates.charge(7, 5s, limit)));
    // What was over is not held against it for long: the room empties as it fills.
    for (int i = 0; i < 100'000; ++i) rates.charge(7, 5s, limit);
    EXPECT_FALSE(limit.exceeded_by(rates.charge(7, 7s + 100ms, limit)));
}

TEST(SourceRates, RegularsOutlastAFloodOfStrangers) {
    const auto seed = static_cast<uint32_t>(20261129);
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    const SourceLimit limit = SourceLimit::of(200, 4000);
    SourceRates rates(4096);
    Nanos now = 1s;
    uint64_t held = 0;
    // A hundred strangers for each of its SYNs, over and over: 20,000 a millisecond.
    for (int i = 0; i < 4000; ++i) {
        held = rates.charge(0x5eed, now, limit);
        for (int stranger = 0; stranger < 100; ++stranger) rates.charge(random(), now, limit);
        now += 200us;
    }
    EXPECT_NEAR(limit.count(held), 4000 - 160, 10) << "it was forgotten on the way";
    EXPECT_LE(rates.used(), rates.capacity());
}

TEST(SourceRates, TimeEmptiesIt) {
    SourceRates rates(8192);
    const SourceLimit limit = SourceLimit::of(1, 10);
    for (uint32_t i = 0; i < 2000; ++i) rates.charge(v4(i).of[0], 1s, limit);
    EXPECT_GT(rates.used(), 1900u);
    const auto sweep = [&](Nanos now) {
        for (uint32_t i = 0; i < 2 * SourceRates::sweep_calls; ++i) rates.keep_house(now);
    };
    sweep(1500ms);
    EXPECT_GT(rates.used(), 1900u) << "a second has not gone by";
    sweep(2100ms);
    EXPECT_EQ(rates.used(), 0u);
}

TEST(SourceRates, AnEvenHashFillsIt) {
    SourceRates rates(8192);
    const SourceLimit limit = SourceLimit::of(1, 10);
    // Neighbours, as a scan of a network brings them.
    for (uint32_t i = 0; i < 4096; ++i) rates.charge(v4(0x0a000000 + i).of[0], 1s, limit);
    EXPECT_GT(rates.used(), 3900u) << "neighbours fall on one another";
}

TEST(SourceRates, AMomentMuchLaterIsNotHeldAgainstAnybody) {
    const SourceLimit limit = SourceLimit::of(1, 100);
    for (const Nanos later : {1h * 24, 1h * 24 * 6, 1h * 24 * 30, 1h * 24 * 365}) {
        SourceRates rates(1024);
        Nanos now = 1'795'000'000s;
        for (int i = 0; i < 100; ++i) rates.charge(7, now, limit);
        now += later;
        for (uint32_t i = 0; i < 2 * SourceRates::sweep_calls; ++i) rates.keep_house(now);
        EXPECT_FALSE(limit.exceeded_by(rates.charge(7, now, limit))) << to_seconds(later);
    }
}

TEST(SourceLimit, ShareOfAWorkerAllowsWhatChanceBrings) {
    const auto seed = static_cast<uint32_t>(20261129);
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    // Goal: a burst within the limit is over no Worker's share, however the dice fall.
    for (const uint32_t workers : {1u, 2u, 4u, 16u, 64u}) {
        for (const int burst : {1, 5, 30, 1000}) {
            const SourceLimit share = policy::share_of(10, burst, workers);
            int over = 0;
            for (int round = 0; round < 200; ++round) {
                std::vector<int> got(workers);
                for (int i = 0; i < burst; ++i) ++got[random() % workers];
                for (const int n : got) over += n > share.count(share.room_us) ? 1 : 0;
            }
            // Three deviations: a thousandth of the times for each Worker.
            EXPECT_LE(over, 200 * static_cast<int>(workers) / 100) << workers << " " << burst;
        }
    }
}

}  // namespace
}  // namespace portcullis
