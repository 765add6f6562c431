// Goal: packets find their service, settings reach their checks, and what is wrong
// in a configuration is said with its place, all of it at once.
// Method: configurations built as types, and one read from text for its marks.

#include "policy/rule_set.h"

#include <map>

#include <gtest/gtest.h>

#include "base/setup_error.h"

namespace portcullis::policy {
namespace {

using protocol::Protocol;

config::Policy named(const char* name) {
    config::Policy policy;
    policy.name = name;
    return policy;
}

config::CheckSettings set(std::map<std::string, double> parameters, config::Mark mark = {}) {
    config::CheckSettings settings;
    settings.parameters = std::move(parameters);
    settings.mark = mark;
    return settings;
}

config::Config with_services(std::vector<config::Service> services) {
    config::Config config;
    config.file = "test.yaml";
    config.policies.push_back(named("default"));
    config.services = std::move(services);
    return config;
}

config::Service service(const char* name, Protocol protocol, const char* endpoint) {
    config::Service s;
    s.name = name;
    s.protocol = protocol;
    s.endpoint = *parse_endpoint(endpoint);
    s.mark = {7, 5};
    return s;
}

/// Every parameter of a list's checks, by "check.parameter", with its range.
template <class... C>
void add_ranges(checks::CheckList<C...>,
                std::multimap<std::string, std::pair<double, double>>& ranges) {
    const auto add = [&]<class Check>() {
        if constexpr (requires { Check::parameters; }) {
            for (const auto& row : Check::parameters) {
                ranges.emplace(std::string(Check::name) + '.' + std::string(row.name),
                               std::pair(row.min, row.max));
            }
        }
    };
    (add.template operator()<C>(), ...);
}

std::string error_of(const config::Config& config) {
    try {
        (void)RuleSet::compile(config);
    } catch (const UsageError& error) {
        return error.what();
    }
    return "";
}

TEST(RuleSet, FindsServicesByAddressPortAndTransport) {
    const auto rules = RuleSet::compile(with_services({
        service("any", Protocol::minecraft, "[::]:25565"),
        service("one", Protocol::minecraft, "10.0.0.2:25565"),
        service("six", Protocol::minecraft, "[2001:db8::1]:25566"),
        service("udp", Protocol::shadowland, "[::]:3565"),
    }));
    struct {
        const char* endpoint;
        uint8_t ip_protocol;
        int service;
    } constexpr cases[] = {
        {"10.0.0.2:25565", ip_protocol_tcp, 1},      {"10.0.0.3:25565", ip_protocol_tcp, 0},
        {"[2001:db8::9]:25565", ip_protocol_tcp, 0}, {"10.0.0.2:25565", ip_protocol_udp, -1},
        {"[2001:db8::1]:25566", ip_protocol_tcp, 2}, {"[2001:db8::2]:25566", ip_protocol_tcp, -1},
        {"10.0.0.2:3565", ip_protocol_udp, 3},       {"10.0.0.2:3565", ip_protocol_tcp, -1},
        {"10.0.0.2:80", ip_protocol_tcp, -1},        {"10.0.0.2:25565", 1, -1},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(rules->service_at(*parse_endpoint(c.endpoint), c.ip_protocol), c.service)
            << c.endpoint;
    }
}

TEST(RuleSet, ServesTheAddressesOfItsServicesOrAll) {
    const auto serves = [](const RuleSet& rules, const char* address) {
        return rules.serves(*parse_address(address));
    };
    auto services = std::vector{service("six", Protocol::minecraft, "[2001:db8::1]:25566"),
                                service("udp", Protocol::shadowland, "10.0.0.2:3565")};
    const auto some = RuleSet::compile(with_services(services));
    EXPECT_TRUE(serves(*some, "10.0.0.2"));
    EXPECT_TRUE(serves(*some, "2001:db8::1"));
    EXPECT_FALSE(serves(*some, "10.0.0.1"));
    EXPECT_FALSE(serves(*some, "2001:db8::2"));
    services.push_back(service("any", Protocol::minecraft, "[::]:25565"));
    EXPECT_TRUE(serves(*RuleSet::compile(with_services(services)), "10.0.0.1"));
    EXPECT_FALSE(serves(*RuleSet::compile(with_services({})), "10.0.0.1"));
}

TEST(RuleSet, GivesEachServiceItsPolicyAndEachCheckItsSettings) {
    auto config = with_services({service("a", Protocol::minecraft, "10.0.0.1:1"),
                                 service("b", Protocol::minecraft, "10.0.0.2:2")});
    config.policies.push_back(named("strict"));
    config.policies[1].checks["combat.reach"] = set({{"margin_blocks", 0.5}});
    config.policies[1].checks["packets.pitch"].enabled = false;
    config.services[1].policy = "strict";
    const auto rules = RuleSet::compile(config);
    ASSERT_EQ(rules->services(), 2u);
    EXPECT_EQ(rules->policy_of(0).name(), "default");
    EXPECT_EQ(rules->policy_of(1).name(), "strict");

    using checks::Pitch, checks::Reach;
    const auto& usual = rules->policy_of(0).minecraft();
    const auto& strict = rules->policy_of(1).minecraft();
    EXPECT_EQ(std::get<Reach::Settings>(usual.of).margin_blocks, Reach::Settings().margin_blocks);
    EXPECT_EQ(std::get<Reach::Settings>(strict.of).margin_blocks, 0.5);
    EXPECT_TRUE(usual.enabled.all());
    EXPECT_EQ(strict.enabled.count(), strict.enabled.size() - 1);
    EXPECT_NE(std::get<checks::Log4Shell::Settings>(strict.of).scanners, nullptr);
}

TEST(RuleSet, SaysWhatIsWrongWhereAndWhatIsAllowed) {
    auto config = with_services({service("a", Protocol::minecraft, "10.0.0.1:1")});
    config.services[0].forwarding_secret_file = "/nowhere/at/all";
    config::Policy& policy = config.policies[0];
    policy.checks["combat.raech"] = set({}, {3, 4});
    policy.checks["combat.reach"] = set({{"margin_blocks", 7}, {"arm", 1}}, {5, 6});
    const std::string error = error_of(config);
    for (const char* part : {
             "test.yaml:3:4: policy \"default\": no check \"combat.raech\", allowed: ",
             "test.yaml:5:6: combat.reach.margin_blocks is 7, allowed: 0 to 3",
             "test.yaml:5:6: combat.reach has no parameter \"arm\", allowed: enabled, "
             "margin_blocks",
             "test.yaml:7:5: service \"a\": forwarding_secret_file /nowhere/at/all: ",
         }) {
        EXPECT_NE(error.find(part), std::string::npos) << part << "\nin\n" << error;
    }
    EXPECT_EQ(std::ranges::count(error, '\n'), 3) << error;
}

TEST(RuleSet, NamesEverySignatureThatDoesNotCompile) {
    auto config = with_services({});
    config.signatures_file = "own.yaml";
    config.signatures = {
        {"good", "buy .*gold", {}, true, 0.9, {2, 5}},
        {"open", "(gold", {protocol::TextField::chat}, true, 0.9, {3, 5}},
        {"behind", "(?<=a)b", {}, true, 0.9, {4, 5}},
    };
    const std::string error = error_of(config);
    EXPECT_EQ(std::ranges::count(error, '\n'), 1) << error;
    EXPECT_TRUE(
        error.starts_with("own.yaml:3:5: signature \"open\" has a pattern that can not be used: "))
        << error;
    EXPECT_NE(error.find("\nown.yaml:4:5: signature \"behind\" "), std::string::npos) << error;
    config.signatures.resize(1);
    const auto rules = RuleSet::compile(config);
    auto* book = std::get<checks::Signature::Settings>(rules->policy(0).minecraft().of).book;
    ASSERT_NE(book, nullptr);
    EXPECT_NE(book->find(0, static_cast<uint8_t>(protocol::TextField::host), "BUY gold"), nullptr);
}

TEST(RuleSet, SaysANumberWithEveryDigit) {
    auto config = with_services({});
    config.policies[0].checks["exploit.oversize"] = set({{"payload_bytes", 2097152.5}}, {3, 4});
    EXPECT_EQ(error_of(config),
              "test.yaml:3:4: exploit.oversize.payload_bytes is 2097152.5, allowed: 32767 to "
              "2097151");
}

TEST(RuleSet, KnowsWhetherItIsActedUpon) {
    auto config = with_services({});
    EXPECT_TRUE(RuleSet::compile(config)->enforcing());
    config.mode = verdicts::Mode::observe;
    EXPECT_FALSE(RuleSet::compile(config)->enforcing());
}

TEST(RuleSet, RefusesANumberThatIsNone) {
    auto config = with_services({});
    config.policies[0].checks["combat.reach"].parameters["margin_blocks"] =
        std::numeric_limits<double>::quiet_NaN();
    EXPECT_NE(error_of(config), "");
}

TEST(RuleSet, EveryParameterHasADefaultWithinItsRange) {
    const auto each = []<class... C>(checks::CheckList<C...>) {
        const auto one = []<class Check>() {
            if constexpr (requires { Check::parameters; }) {
                const typename Check::Settings settings;
                for (const auto& row : Check::parameters) {
                    EXPECT_GE(settings.*row.member, row.min) << Check::name << ' ' << row.name;
                    EXPECT_LE(settings.*row.member, row.max) << Check::name << ' ' << row.name;
                    EXPECT_FALSE(row.help.empty()) << Check::name << ' ' << row.name;
                }
            }
        };
        (one.template operator()<C>(), ...);
    };
    each(checks::MinecraftChecks{});
    each(checks::ShadowlandChecks{});
}

std::string reason_of(const config::Policy& from, std::string_view check, std::string_view player) {
    config::Problems problems("");
    return std::string(Policy(from, problems).reason(check, player).view());
}

TEST(Policy, WritesWhatTheKickedReads) {
    config::Policy from;
    from.kick_message = "{player}, go: {check}!";
    EXPECT_EQ(reason_of(from, "combat.reach", "Alice"), "Alice, go: combat.reach!");
    from.kick_message = "{player}, {player}! {check}{check} {";
    EXPECT_EQ(reason_of(from, "a.b", "Al"), "Al, Al! a.ba.b {");
    from.kick_message = std::string(200, 'x');
    EXPECT_EQ(reason_of(from, "a", "b").size(), Policy::reason_size_max);
}

// A policy is for the services of both games, so one number must be good for both.
TEST(RuleSet, WhatTwoGamesCallBySameNameHasOneRange) {
    std::multimap<std::string, std::pair<double, double>> ranges;
    add_ranges(checks::MinecraftChecks{}, ranges);
    add_ranges(checks::ShadowlandChecks{}, ranges);
    EXPECT_EQ(ranges.count("movement.speed.tolerance"), 2u);
    for (const auto& [name, range] : ranges) EXPECT_EQ(range, ranges.find(name)->second) << name;
    config::Config config = with_services({});
    config.policies[0].checks["movement.speed"] = set({{"tolerance", 5}});
    EXPECT_EQ(error_of(config), "");
    config.policies[0].checks["movement.speed"] = set({{"tolerance", 11}}, {3, 4});
    EXPECT_EQ(error_of(config), "test.yaml:3:4: movement.speed.tolerance is 11, allowed: 1 to 10");
}

}  // namespace
}  // namespace portcullis::policy
