// Goal: who is blocked is kept out, by verdicts and by operators, for as long as was said, over
// restarts and crashes too; and nobody is told more of it than is true.
// Method: the whole sink with its real log and block list, a disk that waits when it is told
// to, and a list of the Orders it gave.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "actions/actions_test_support.h"
#include "actions/blocklist/blocklist.h"
#include "actions/testing/slow_disk.h"
#include "verdicts/reader.h"

namespace portcullis::actions {
namespace {

using namespace testing;

TEST(Blocks, BlocksThePlayerBehindAProxyAndNeverTheProxy) {
    Place place;
    GivenOrders orders;
    VerdictRecord known = verdict_of("Alice", Action::block, 1);
    known.through_proxy = true;
    known.player.address = *parse_address("203.0.113.9");
    VerdictRecord unknown = verdict_of("Bob", Action::block, 2);
    unknown.through_proxy = true;
    VerdictRecord of_the_proxy = verdict_of("Carol", Action::block, 3);
    of_the_proxy.through_proxy = true;
    of_the_proxy.player.address = of_the_proxy.client.address;
    Actions actions(place.config, checks, orders);
    for (const auto& record : {known, unknown, of_the_proxy}) tell(actions, record);
    actions.finish(5s);
    ASSERT_EQ(orders.given().size(), 1u);
    EXPECT_EQ(orders.given()[0].prefix.address, known.player.address);
    EXPECT_EQ(count(actions, "blocklist", "done"), 1u);
    EXPECT_EQ(count(actions, "blocklist", "failed"), 2u);
}

TEST(Blocks, RemembersBlocksOverARestartAndWhatAnOperatorSaid) {
    Place place;
    const IpPrefix operators = *parse_prefix("203.0.113.0/24");
    {
        GivenOrders orders;
        Actions actions(place.config, checks, orders);
        tell(actions, verdict_of("Dave", Action::block, 1));
        tell(actions, verdict_of("Dave", Action::block, 2));  // The same block.
        Order order;
        order.kind = Order::Kind::block;
        order.prefix = operators;
        order.lasts = 1h;
        actions.ordered(order);
        EXPECT_EQ(orders.given().size(), 1u);
    }
    {
        GivenOrders orders;
        orders.full = true;
        Actions actions(place.config, checks, orders);
        EXPECT_TRUE(orders.given().empty());
        orders.full = false;  // Control had no room; later it has.
        actions.keep_house();
        EXPECT_EQ(orders.given().size(), 2u);
        Order order;
        order.kind = Order::Kind::unblock;
        order.prefix = operators;
        actions.ordered(order);
    }
    GivenOrders orders;
    Actions actions(place.config, checks, orders);
    EXPECT_EQ(orders.given().size(), 1u);
}

// Somebody sets the clock an hour ahead, and restarts: who was to stay out for a minute does.
TEST(Blocks, ABlockOutlastsAClockThatIsSet) {
    Place place;
    Order block;
    block.kind = Order::Kind::block;
    block.prefix = *parse_prefix("203.0.113.0/24");
    block.lasts = 1min;
    {
        GivenOrders orders;
        Actions actions(place.config, checks, orders);
        actions.ordered(block);
        actions.clock_set(1h);
    }
    GivenOrders orders;
    Actions actions(place.config, checks, orders);
    ASSERT_EQ(orders.given().size(), 1u);
    EXPECT_GT(orders.given()[0].lasts, 1h) << "by the clock of this test, which was not set";
}

// Killed at any moment, what was said to be done is done.
TEST(Blocks, SaysThatABlockIsDoneOnceItIsOnTheDisk) {
    Place place;
    GivenOrders orders;
    SlowDisk disk("log.blocks");
    disk.hold();
    Actions actions(place.config, checks, orders);
    Order order;
    order.kind = Order::Kind::block;
    order.prefix = *parse_prefix("203.0.113.0/24");
    order.lasts = 1h;
    tell(actions, verdict_of("Dave", Action::block, 1));
    tell(actions, verdict_of("Dave", Action::block, 2));  // The same block.
    actions.ordered(order);
    ASSERT_TRUE(disk.wait_for_asked(1));
    actions.keep_house();
    EXPECT_EQ(orders.given().size(), 1u) << "but it holds at once";
    EXPECT_EQ(count(actions, "blocklist", "done"), 0u);
    EXPECT_EQ(actions.orders_kept(), 0u);
    disk.let_go();
    EXPECT_TRUE(eventually([&] { return actions.orders_kept() == 1; }));
    actions.keep_house();
    EXPECT_EQ(count(actions, "blocklist", "done"), 2u);
    EXPECT_EQ(Blocklist(place.config.verdict_log.blocks_path()).blocks().size(), 2u);
}

TEST(Blocks, SaysOfABlockThatCannotBeSavedThatItMayNotLast) {
    Place place;
    GivenOrders orders;
    SlowDisk disk("log.blocks");
    disk.hold();
    const VerdictRecord verdict = verdict_of("Dave", Action::block, 1);
    {
        Actions actions(place.config, checks, orders);
        tell(actions, verdict);
        EXPECT_TRUE(eventually([&] {
            actions.keep_house();
            return count(actions, "blocklist", "done") == 1;
        }));
    }
    const auto ends = verdicts::Reader(place.log()).outcomes({verdict.id_high, verdict.id_low});
    ASSERT_EQ(ends.size(), 1u);
    EXPECT_NE(ends[0].detail.view().find("until a restart: the list could not be saved yet"),
              std::string::npos)
        << ends[0].detail.view();
    disk.let_go();  // The thread that was left behind ends, too.
    const std::string blocks = place.config.verdict_log.blocks_path();
    EXPECT_TRUE(eventually([&] { return fs::exists(blocks); }));
}

TEST(Blocks, OfAFullBlockListOneGivesWayAndAnOperatorHearsOfIt) {
    Place place;
    GivenOrders orders;
    Actions actions(place.config, checks, orders);
    const auto operators = [&](uint32_t number) {
        Order order;
        order.kind = Order::Kind::block;
        order.prefix = {IpAddress::v4(number), 128};
        order.lasts = 24h;
        return order;
    };
    tell(actions, verdict_of("Dave", Action::block, 1));
    for (uint32_t i = 0; i + 1 < Blocklist::blocks_max; ++i) actions.ordered(operators(i));
    EXPECT_FALSE(condition(actions, "blocklist").well);
    EXPECT_EQ(actions.objection(operators(1'000'000)), "");
    actions.ordered(operators(1'000'000));
    actions.keep_house();
    ASSERT_EQ(orders.given().size(), 2u);
    EXPECT_EQ(orders.given()[1].kind, Order::Kind::unblock);
    EXPECT_EQ(orders.given()[1].prefix, orders.given()[0].prefix);
    EXPECT_EQ(count(actions, "blocklist", "displaced"), 1u);

    EXPECT_NE(actions.objection(operators(1'000'001)).find("unblock some"), std::string::npos);
    EXPECT_EQ(actions.objection(operators(5)), "");
    tell(actions, verdict_of("Dave", Action::block, 2));
    EXPECT_TRUE(eventually([&] {
        actions.keep_house();
        return count(actions, "blocklist", "failed") == 1;
    }));
}

// As a network file system without its server does.
TEST(Blocks, BlocksComeLateFromADiskThatHangsAtTheStart) {
    Place place;
    GivenOrders orders;
    const std::string blocks = place.config.verdict_log.blocks_path();
    ASSERT_EQ(mkfifo(blocks.c_str(), 0600), 0);  // Whoever reads it waits for a writer.
    const auto start = std::chrono::steady_clock::now();
    {
        Actions actions(place.config, checks, orders, {}, start + 100ms);
        EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
        EXPECT_NE(condition(actions, "blocklist").says.find("does not answer since the start"),
                  std::string::npos);
        EXPECT_TRUE(condition(actions, "verdict_log").well);
        actions.keep_house();
        EXPECT_TRUE(orders.given().empty());

        std::ofstream(blocks) << R"({"prefix":"203.0.113.9","until_ns":)" << (now() + 1h).count()
                              << R"(,"reason":"speed"})" << '\n';
        EXPECT_TRUE(eventually([&] {
            actions.keep_house();
            return orders.given().size() == 1;
        }));
        EXPECT_EQ(to_string(orders.given().at(0).prefix), "203.0.113.9/32");
        EXPECT_TRUE(condition(actions, "blocklist").well);
    }
}

}  // namespace
}  // namespace portcullis::actions
