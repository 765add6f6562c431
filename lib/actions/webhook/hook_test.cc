// Goal: a webhook's manners: what waits, for how long, and what a reload changes of that.
// Method: a hook without a network, and a clock that is an argument.

#include "actions/webhook/hook.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "actions/testing/alert_entry.h"

namespace portcullis::actions::webhook {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using verdicts::Entry;
using verdicts::Outcome;

TEST(Hook, AReloadDoesNotShortenTheTimeThatItIsToldToWait) {
    Hook hook({}, [](const Outcome&) {});
    const auto start = Hook::Clock::now();
    hook.add(entry_of("Alice", 1), start);
    (void)hook.take();
    hook.answer({.status = 429, .retry_after_s = 60.0}, start);
    for (const bool another_address : {false, true}) {
        hook.enable(another_address);
        EXPECT_GE(hook.due().value(), start + 60s);
    }
}

TEST(Hook, AReloadForgetsItsOwnPatienceOnlyWithAnotherAddress) {
    Hook::Settings settings;
    settings.backoff_first = settings.backoff_max = 100s;
    Hook hook(settings, [](const Outcome&) {});
    const auto start = Hook::Clock::now();
    hook.add(entry_of("Alice", 1), start);
    (void)hook.take();
    hook.answer({.status = 500}, start);
    hook.enable(false);
    EXPECT_GE(hook.due().value(), start + 50s);
    hook.enable(true);
    EXPECT_LE(hook.due().value(), start + settings.gather);
}

TEST(Hook, KeepsWhatIsNewHoweverLongItsLikeHasWaited) {
    std::vector<Outcome> outcomes;
    Hook hook({}, [&](const Outcome& outcome) { outcomes.push_back(outcome); });
    const auto start = Hook::Clock::now();
    hook.add(entry_of("Alice", 1), start);
    hook.add(entry_of("Alice", 2), start + 9min + 58s);
    hook.expire(start + 10min + 1s);
    ASSERT_EQ(outcomes.size(), 1u) << "the second has waited for three seconds";
    EXPECT_EQ(outcomes[0].verdict.low, 1u);
    hook.expire(start + 20min);
    EXPECT_EQ(outcomes.size(), 2u);
}

TEST(Hook, NoVerdictWaitsForLongHoweverOftenItsLikeComes) {
    std::vector<Outcome> outcomes;
    Hook hook({}, [&](const Outcome& outcome) { outcomes.push_back(outcome); });
    const Hook::Clock::time_point start = Hook::Clock::now();
    constexpr uint64_t apart_s = 20;
    for (uint64_t number = 0; number < 300; ++number) {
        const auto now = start + number * apart_s * 1s;
        hook.add(entry_of("Alice", number), now);
        hook.expire(now);
        const size_t young = 600 / apart_s + 1;
        EXPECT_LE(number + 1 - outcomes.size(), young) << "none is older than ten minutes";
        EXPECT_GE(number + 1 - outcomes.size(), std::min<size_t>(number + 1, young / 2));
    }
}

TEST(Hook, TellsOfEachSourceThatHasNoNameByItsAddress) {
    Hook hook({}, [](const Outcome&) {});
    const auto from = [](std::string_view address, std::string_view name, uint64_t number) {
        Entry entry = entry_of(name, number);
        entry.record.in_game = false;
        entry.record.client = {*parse_address(address), 50'000};
        return entry;
    };
    hook.add(from("198.51.100.7", "", 1), {});
    hook.add(from("198.51.100.8", "", 2), {});
    hook.add(from("198.51.100.7", "", 3), {});
    hook.add(from("198.51.100.9", "Alice", 4), {});
    hook.add(entry_of("Alice", 5), {});
    const json embeds = json::parse(hook.take()).at("embeds");
    std::vector<std::string> titles;
    for (const json& embed : embeds) titles.push_back(embed.at("title"));
    EXPECT_EQ(titles,
              (std::vector<std::string>{"movement.no\\_fall: 198.51.100.7, no player yet",
                                        "movement.no\\_fall: 198.51.100.8, no player yet",
                                        "movement.no\\_fall: 198.51.100.9, who calls himself Alice",
                                        "movement.no\\_fall: Alice"}));
}

}  // namespace
}  // namespace portcullis::actions::webhook
