// Goal: what follows from a verdict does follow, once, and is told truly: in the
// log before anywhere else, with its outcomes; and what is down holds up nothing.
// Method: the whole sink with its real log, RCON client, sender and block list,
// against servers in this process and a list of the Orders it gave.

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "actions/actions_test_support.h"
#include "actions/testing/rcon_server.h"
#include "actions/testing/webhook_server.h"
#include "base/setup_error.h"
#include "verdicts/reader.h"

namespace portcullis::actions {
namespace {

using namespace testing;

TEST(Actions, DoesWhatAVerdictSaysAndKeepsHowItEnded) {
    Place place;
    rcon::TestServer rcon;
    webhook::TestServer hook;
    place.use_rcon(rcon.port());
    place.use_webhook(hook.url());
    GivenOrders orders;
    const VerdictRecord logged = verdict_of("Alice", Action::log, 1);
    const VerdictRecord alerted = verdict_of("Bob", Action::alert, 2);
    const VerdictRecord kicked = verdict_of("Carol", Action::kick, 3);
    const VerdictRecord blocked = verdict_of("Dave", Action::block, 4);
    VerdictRecord observed = verdict_of("Eve", Action::block, 5);
    observed.mode = verdicts::Mode::observe;
    {
        Actions actions(place.config, checks, orders);
        for (const auto& record : {logged, alerted, kicked, blocked, observed}) {
            tell(actions, record);
        }
        EXPECT_TRUE(eventually([&] { return count(actions, "rcon", "done") == 2; }));
        actions.finish(5s);
        EXPECT_EQ(count(actions, "webhook", "done"), 4u);
        EXPECT_EQ(count(actions, "blocklist", "done"), 1u);
        EXPECT_EQ(count(actions, "verdict_log", "stored"), 5u);
        EXPECT_EQ(actions.status().waiting, 0u);
    }
    EXPECT_EQ(rcon.commands().at(0), "kick Carol Unfair play (movement.speed).");
    ASSERT_EQ(orders.given().size(), 1u);
    EXPECT_EQ(orders.given()[0].kind, Order::Kind::block);
    EXPECT_TRUE(orders.given()[0].prefix.contains(blocked.client.address));
    EXPECT_GT(orders.given()[0].lasts, 500s);

    const verdicts::Reader reader(place.log());
    const auto ends = [&](const VerdictRecord& record) {
        std::string text;
        for (const auto& outcome : reader.outcomes({record.id_high, record.id_low})) {
            text += std::string(name_in(verdicts::target_names, outcome.target)) + ' ' +
                    std::string(name_in(verdicts::result_names, outcome.result)) + ", ";
        }
        return text;
    };
    EXPECT_EQ(ends(logged), "");
    EXPECT_EQ(ends(alerted), "webhook done, ");
    EXPECT_EQ(ends(kicked), "rcon done, webhook done, ");
    EXPECT_EQ(ends(blocked), "rcon done, webhook done, blocklist done, ");
    EXPECT_EQ(ends(observed), "webhook done, ");
}

TEST(Actions, NobodyIsKickedForWhoKnocksInHisName) {
    Place place;
    rcon::TestServer rcon;
    webhook::TestServer hook;
    place.use_rcon(rcon.port());
    place.use_webhook(hook.url());
    GivenOrders orders;
    VerdictRecord knocking = verdict_of("Alice", Action::kick, 1);
    knocking.in_game = false;
    VerdictRecord source = verdict_of("", Action::block, 2);
    source.in_game = false;
    source.client = *parse_endpoint("[2001:db8:1:2:3::4]:50122");
    source.source_bits = 64;
    {
        Actions actions(place.config, checks, orders);
        tell(actions, knocking);
        tell(actions, source);
        EXPECT_TRUE(eventually([&] { return count(actions, "webhook", "done") == 2; }));
        actions.finish(5s);
    }
    EXPECT_TRUE(rcon.commands().empty()) << rcon.commands().at(0);
    ASSERT_EQ(orders.given().size(), 1u);
    EXPECT_EQ(to_string(orders.given()[0].prefix), "2001:db8:1:2::/64");
}

TEST(Actions, RunsWithEverythingDownAndSaysSo) {
    Place place;
    {
        const rcon::TestServer gone;
        place.use_rcon(gone.port());
        place.use_webhook("http://127.0.0.1:" + std::to_string(gone.port()) + "/secret-token");
    }
    GivenOrders orders;
    Actions actions(place.config, checks, orders);
    tell(actions, verdict_of("Carol", Action::kick, 1));
    EXPECT_TRUE(eventually([&] {
        return condition(actions, "rcon/survival").says.find("refused") != std::string::npos;
    }));
    EXPECT_FALSE(condition(actions, "rcon/survival").well);
    EXPECT_TRUE(condition(actions, "verdict_log").well);
    EXPECT_TRUE(eventually([&] { return !condition(actions, "webhook/0").well; }));

    const auto start = std::chrono::steady_clock::now();
    actions.finish(1s);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
    EXPECT_EQ(count(actions, "rcon", "expired"), 1u);
    EXPECT_EQ(count(actions, "webhook", "expired"), 1u);
    const std::string says = condition(actions, "webhook/0").says;
    EXPECT_EQ(says.find("secret"), std::string::npos);
}

TEST(Actions, TellsWebhooksOnlyOfWhatTheLogHolds) {
    Place place;
    std::atomic<int> missing = 0;
    webhook::TestServer hook([&](size_t) {
        const verdicts::Reader reader(place.log());
        for (const auto& request : hook.requests()) {
            const auto message = nlohmann::json::parse(request.body);
            for (const auto& embed : message.at("embeds")) {
                const auto id = verdicts::parse_id(embed["footer"]["text"].get<std::string>());
                missing += !id || !reader.find(*id);
            }
        }
        return webhook::TestServer::Answer();
    });
    place.use_webhook(hook.url());
    GivenOrders orders;
    Actions actions(place.config, checks, orders);
    for (uint32_t i = 0; i < 30; ++i) {
        tell(actions, verdict_of("P" + std::to_string(i), Action::alert, i));
    }
    EXPECT_TRUE(eventually([&] { return count(actions, "webhook", "done") == 30; }));
    EXPECT_EQ(missing, 0);
}

// The wire is faster than the console: a player whom it has thrown out is what was wanted.
TEST(Actions, WhomTheWireThrewOutAServerNeedNotKnow) {
    Place place;
    rcon::TestServer rcon;
    rcon.behave({.answer = "No player was found"});
    place.use_rcon(rcon.port());
    GivenOrders orders;
    const VerdictRecord judged[] = {verdict_of("Alice", Action::kick, 1),
                                    verdict_of("Bob", Action::kick, 2),
                                    verdict_of("Carol", Action::kick, 3)};
    {
        Actions actions(place.config, checks, orders);
        tell(actions, judged[0]);
        tell(actions, end_of(judged[0], Result::done));
        tell(actions, judged[1]);
        tell(actions, judged[2]);
        tell(actions, end_of(judged[2], Result::expired));
        // Of Bob the wire tells after the server.
        ASSERT_TRUE(eventually([&] { return rcon.commands().size() == 3; }));
        std::this_thread::sleep_for(50ms);
        tell(actions, end_of(judged[1], Result::done));
        EXPECT_TRUE(eventually([&] {
            return count(actions, "rcon", "done") + count(actions, "rcon", "failed") == 3;
        }));
    }
    const verdicts::Reader reader(place.log());
    const auto rcons = [&](const VerdictRecord& verdict) {
        return reader.outcomes({verdict.id_high, verdict.id_low}).at(0);
    };
    for (const size_t gone : {0, 1}) {
        EXPECT_EQ(rcons(judged[gone]).result, Result::done);
        EXPECT_EQ(rcons(judged[gone]).detail.view(), "gone already: No player was found");
    }
    EXPECT_EQ(rcons(judged[2]).result, Result::failed) << "he may play under another name";
}

TEST(Actions, KeepsHowItEndedOnTheWireWithTheVerdict) {
    Place place;
    GivenOrders orders;
    const VerdictRecord first = verdict_of("Alice", Action::kick, 1);
    const VerdictRecord second = verdict_of("Bob", Action::sever, 2);
    {
        Actions actions(place.config, checks, orders);
        const VerdictRecord all[] = {first, end_of(first, Result::done, "kicked"),
                                     end_of(second, Result::expired, "ended first"), second};
        actions.take(all);
        actions.finish(5s);
        EXPECT_EQ(count(actions, "wire", "done"), 1u);
        EXPECT_EQ(count(actions, "wire", "expired"), 1u);
        EXPECT_EQ(count(actions, "verdict_log", "stored"), 2u);
    }
    const verdicts::Reader reader(place.log());
    const auto ends = reader.outcomes({first.id_high, first.id_low});
    ASSERT_EQ(ends.size(), 1u);
    EXPECT_EQ(ends[0].target, Target::wire);
    EXPECT_EQ(ends[0].detail.view(), "kicked");
    ASSERT_EQ(reader.outcomes({second.id_high, second.id_low}).size(), 1u);
    EXPECT_EQ(reader.outcomes({second.id_high, second.id_low})[0].result, Result::expired);
}

// Whatever is configured by then: as many webhooks more, in another order, and no RCON.
TEST(Actions, WhatAKilledRunLeftIsSaidAndNotDoneTwice) {
    Place place;
    rcon::TestServer rcon;
    rcon.behave({.mute = true});
    webhook::TestServer silent([](size_t) { return webhook::TestServer::Answer{.delay = 60s}; });
    place.use_rcon(rcon.port());
    place.use_webhook(silent.url());
    const VerdictRecord left = verdict_of("Alice", Action::block, 1);
    const VerdictRecord alerted = verdict_of("Bob", Action::alert, 2);
    const VerdictRecord logged = verdict_of("Carol", Action::log, 3);
    VerdictRecord unsure = verdict_of("Dave", Action::alert, 4);
    unsure.confidence = 0.5f;
    VerdictRecord observed = verdict_of("Eve", Action::kick, 5);
    observed.mode = verdicts::Mode::observe;
    const auto id_of = [](const VerdictRecord& r) { return VerdictId{r.id_high, r.id_low}; };
    const std::string killed = place.log() + "-killed";
    GivenOrders orders;
    {
        Actions actions(place.config, checks, orders);
        for (const auto& record : {left, alerted, logged, unsure, observed}) tell(actions, record);
        tell(actions, end_of(left, Result::done, "kicked"));
        ASSERT_TRUE(eventually([&] {
            return count(actions, "verdict_log", "stored") == 5 &&
                   count(actions, "verdict_log", "stored_outcomes") == 1;
        }));
        fs::copy(place.log(), killed);  // What a kill would leave at this moment.
    }
    place.config.verdict_log.path = killed;
    place.config.rcon.clear();
    webhook::TestServer hook;
    config::Webhook another;
    another.url_file = place.secret("another", hook.url());
    another.min_confidence = 0;
    const config::Webhook first = place.config.webhooks[0];
    place.config.webhooks = {another, first, another};
    GivenOrders later;
    {
        Actions actions(place.config, checks, later);
        EXPECT_TRUE(eventually([&] { return count(actions, "webhook", "expired") == 3; }));
        actions.finish(5s);
        EXPECT_EQ(count(actions, "webhook", "expired"), 3u);
        EXPECT_EQ(count(actions, "rcon", "expired"), 1u);
        EXPECT_EQ(count(actions, "blocklist", "expired"), 1u);
        EXPECT_EQ(count(actions, "wire", "expired"), 0u);
    }
    {
        Actions actions(place.config, checks, later);  // Once and no more.
        actions.finish(5s);
        EXPECT_EQ(count(actions, "webhook", "expired"), 0u);
    }
    EXPECT_TRUE(hook.requests().empty());
    EXPECT_TRUE(later.given().empty());
    const verdicts::Reader reader(killed);
    const auto ends = reader.outcomes(id_of(left));
    ASSERT_EQ(ends.size(), 4u);
    EXPECT_EQ(ends[0].target, Target::rcon);
    EXPECT_EQ(ends[0].detail.view(), "the appliance ended before it told");
    EXPECT_EQ(ends[0].name.view(), "survival");
    EXPECT_EQ(ends[1].target, Target::webhook);
    EXPECT_EQ(ends[1].name.view(), first.url_file) << "whatever place it has by now";
    EXPECT_EQ(reader.outcomes(id_of(alerted)).size(), 1u);
    EXPECT_EQ(reader.outcomes(id_of(observed)).size(), 1u);
    EXPECT_TRUE(reader.outcomes(id_of(logged)).empty());
    EXPECT_TRUE(reader.outcomes(id_of(unsure)).empty());
}

TEST(Actions, WhoIsConfiguredLaterWasNeverAsked) {
    Place place;
    webhook::TestServer hook;
    place.use_webhook(hook.url());
    VerdictRecord kicked = verdict_of("Alice", Action::kick, 1);
    kicked.confidence = 0.5f;
    GivenOrders orders;
    {
        Actions actions(place.config, checks, orders);
        tell(actions, kicked);
        tell(actions, end_of(kicked, Result::done, "kicked"));
        actions.finish(5s);
    }
    place.config.webhooks[0].min_confidence = 0.4;
    place.config.webhooks.push_back(place.config.webhooks[0]);
    rcon::TestServer rcon;
    place.use_rcon(rcon.port());
    Actions actions(place.config, checks, orders);
    actions.finish(5s);
    for (const char* target : {"webhook", "rcon", "wire", "blocklist"}) {
        EXPECT_EQ(count(actions, target, "expired"), 0u) << target;
    }
    const auto ends = verdicts::Reader(place.log()).outcomes({kicked.id_high, kicked.id_low});
    EXPECT_EQ(ends.size(), 1u) << "as the wire told";
}

TEST(Actions, FollowsThePoliciesOfAReload) {
    Place place;
    rcon::TestServer rcon;
    place.use_rcon(rcon.port());
    GivenOrders orders;
    Actions actions(place.config, checks, orders);
    config::Config fresh = place.config;
    fresh.policies[0].kick_message = "Out: {check}";
    fresh.policies[0].block_s = 7'200;
    EXPECT_TRUE(actions.reloaded(fresh).empty());
    tell(actions, verdict_of("Dave", Action::block, 1));
    EXPECT_TRUE(eventually([&] { return count(actions, "rcon", "done") == 1; }));
    EXPECT_EQ(rcon.commands().at(0), "kick Dave Out: movement.speed");
    ASSERT_EQ(orders.given().size(), 1u);
    EXPECT_GT(orders.given()[0].lasts, 7'000s);
}

// The server and the wire tell a kicked player the same.
TEST(Actions, FillsAMessageThatNamesThePlayerTwice) {
    Place place;
    rcon::TestServer rcon;
    place.use_rcon(rcon.port());
    place.config.policies[0].kick_message = "{player}, out: {check}. Bye {player}";
    GivenOrders orders;
    Actions actions(place.config, checks, orders);
    tell(actions, verdict_of("Dave", Action::kick, 1));
    EXPECT_TRUE(eventually([&] { return count(actions, "rcon", "done") == 1; }));
    EXPECT_EQ(rcon.commands().at(0), "kick Dave Dave, out: movement.speed. Bye Dave");
}

TEST(Actions, SaysAtTheStartWhatIsMissing) {
    Place place;
    GivenOrders orders;
    place.use_rcon(1);
    place.config.rcon[0].password_file = "/nonexistent/password";
    EXPECT_THROW(Actions(place.config, checks, orders), SetupError);
    place.use_rcon(1);
    place.config.rcon[0].service = "creative";
    EXPECT_THROW(Actions(place.config, checks, orders), UsageError);
    place.config.rcon.clear();
    place.use_webhook("not an address");
    EXPECT_THROW(Actions(place.config, checks, orders), SetupError);
}

}  // namespace
}  // namespace portcullis::actions
