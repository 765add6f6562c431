// Goal: a right file gives exactly what it says, a wrong one is refused with the
// place, what was given and what is allowed, and all its problems at once.
// Method: a table of files (text → message), then the documentation and the
// example in deploy/ against the rows that read them.

#include "config/config.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "base/setup_error.h"
#include "config/schema.h"

namespace portcullis::config {
namespace {

std::string complaint(const std::string& text) {
    try {
        (void)parse(text, "f");
    } catch (const UsageError& error) {
        return error.what();
    }
    return "";
}

const std::string good =
    "wires:\n"
    "  - name: edge\n"
    "    outside: { device: '0000:3b:00.0', driver: ice }\n"
    "    inside: { device: '0000:3b:00.1', driver: ice }\n"
    "services:\n"
    "  - { name: survival, protocol: minecraft, address: 10.0.0.2, port: 25565 }\n";

TEST(Config, ReadsWhatIsSaidAndDefaultsTheRest) {
    const Config config =
        parse(good + "mode: observe\nworkers: 4\nmetrics: { listen: off }\n", "f");
    ASSERT_EQ(config.wires.size(), 1u);
    EXPECT_EQ(config.wires[0].inside.device, "0000:3b:00.1");
    EXPECT_EQ(config.wires[0].inside.mark.line, 4);
    EXPECT_TRUE(config.wires[0].link_propagation);
    ASSERT_EQ(config.services.size(), 1u);
    EXPECT_EQ(config.services[0].endpoint, *parse_endpoint("10.0.0.2:25565"));
    EXPECT_EQ(config.services[0].policy, "default");
    EXPECT_EQ(config.mode, verdicts::Mode::observe);
    EXPECT_EQ(config.workers, 4u);
    EXPECT_FALSE(config.metrics);
    EXPECT_EQ(config.admin_socket, "/run/portcullis/admin.sock");
    ASSERT_EQ(config.policies.size(), 1u);
    EXPECT_EQ(config.policies[0].name, "default");
    EXPECT_EQ(config.policies[0].ladder.size(), 3u);
}

TEST(Config, PacketsMayBeNamedAsTheProtocolsDocumentationDoes) {
    const Config config =
        parse(good + "logging: { packet_types: [PlayerPosition, UseEntity] }\n", "f");
    EXPECT_EQ(config.logging.packet_types,
              (std::vector<std::string>{"PlayerPosition", "UseEntity"}));
}

TEST(Config, AWireMayKeepABreakToItself) {
    const std::string wire =
        "wires: [ { name: w, outside: { device: a, driver: d }, inside: { device: b, driver: d }, "
        "link_propagation: ";
    EXPECT_FALSE(parse(wire + "false } ]\n", "f").wires.at(0).link_propagation);
    EXPECT_NE(complaint(wire + "sometimes } ]\n").find("link_propagation"), std::string::npos);
}

TEST(Config, OneDefaultCauseSetsThoseNotNamed) {
    const Failures none = parse(good, "f").on_failure;
    EXPECT_EQ(none.decoder, OnFailure::open);
    EXPECT_EQ(none.fragments, OnFailure::closed);
    // The named cause wins wherever it stands.
    const Failures some =
        parse(good + "on_failure: { decoder: open, default: closed }\n", "f").on_failure;
    EXPECT_EQ(some.decoder, OnFailure::open);
    EXPECT_EQ(some.midstream, OnFailure::closed);
    EXPECT_EQ(some.fragments, OnFailure::closed);
    EXPECT_EQ(some.stage, OnFailure::closed);
}

TEST(Config, ReadsAWholePolicy) {
    const Config config =
        parse(good +
                  "policies:\n"
                  "  hard:\n"
                  "    act_at_confidence: 0.9\n"
                  "    ladder: [ { level: 2.5, action: block } ]\n"
                  "    checks: { movement.speed: { enabled: false, tolerance: 1.05 } }\n"
                  "    exempt: { players: [Alice], addresses: [10.0.0.0/8], versions: [47] }\n"
                  "    block_s: 60\n",
              "f");
    ASSERT_EQ(config.policies.size(), 2u);  // "default" is always there.
    const Policy& hard = config.policies[1];
    EXPECT_EQ(hard.name, "hard");
    EXPECT_EQ(hard.act_at_confidence, 0.9);
    ASSERT_EQ(hard.ladder.size(), 1u);
    EXPECT_EQ(hard.ladder[0].action, policy::Action::block);
    const CheckSettings& speed = hard.checks.at("movement.speed");
    EXPECT_FALSE(speed.enabled);
    EXPECT_EQ(speed.parameters.at("tolerance"), 1.05);
    EXPECT_EQ(speed.mark.line, 11);
    EXPECT_EQ(speed.mark.column, 15);
    EXPECT_EQ(hard.exempt_players, std::vector<std::string>{"Alice"});
    EXPECT_TRUE(hard.exempt_addresses.at(0).contains(*parse_address("10.9.9.9")));
    EXPECT_EQ(hard.exempt_versions, std::vector<int32_t>{47});
    EXPECT_EQ(hard.block_s, 60u);
}

TEST(Config, AnyAddressIsTheUnspecifiedOne) {
    for (const char* any : {"0.0.0.0", "'::'"}) {
        const std::string text = std::string("services: [ { name: s, protocol: minecraft, ") +
                                 "address: " + any + ", port: 1 } ]\n";
        EXPECT_EQ(parse(text, "f").services.at(0).endpoint.address, IpAddress{}) << any;
    }
}

struct Case {
    std::string text;
    std::string says;
};

const std::string service = "{ name: s, protocol: minecraft, address: 10.0.0.2, port: 1";

TEST(Config, ReadsWhoStandsInFront) {
    const Config config = parse("services: [ " + service +
                                    ", proxy_protocol: true, forwarding: velocity, "
                                    "forwarding_secret_file: /etc/secret, "
                                    "proxies: [10.0.0.9, 10.1.0.0/16], translates: false, "
                                    "floodgate: true, vivecraft: true } ]\n",
                                "f");
    const Service& read = config.services.at(0);
    EXPECT_TRUE(read.proxy_protocol && read.floodgate && read.vivecraft);
    EXPECT_EQ(read.forwarding, Forwarding::velocity);
    EXPECT_EQ(read.translates, Translates::no);
    EXPECT_EQ(read.forwarding_secret_file, "/etc/secret");
    ASSERT_EQ(read.proxies.size(), 2u);
    EXPECT_TRUE(read.proxies[1].contains(*parse_address("10.1.2.3")));
    EXPECT_NE(complaint("services: [ " + service + ", forwarding_secret: hunter2 } ]")
                  .find("use \"forwarding_secret_file\""),
              std::string::npos);
    EXPECT_EQ(
        complaint("services: [ " + service + ", forwarding_secret: hunter2 } ]").find("hunter2"),
        std::string::npos);
    const std::string without = ", forwarding: velocity, forwarding_secret_file: off } ]";
    EXPECT_EQ(parse("services: [ " + service + without, "f").services[0].forwarding_secret_file,
              "");
}

const Case scalars[] = {
    {"workers: 0", "f:1:10: workers is \"0\"; allowed: a whole number from 1 to 64"},
    {"workers: 4.5", "f:1:10: workers is \"4.5\"; allowed: a whole number from 1 to 64"},
    {"workers: -1", "f:1:10: workers is \"-1\"; allowed: a whole number from 1 to 64"},
    {"workers: 4x", "f:1:10: workers is \"4x\"; allowed: a whole number from 1 to 64"},
    {"workers: 99999999999999999999",
     "f:1:10: workers is \"99999999999999999999\"; allowed: a whole number from 1 to 64"},
    {"workers: [4]", "f:1:10: workers is a list; allowed: a whole number from 1 to 64"},
    {"workers: {a: 4}", "f:1:10: workers is a map; allowed: a whole number from 1 to 64"},
    {"workers:", "f:1:1: workers is nothing; allowed: a whole number from 1 to 64"},
    {"mode: off", "f:1:7: mode is \"off\"; allowed: enforce or observe"},
    {"idle: busy", "f:1:7: idle is \"busy\"; allowed: spin, sleep or interrupt"},
    {"cores: 5-2",
     "f:1:8: cores is \"5-2\"; allowed: auto, or core numbers and ranges such as 2-5,8"},
    {"cores: 2,",
     "f:1:8: cores is \"2,\"; allowed: auto, or core numbers and ranges such as 2-5,8"},
    {"pipeline: ''", "f:1:11: pipeline is \"\"; allowed: a path"},
    {"on_failure: open",
     "f:1:13: on_failure is \"open\"; allowed: a map with default, flow_table, memory, decoder, "
     "midstream, fragments or stage"},
    {"on_failure: { default: shut }",
     "f:1:24: on_failure.default is \"shut\"; allowed: open or closed"},
    {"limits: { flows: 10 }",
     "f:1:18: limits.flows is \"10\"; allowed: a whole number from 1024 to 100000000"},
    {"limits: { idle_timeout_s: 1d }",
     "f:1:27: limits.idle_timeout_s is \"1d\"; allowed: a whole number from 5 to 86400"},
    {"metrics: { listen: localhost:9464 }",
     "f:1:20: metrics.listen is \"localhost:9464\"; allowed: ADDRESS:PORT such as 127.0.0.1:9464 "
     "or "
     "[::1]:9464, or off"},
    {"metrics: { listen: '127.0.0.1:99999' }",
     "f:1:20: metrics.listen is \"127.0.0.1:99999\"; allowed: ADDRESS:PORT such as 127.0.0.1:9464 "
     "or [::1]:9464, or off"},
    {"admin: { socket: /" + std::string(120, 'a') + " }",
     "f:1:18: admin.socket is \"/" + std::string(63, 'a') +
         "…\"; allowed: a path of at most 107 bytes, or off"},
    {"verdict_log: { flush_ms: 0 }",
     "f:1:26: verdict_log.flush_ms is \"0\"; allowed: a whole number from 1 to 10000"},
    {"logging: { level: loud }",
     "f:1:19: logging.level is \"loud\"; allowed: trace, debug, info, warn or error"},
    {"logging: { packets: yes }", "f:1:21: logging.packets is \"yes\"; allowed: true or false"},
    {"logging: { trace_players: Alice }",
     "f:1:27: logging.trace_players is \"Alice\"; allowed: a list of at most 256"},
    {"logging: { trace_players: [Alice, ''] }",
     "f:1:35: logging.trace_players[1] is \"\"; allowed: a text of 1 to 32 bytes on one line"},
    {"logging: { packet_types: [position, SyncEntity, PlayerPosture] }",
     "f:1:49: logging.packet_types[2] is \"PlayerPosture\"; allowed: the name of a game packet as "
     "`inspect --packets` shows it, such as position or SyncEntity, or Minecraft's in capitals, "
     "such as UseEntity or PlayerPosition"},
    {"logging: { packets_per_second: 0 }",
     "f:1:32: logging.packets_per_second is \"0\"; allowed: a whole number from 1 to 10000"},
    {"webhooks: [ { url_file: u, min_confidence: nan } ]",
     "f:1:44: webhooks[0].min_confidence is \"nan\"; allowed: a number from 0 to 1"},
};

const Case shapes[] = {
    {"", "f:1:1: the file is empty; give at least wires and services"},
    {"- 1",
     "f:1:1: the file is a list; allowed: a map with wires, workers, cores, pipeline, mode, "
     "idle, checksums, urgent, on_failure, limits, services, shadowland, policies, signatures, "
     "verdict_log, metrics, "
     "admin, keys, "
     "rcon, "
     "webhooks or logging"},
    {"mode: observe\n---\nmode: observe",
     "f:1:1: the file holds several YAML documents; one is allowed"},
    {"mode: [", "f:1:1: not YAML: end of sequence flow not found"},
    {"a: b: c", "f:1:5: not YAML: illegal map value"},
    {"limits:\n\tflows: 3", "f:2:1: indented by a tab, which YAML does not allow; use spaces"},
    {"limits:\n  \tflows: 3\n  x",
     "f:2:3: indented by a tab, which YAML does not allow; use spaces"},
    {"a: b: c\nmode:\n\tobserve", "f:1:5: not YAML: illegal map value"},
    {"mode: *there", "f:1:7: not YAML: the referenced anchor is not defined"},
    {"mode: observe\nmode: enforce", "f:2:1: key \"mode\" is given twice"},
    {"admin: { sokcet: x }",
     "f:1:10: unknown key \"sokcet\" in admin (did you mean \"socket\"?); allowed: socket"},
    {"admin: { zzz: x }", "f:1:10: unknown key \"zzz\" in admin; allowed: socket"},
    {"admin: { ? [a] : x }", "f:1:12: unknown key \"\" in admin; allowed: socket"},
    {"wires: { name: x }", "f:1:8: wires is a map; allowed: a list of at most 8"},
    {"wires: [ { name: w, outside: { device: a, driver: d } } ]",
     "f:1:10: wires[0] lacks \"inside\""},
    {"wires: [ { name: w, outside: { device: a, driver: d }, inside: { device: b } } ]",
     "f:1:64: wires[0].inside lacks \"driver\""},
    {"services: [ 25565 ]",
     "f:1:13: services[0] is \"25565\"; allowed: a map with name, protocol, address, port, "
     "proxy_protocol, forwarding, forwarding_secret_file, proxies, translates, floodgate, "
     "vivecraft, policy, aoi, "
     "unknown_types, reseal, cookie_secret_file or integrity_secret_file"},
};

const Case meanings[] = {
    {"wires: [ { name: w, outside: { device: a, driver: d }, inside: { device: a, driver: d } } ]",
     "f:1:64: device \"a\" is already a port of wire \"w\"; a port belongs to one wire"},
    {"wires: [ { name: w, outside: { device: '0000:3B:00.0', driver: d }, inside: { device: "
     "'3b:00.0', driver: d } } ]",
     "f:1:77: device \"0000:3b:00.0\" is already a port of wire \"w\"; a port belongs to one "
     "wire"},
    {"wires: [ { name: w, outside: { device: 'net_tap0,iface=x', driver: d }, inside: { device: "
     "'net_tap0,iface=y', driver: d } } ]",
     "f:1:81: device \"net_tap0\" is already a port of wire \"w\"; a port belongs to one wire"},
    {"wires: [ { name: w, outside: { device: 'net_af_packet0,iface=x', driver: d }, inside: { "
     "device: 'net_af_packet1,iface=x', driver: d } } ]",
     "f:1:87: interface \"x\" is already a port of wire \"w\"; a port belongs to one wire"},
    {"admin: { socket: /run/a.sock }\nkeys: { socket: /run/./a.sock }",
     "f: keys.socket is \"/run/./a.sock\", as admin.socket is; give each its own path"},
    {"services: [ { name: a b, protocol: minecraft, address: 10.0.0.2, port: 1 } ]",
     "f:1:21: services[0].name is \"a b\"; allowed: a name of 1 to 32 letters, digits, '-', '_' or "
     "'.'"},
    {"services: [ { name: s, protocol: quake, address: 10.0.0.2, port: 1 } ]",
     "f:1:34: services[0].protocol is \"quake\"; allowed: minecraft or shadowland"},
    {"services: [ { name: s, protocol: minecraft, address: example.org, port: 1 } ]",
     "f:1:54: services[0].address is \"example.org\"; allowed: an IPv4 or IPv6 address"},
    {"services: [ { name: s, protocol: minecraft, address: 10.0.0.2, port: 0 } ]",
     "f:1:70: services[0].port is \"0\"; allowed: a whole number from 1 to 65535"},
    {"services: [ " + service + ", policy: hard } ]",
     "f:1:13: policy \"hard\" does not exist; allowed: default"},
    {"services: [ " + service +
         " },\n  { name: s, protocol: minecraft, address: 10.0.0.3, port: 1 } ]",
     "f:2:3: service \"s\" is there twice; give each its own name"},
    {"services: [ " + service +
         " },\n  { name: t, protocol: minecraft, address: 10.0.0.2, port: 1 } ]",
     "f:2:3: service \"t\" has the address 10.0.0.2:1 of service \"s\""},
    {"services: [ { name: s, protocol: shadowland, address: 10.0.0.2, port: 1, "
     "proxy_protocol: true } ]",
     "f:1:13: service \"s\" has proxy_protocol, forwarding, proxies, translates, floodgate or "
     "vivecraft, which only Minecraft knows"},
    {"services: [ " + service + ", forwarding_secret_file: /s } ]",
     "f:1:13: service \"s\" has a forwarding_secret_file and no forwarding; allowed with: "
     "bungeecord or velocity"},
    {"policies: [a]", "f:1:11: policies is a list; allowed: a map of at most 64 policies"},
    {"policies: { default: { act_at_confidence: 0.1 } }",
     "f:1:43: policies.default.act_at_confidence is \"0.1\"; allowed: a number from 0.5 to 1"},
    {"policies: { default: { ladder: [] } }",
     "f:1:13: policies.default.ladder is empty; give at least one rung"},
    {"policies: { default: { ladder: [ { level: 5, action: log }, { level: 5, action: kick } ] } }",
     "f:1:13: policies.default.ladder[1].level does not rise above the rung before"},
    {"policies: { default: { ladder: [ { level: 1, action: kick }, { level: 5, action: log } ] } }",
     "f:1:13: policies.default.ladder[1].action \"log\" is milder than \"kick\" on the rung "
     "before"},
    {"policies: { default: { ladder: [ { level: 1, action: ban } ] } }",
     "f:1:54: policies.default.ladder[0].action is \"ban\"; allowed: log, alert, drop, neutralise, "
     "sever, kick or block"},
    {"policies: { default: { checks: { movement.speed: false } } }",
     "f:1:50: policies.default.checks.movement.speed is \"false\"; allowed: a map such as { "
     "enabled: "
     "true }"},
    {"policies: { default: { checks: { movement.speed: { tolerance: high } } } }",
     "f:1:63: policies.default.checks.movement.speed.tolerance is \"high\"; allowed: a number from "
     "-1e+12 to 1e+12"},
    {"policies: { default: { checks: { '" + std::string(500, 'x') + "': 1 } } }",
     "f:1:538: policies.default.checks.\"" + std::string(64, 'x') +
         "…\" is \"1\"; allowed: a map such as { enabled: true }"},
    {"policies: { default: { exempt: { addresses: [10.0.0.0/33] } } }",
     "f:1:46: policies.default.exempt.addresses[0] is \"10.0.0.0/33\"; allowed: an address or a "
     "prefix such as 10.0.0.0/8"},
    {"policies: { default: { kick_message: 'by {name}' } }",
     "f:1:38: policies.default.kick_message is \"by {name}\"; allowed: a text of 1 to 120 bytes "
     "on one line; in braces nothing but {check} or {player}"},
    {"policies: { default: {}, default: {} }", "f:1:26: policy \"default\" is given twice"},
    {"rcon: [ { service: s, address: 10.0.0.2, port: 1, password_file: p } ]",
     "f:1:9: service \"s\" does not exist; allowed: none is configured"},
    {"services: [ " + service + " } ]\n" +
         "rcon: [ { service: s, address: 10.0.0.2, port: 1, password_file: p, kick: 'kick all' } ]",
     "f:2:75: rcon[0].kick is \"kick all\"; allowed: a text of 1 to 200 bytes on one line, with "
     "{player} once; in braces nothing but {player} or {reason}"},
    {"services: [ " + service + " } ]\n" +
         "rcon: [ { service: s, address: 10.0.0.2, port: 1, password_file: p, kick: "
         "'kick {player} {player}' } ]",
     "f:2:75: rcon[0].kick is \"kick {player} {player}\"; allowed: a text of 1 to 200 bytes on one "
     "line, with {player} once; in braces nothing but {player} or {reason}"},
    {"services: [ " + service + " } ]\n" +
         "rcon: [ { service: s, address: 10.0.0.2, port: 1, password_file: p, kick: "
         "\"kick {player}\\nop me\" } ]",
     "f:2:75: rcon[0].kick is \"kick {player}.op me\"; allowed: a text of 1 to 200 bytes on one "
     "line, with {player} once; in braces nothing but {player} or {reason}"},
};

void expect_complaints(std::span<const Case> cases) {
    for (const Case& c : cases) EXPECT_EQ(complaint(c.text), c.says) << c.text;
}

TEST(Config, RefusesValuesOutsideTheirKind) { expect_complaints(scalars); }
TEST(Config, RefusesFilesOfTheWrongShape) { expect_complaints(shapes); }
TEST(Config, RefusesWhatMeansNothing) { expect_complaints(meanings); }

TEST(Config, SecretsInTheFileAreRefusedAndNotShown) {
    const std::string said =
        complaint("services: [ " + service +
                  " } ]\n"
                  "rcon: [ { service: s, address: 10.0.0.2, port: 1, password: hunter2 } ]\n"
                  "webhooks: [ { url: 'https://example.org/hook/hunter2' } ]\n");
    EXPECT_EQ(said,
              "f:2:9: rcon[0] lacks \"password_file\"\n"
              "f:2:51: key \"password\" in rcon[0] is refused: secrets come from files; use "
              "\"password_file\"\n"
              "f:3:13: webhooks[0] lacks \"url_file\"\n"
              "f:3:15: key \"url\" in webhooks[0] is refused: secrets come from files; use "
              "\"url_file\"");
}

TEST(Config, NamesAllProblemsInTheOrderOfTheFile) {
    EXPECT_EQ(complaint("mode: fierce\nlimits: { flows: 1, players: 0 }\nworkers: many\n"),
              "f:1:7: mode is \"fierce\"; allowed: enforce or observe\n"
              "f:2:18: limits.flows is \"1\"; allowed: a whole number from 1024 to 100000000\n"
              "f:2:30: limits.players is \"0\"; allowed: a whole number from 1 to 1000000\n"
              "f:3:10: workers is \"many\"; allowed: a whole number from 1 to 64");
}

TEST(Config, AFileThatCanNotBeReadIsNamed) {
    try {
        (void)load("/nonexistent/portcullis.yaml");
        FAIL() << "read a file that is not there";
    } catch (const UsageError& error) {
        EXPECT_EQ(std::string(error.what()),
                  "/nonexistent/portcullis.yaml: can not be read: No such file or directory");
    }
    EXPECT_THROW((void)load("/"), UsageError);
}

TEST(Config, AFileWithoutAnEndIsRefusedAfterTheMostThatAFileMayHave) {
    try {
        (void)load("/dev/zero");
        FAIL() << "read it all";
    } catch (const UsageError& error) {
        EXPECT_EQ(std::string(error.what()),
                  "/dev/zero: has over 4 MiB; that is not a configuration file");
    }
}

TEST(Config, OfflineKnowsTheUsualPorts) {
    const Config usual = offline({});
    ASSERT_EQ(usual.services.size(), 2u);
    EXPECT_EQ(usual.services[0].name, "minecraft");
    EXPECT_EQ(usual.services[0].endpoint.port, 25565);
    EXPECT_EQ(usual.services[0].endpoint.address, IpAddress{});
    EXPECT_EQ(usual.services[1].endpoint.port, 3565);
    ASSERT_EQ(usual.policies.size(), 1u);

    const Service named = parse_service("shadowland@[2001:db8::1]:3566");
    EXPECT_EQ(named.protocol, protocol::Protocol::shadowland);
    EXPECT_EQ(offline({named}).services.size(), 1u);
    EXPECT_THROW(offline({named, named}), UsageError) << "which of the two a packet is for";
    for (const char* bad : {"", "minecraft", "quake@10.0.0.1:1", "minecraft@10.0.0.1",
                            "minecraft@10.0.0.1:0", "minecraft@host:25565"}) {
        EXPECT_THROW((void)parse_service(bad), UsageError) << bad;
    }
}

std::string read(const char* name) {
    const char* root = std::getenv("PORTCULLIS_SOURCE_ROOT");
    std::ifstream in(std::string(root == nullptr ? "." : root) + '/' + name);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string signature_complaint(const std::string& text) {
    try {
        (void)parse_signatures(text, "s");
    } catch (const UsageError& error) {
        return error.what();
    }
    return "";
}

TEST(Signatures, AreReadWithWhatHoldsWhenNothingIsSaid) {
    const auto all = parse_signatures(
        "signatures:\n"
        "  - { name: advert, pattern: 'buy .* gold', fields: [chat, sign], confidence: 1 }\n"
        "  - { name: any, pattern: x, caseless: false }\n",
        "s");
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].pattern, "buy .* gold");
    EXPECT_EQ(all[0].fields, (std::vector{protocol::TextField::chat, protocol::TextField::sign}));
    EXPECT_EQ(all[0].confidence, 1);
    EXPECT_TRUE(all[0].caseless);
    EXPECT_EQ(all[1].mark.line, 3);
    EXPECT_EQ(all[1].confidence, 0.9);
    EXPECT_TRUE(all[1].fields.empty());
    EXPECT_FALSE(all[1].caseless);
}

TEST(Signatures, AreRefusedWithTheirPlace) {
    const Case wrong[] = {
        {"", "s:1:1: the file is empty; give a list under signatures:"},
        {"rules: []", "s:1:1: unknown key \"rules\"; allowed: signatures"},
        {"signatures: [ { name: a } ]", "s:1:15: signatures[0] lacks \"pattern\""},
        {"signatures: [ { name: a b, pattern: x } ]", "s:1:23: signatures[0].name is \"a b\""},
        {"signatures: [ { name: a, pattern: x, fields: [soul] } ]",
         "signatures[0].fields[0] is \"soul\"; allowed: chat, command, "},
        {"signatures: [ { name: a, pattern: x, confidence: 2 } ]",
         "signatures[0].confidence is \"2\"; allowed: a number from 0 to 1"},
        {"signatures:\n- { name: a, pattern: x }\n- { name: a, pattern: y }",
         "s:3:3: signature \"a\" is there twice; give each its own name"},
    };
    for (const Case& c : wrong) {
        EXPECT_NE(signature_complaint(c.text).find(c.says), std::string::npos)
            << c.text << "\n"
            << signature_complaint(c.text);
    }
}

TEST(Signatures, AreLoadedWithTheConfigurationThatNamesThem) {
    const std::string folder = testing::TempDir();
    std::ofstream(folder + "c.yaml") << good << "signatures: " << folder << "s.yaml\n";
    std::ofstream(folder + "s.yaml") << "signatures: [ { name: a, pattern: x } ]\n";
    EXPECT_EQ(load(folder + "c.yaml").signatures.size(), 1u);
    std::ofstream(folder + "s.yaml") << "signatures: [ { name: a } ]\n";
    try {
        (void)load(folder + "c.yaml");
        FAIL() << "loaded";
    } catch (const UsageError& error) {
        EXPECT_TRUE(std::string(error.what()).starts_with(folder + "s.yaml:1:")) << error.what();
    }
    std::ofstream(folder + "c.yaml") << good << "signatures: " << folder << "absent.yaml\n";
    EXPECT_THROW((void)load(folder + "c.yaml"), UsageError);
}

TEST(Signatures, TheExampleInDeployIsGood) {
    const char* root = std::getenv("PORTCULLIS_SOURCE_ROOT");
    std::ifstream in(std::string(root == nullptr ? "." : root) + "/deploy/signatures.yaml");
    ASSERT_TRUE(in) << "deploy/signatures.yaml";
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    EXPECT_FALSE(parse_signatures(text, "deploy/signatures.yaml").empty());
}

TEST(Config, TheExampleInDeployLoads) {
    const Config config = parse(read("deploy/portcullis.yaml"), "deploy/portcullis.yaml");
    EXPECT_EQ(config.wires.size(), 1u);
    EXPECT_EQ(config.services.size(), 2u);
    EXPECT_EQ(config.rcon.size(), 1u);
    EXPECT_EQ(config.webhooks.size(), 1u);
}

TEST(Config, ReadsMapsOfItsOwn) {
    const Config config = parse(
        "shadowland:\n"
        "  connects_per_s: 50\n"
        "  maps:\n"
        "    - { id: 9, section: [12800, 12800, 3200], sections_per_component: [2, 2, 1],\n"
        "        components: [4, 4, 2], step: 0.5, ground: off,\n"
        "        walls: [ { min: [0, 0, 0], max: [1, 1, 1] } ] }\n",
        "f");
    EXPECT_EQ(config.shadowland.connects_per_s, 50u);
    ASSERT_EQ(config.shadowland.maps.size(), 1u);
    const Shadowland::Map& map = config.shadowland.maps[0];
    EXPECT_EQ(map.id, 9u);
    EXPECT_EQ(map.quadrants(0), 8u);
    EXPECT_EQ(map.quadrants(2), 2u);
    EXPECT_FALSE(map.ground);
    EXPECT_EQ(map.walls.size(), 1u);
    EXPECT_EQ(Config{}.shadowland.maps.size(), 2u);
}

const std::string map_one = "shadowland: { maps: [ { id: 1, section: [25600, 25600, 6400]";

const Case wrong_maps[] = {
    {map_one + " }, { id: 1, section: [1, 1, 1] } ] }",
     "f:1:65: map 1 is there twice; give each its own id"},
    {map_one + ", step: 0.5 } ] }",
     "f:1:23: map 1 has a section of more than 29126 steps, which no position can say; give a "
     "larger step"},
    {map_one + ", components: [256, 257, 1] } ] }",
     "f:1:23: map 1 has more than 65536 sections, which no position can name"},
    {map_one + ", walls: [ { min: [1, 1, 1], max: [2, 1, 2] } ] } ] }",
     "f:1:72: map 1 has a wall whose min is not below its max"},
    {"shadowland: { maps: [ { id: 1, section: [1, 2] } ] }",
     "f:1:41: shadowland.maps[0].section is a list; allowed: [x, y, z], each a number from 1 to "
     "1e+09"},
    {"shadowland: { maps: [ { id: 1, section: [1, 2, x] } ] }",
     "f:1:48: shadowland.maps[0].section[2] is \"x\"; allowed: a number from 1 to 1e+09"},
    {"services: [ { name: s, protocol: minecraft, address: 10.0.0.2, port: 1, aoi: enforce } ]",
     "f:1:13: service \"s\" has aoi, which only shadowland services have; leave it out"},
    {"services: [ { name: s, protocol: shadowland, address: 10.0.0.2, port: 1, cookie_secret: ab "
     "} ]",
     "f:1:74: key \"cookie_secret\" in services[0] is refused: secrets come from files; use "
     "\"cookie_secret_file\""},
};

TEST(Config, SaysWhatIsWrongWithAMap) {
    for (const Case& c : wrong_maps) {
        try {
            parse(c.text, "f");
            ADD_FAILURE() << "accepted: " << c.text;
        } catch (const UsageError& error) {
            EXPECT_EQ(std::string(error.what()).substr(0, c.says.size()), c.says) << c.text;
        }
    }
}

TEST(Config, WrittenOutItReadsBackTheSame) {
    const Config config = parse(read("deploy/portcullis.yaml") +
                                    "on_failure: { default: closed, decoder: open }\n"
                                    "logging: { trace_players: ['a: b', '*', 'true'] }\n",
                                "f");
    std::string text;
    for (const Section& section : written(config)) text += section.text;
    const Config again = parse(text, "again");
    std::string text_again;
    for (const Section& section : written(again)) text_again += section.text;
    EXPECT_EQ(text, text_again);
    EXPECT_EQ(again.logging.trace_players, (std::vector<std::string>{"a: b", "*", "true"}));
    EXPECT_EQ(again.on_failure.fragments, OnFailure::closed);
    EXPECT_EQ(again.services.at(1).policy, "watched");
    EXPECT_EQ(again.policies.size(), 2u);
}

TEST(Config, TheDocumentationIsWhatTheRowsSay) {
    EXPECT_TRUE(read("docs/CONFIGURATION.md") == documentation())
        << "docs/CONFIGURATION.md is stale: run `ninja -C build configuration-docs`";
}

}  // namespace
}  // namespace portcullis::config
