// Goal: whatever differs in a file read again is in force or said to be kept, never neither.
// Method: each key of a service and each top key with another value than it runs with; a key
// of the schema without a case fails, so nobody adds one without saying which it is.

#include "control/reload.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/setup_error.h"
#include "config/schema.h"

namespace portcullis::control {
namespace {

enum class After : uint8_t { in_force, kept };

struct Case {
    const char* key;
    const char* value;  ///< As the file has it; not the value that runs.
    After after;
    const char* protocol = "minecraft";  ///< Of the service that has it.
};

constexpr Case of_a_service[] = {
    {"name", "creative", After::kept},
    {"protocol", "minecraft", After::kept, "shadowland"},
    {"address", "10.0.0.3", After::kept},
    {"port", "3566", After::kept},
    {"proxy_protocol", "true", After::kept},
    {"forwarding", "bungeecord", After::kept},
    {"forwarding_secret_file", "/etc/forwarding", After::kept},
    {"proxies", "[10.0.0.9]", After::kept},
    {"translates", "'true'", After::kept},
    {"floodgate", "true", After::kept},
    {"vivecraft", "true", After::kept},
    {"policy", "strict", After::in_force},
    {"aoi", "enforce", After::in_force, "shadowland"},
    {"unknown_types", "pass", After::in_force, "shadowland"},
    {"reseal", "true", After::in_force, "shadowland"},
    {"cookie_secret_file", "/etc/cookie", After::kept, "shadowland"},
    {"integrity_secret_file", "/etc/integrity", After::kept, "shadowland"},
};

constexpr Case of_the_file[] = {
    {"wires",
     "[ { name: edge, outside: { device: net_null0, driver: test }, inside: { device: net_null1, "
     "driver: test } } ]",
     After::kept},
    {"workers", "2", After::kept},
    {"cores", "2-3", After::kept},
    {"pipeline", "inspect/other.yaml", After::kept},
    {"mode", "observe", After::in_force},
    {"idle", "spin", After::kept},
    {"checksums", "trust", After::kept},
    {"urgent", "strip", After::kept},
    {"on_failure", "{ memory: closed }", After::kept},
    {"limits", "{ players: 7 }", After::kept},
    {"services", "[]", After::kept},
    {"shadowland", "{ connects_per_s: 7 }", After::kept},
    {"policies", "{ default: { block_s: 7 }, strict: {} }", After::in_force},
    {"signatures", "/etc/signatures", After::in_force},
    {"verdict_log", "{ flush_ms: 7 }", After::kept},
    {"metrics", "{ listen: off }", After::kept},
    {"admin", "{ socket: /run/other.sock }", After::kept},
    {"keys", "{ socket: /run/keys.sock }", After::kept},
    {"rcon", "[ { service: game, address: 10.0.0.2, port: 1, password_file: /etc/rcon } ]",
     After::kept},
    {"webhooks", "[ { url_file: /etc/url } ]", After::kept},
    {"logging", "{ level: warn }", After::in_force},
};

/// Texts of a map by their keys, as the file has them.
using Keys = std::map<std::string, std::string>;

config::Config parse(const Keys& service, Keys file) {
    if (!file.contains("services")) {
        std::string text = "[ { ";
        for (const auto& [key, value] : service) text += key + ": " + value + ", ";
        file["services"] = text + "} ]";
    }
    std::string text;
    for (const auto& [key, value] : file) text += key + ": " + value + '\n';
    return config::parse(text, "test.yaml");
}

Keys service_of(const std::string& protocol) {
    Keys keys = {{"name", "game"}, {"protocol", protocol}, {"address", "10.0.0.2"}, {"port", "7"}};
    if (protocol == "minecraft") keys["forwarding"] = "velocity";
    return keys;
}

const Keys usual_file = {{"policies", "{ strict: {} }"}};

std::string text_of(const config::Config& config, const std::string& key) {
    for (const config::Section& section : config::written(config)) {
        if (section.key == key) return section.text;
    }
    return "";
}

void expect(const Case& c, const std::string& top, const config::Config& running,
            const config::Config& fresh) {
    SCOPED_TRACE(c.key);
    ASSERT_NE(text_of(fresh, top), text_of(running, top)) << "the case changes nothing";
    const Reload plan = plan_reload(running, fresh);
    const bool in_force = c.after == After::in_force;
    EXPECT_EQ(plan.kept, in_force ? std::vector<std::string>() : std::vector{top});
    EXPECT_EQ(text_of(plan.config, top), text_of(in_force ? fresh : running, top));
}

TEST(Reload, KeysOfAServiceAreTakenOverOrSaidToBeKept) {
    for (const Case& c : of_a_service) {
        Keys service = service_of(c.protocol);
        const config::Config running = parse(service, usual_file);
        service[c.key] = c.value;
        expect(c, "services", running, parse(service, usual_file));
    }
}

TEST(Reload, KeysOfTheFileAreTakenOverOrSaidToBeKept) {
    const Keys service = service_of("minecraft");
    for (const Case& c : of_the_file) {
        Keys file = usual_file;
        file[c.key] = c.value;
        expect(c, c.key, parse(service, usual_file), parse(service, file));
    }
}

template <size_t n>
std::set<std::string> keys_of(const Case (&cases)[n]) {
    std::set<std::string> keys;
    for (const Case& c : cases) keys.insert(c.key);
    return keys;
}
std::set<std::string> keys_of(const std::vector<config::RowInfo>& rows) {
    std::set<std::string> keys;
    for (const config::RowInfo& row : rows) keys.insert(row.key);
    return keys;
}

TEST(Reload, EveryKeyHasItsCase) {
    const auto rows = config::infos(config::schema());
    EXPECT_EQ(keys_of(rows), keys_of(of_the_file));
    const auto services = std::ranges::find(rows, "services", &config::RowInfo::key);
    EXPECT_EQ(keys_of(services->inner), keys_of(of_a_service));
}

TEST(Reload, ServicesStayInPlaceAndTakeFromTheirNamesakes) {
    const std::string file = "policies: { a: {}, b: {}, default: {} }\nservices:\n";
    const std::string first = "  - { name: first, protocol: minecraft, address: 10.0.0.2, port: 1";
    const std::string second =
        "  - { name: second, protocol: minecraft, address: 10.0.0.2, port: 2";
    const config::Config before =
        config::parse(file + first + " }\n" + second + " }\n", "test.yaml");
    const config::Config after =
        config::parse(file + second + ", policy: b }\n" + first + ", policy: a }\n", "test.yaml");
    const Reload plan = plan_reload(before, after);
    EXPECT_EQ(plan.kept, std::vector<std::string>{"services"});
    ASSERT_EQ(plan.config.services.size(), 2u);
    EXPECT_EQ(plan.config.services[0].name, "first");
    EXPECT_EQ(plan.config.services[0].policy, "a");
    EXPECT_EQ(plan.config.services[0].mark.line, 4) << "where the new file has it";
    EXPECT_EQ(plan.config.services[1].policy, "b");
}

TEST(Reload, AServiceThatLostItsPolicyRefusesTheFile) {
    Keys service = service_of("minecraft");
    service["policy"] = "strict";
    const config::Config before = parse(service, usual_file);
    EXPECT_THROW(plan_reload(before, config::parse("services: []\n", "test.yaml")), UsageError);
}

}  // namespace
}  // namespace portcullis::control
