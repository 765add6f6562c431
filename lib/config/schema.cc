#include "config/schema.h"

#include <functional>

#include "protocol/minecraft/packet_named.h"

namespace portcullis::config {

namespace {

constexpr size_t policies_max = 64;
constexpr size_t exemptions_max = 4096;
constexpr size_t proxies_max = 64;
constexpr size_t rungs_max = 16;
constexpr uint32_t day_s = 86'400;
constexpr uint32_t gib = 1u << 30;

/// For keys that are grouped in the file and not in the struct.
constexpr auto itself = [](auto& object) -> auto& { return object; };

Rows<Port> port_rows() {
    return {
        required(row<Port>("device", &Port::device, text(255),
                           "A PCI address (`0000:3b:00.0`) or a DPDK vdev with its arguments "
                           "(`net_af_packet0,iface=veth0`).")),
        required(row<Port>("driver", &Port::driver, name(),
                           "The profile in `drivers-config/` that says how to set the port up. "
                           "(`null` wants quotes: bare, it is YAML's word for nothing.)")),
    };
}

Rows<Wire> wire_rows() {
    return {
        required(row<Wire>("name", &Wire::name, name(), "The metric label `wire`.")),
        required(section<Wire>("outside", &Wire::outside, port_rows(), "Toward the players.")),
        required(section<Wire>("inside", &Wire::inside, port_rows(), "Toward the servers.")),
        row<Wire>("link_propagation", &Wire::link_propagation, yes_no(),
                  "While one port has no link, the other's is set down, as a cable's two ends go "
                  "down together: routers, bonds and spanning trees on both sides see the break "
                  "and go another way. A port whose driver can not do it is said and counted."),
    };
}

struct Cause {
    const char* key;
    OnFailure Failures::* member;
    const char* help;
};

constexpr Cause causes[] = {
    {"flow_table", &Failures::flow_table, "No room for a new flow."},
    {"memory", &Failures::memory,
     "No session, player or stream memory left. While all memory for streams is taken, "
     "`closed` lets segments wait with their senders, as TCP does."},
    {"decoder", &Failures::decoder, "Bytes that no decoder understands."},
    {"midstream", &Failures::midstream, "A flow older than the appliance."},
    {"fragments", &Failures::fragments, "IP fragments for a service that can not be put together."},
    {"stage", &Failures::stage,
     "No room in a burst for what a verdict asks for: the packet that did it goes on, or "
     "its connection ends."},
};
// `default` sets what has a row and nothing else.
static_assert(sizeof(Failures) == std::size(causes) * sizeof(OnFailure), "a cause without a row");

/// `default` sets all causes; it is read first, so that the named ones win.
Row<Failures> default_cause() {
    const Kind<OnFailure> kind = choice<OnFailure>(words(on_failure_names));
    RowInfo info{"default", kind.allowed, "", "Sets every cause below that is not named.", false,
                 {}};
    auto read = [kind](Failures& out, const YAML::Node& node, const Place& place) {
        const auto value = kind.read(node, place);
        if (!value) return;
        for (const Cause& cause : causes) out.*cause.member = *value;
    };
    // Every cause is written by its own name.
    auto write = [](const Failures&) { return YAML::Node(); };
    auto take = [](Failures&, const Failures&, bool) {};
    return {std::move(info), std::move(read), std::move(write), std::move(take), ""};
}

Rows<Failures> failure_rows() {
    Rows<Failures> rows = {default_cause()};
    for (const auto& [key, member, help] : causes) {
        rows.push_back(
            row<Failures>(key, member, choice<OnFailure>(words(on_failure_names)), help));
    }
    return rows;
}

Rows<Limits> limit_rows() {
    return {
        row<Limits>("flows", &Limits::flows, whole(1'024, 100'000'000),
                    "Connections remembered, in all workers."),
        row<Limits>("half_open", &Limits::half_open, whole(64, 16'777'216),
                    "Handshakes under way, a worker; the oldest gives way."),
        row<Limits>(
            "fragments", &Limits::fragments, whole(0, 4'096),
            "IP datagrams put together from fragments at a time, a worker; 0 puts none "
            "together. One address has an eighth of them. What can not be put together meets "
            "`on_failure.fragments`."),
        row<Limits>("sources", &Limits::sources, whole(1'024, 16'777'216),
                    "Addresses and prefixes whose rates are known (`flood.*`), a worker; the one "
                    "that did least of late gives way."),
        row<Limits>("players", &Limits::players, whole(1, 1'000'000),
                    "Players inspected at a time, in all workers."),
        row<Limits>("stream_bytes", &Limits::stream_bytes, whole(16'384, 16'777'216),
                    "Kept per direction of a connection until the receiver acknowledges."),
        row<Limits>("stream_bytes_total", &Limits::stream_bytes_total,
                    whole64(1u << 20, uint64_t{64} * gib), "Kept for all connections of a worker."),
        row<Limits>("idle_timeout_s", &Limits::idle_timeout_s, whole(5, day_s),
                    "A connection silent this long is forgotten."),
        row<Limits>("connect_timeout_s", &Limits::connect_timeout_s, whole(1, 600),
                    "A handshake not completed within this time is forgotten."),
    };
}

Rows<Service> service_rows() {
    return {
        required(row<Service>("name", &Service::name, name(), "The metric label `service`.")),
        required(row<Service>("protocol", &Service::protocol,
                              choice<protocol::Protocol>(words(protocol::protocol_names)),
                              "The game spoken there: Minecraft over TCP, Shadowland over UDP.")),
        required(row<Service>(
            "address", [](auto& s) -> auto& { return s.endpoint.address; }, address(),
            "The server's address as the wire shows it; `0.0.0.0` or `::` is any.")),
        required(row<Service>(
            "port", [](auto& s) -> auto& { return s.endpoint.port; }, port_number(),
            "The server's port.")),
        row<Service>("proxy_protocol", &Service::proxy_protocol, yes_no(),
                     "Connections begin with a PROXY header (version 1 or 2) that names the "
                     "player's address."),
        row<Service>("forwarding", &Service::forwarding,
                     choice<Forwarding>(words(forwarding_names)),
                     "How a game proxy in front forwards players' names and addresses: in the "
                     "handshake as BungeeCord does, or in the login as Velocity does (`modern`)."),
        secret(row<Service>(
                   "forwarding_secret_file", &Service::forwarding_secret_file, file_path_or_off(),
                   "A file with Velocity's forwarding secret, or BungeeGuard's tokens, one a "
                   "line: any of them counts. With it, what is forwarded is verified, and what "
                   "is forged is a finding of `identity.forwarding`."),
               "forwarding_secret"),
        row<Service>("proxies", &Service::proxies, list_of(prefix(), proxies_max),
                     "The proxies' addresses and prefixes: PROXY headers and forwarding are "
                     "believed from them alone, and they are never blocked nor counted by "
                     "`flood.*`; name one that forwards nothing, too. Empty: believed from "
                     "anybody."),
        row<Service>("translates", &Service::translates,
                     choice<Translates>(words(translates_names)),
                     "The proxy may translate between versions (ViaVersion, ViaBackwards or "
                     "ViaRewind on it), so its packets are not all the player's: checks take "
                     "that into account. `auto`: where `proxy_protocol` or `forwarding` is set."),
        row<Service>("floodgate", &Service::floodgate, yes_no(),
                     "The server or its proxy runs Floodgate, which refuses forged data: a "
                     "handshake with such data is from a Bedrock player."),
        row<Service>("vivecraft", &Service::vivecraft, yes_no(),
                     "Who says that he plays with Vivecraft (VR) is believed: he strikes without "
                     "a swing, and several at once, and `combat.no_swing` and "
                     "`combat.multi_target` only write it down. A cheat may say so, too."),
        live(row<Service>("policy", &Service::policy, name(),
                          "The policy of `policies` that judges.")),
        live(
            row<Service>("aoi", &Service::aoi, choice<Aoi>(words(aoi_names)),
                         "Shadowland: updates about what is too far away for the client to see are "
                         "counted (`aoi.leak`), or also dropped where nothing else is in their "
                         "unreliable datagram.")),
        live(row<Service>(
            "unknown_types", &Service::unknown_types,
            choice<UnknownTypes>(words(unknown_types_names)),
            "Shadowland: whether messages of a type that nobody knows go on, for servers "
            "with types of their own.")),
        live(row<Service>(
            "reseal", &Service::reseal, yes_no(),
            "Shadowland: messages in encrypted packets may be made harmless and sealed "
            "again. Who sees both sides of the appliance then sees two texts under one "
            "nonce, so only where nobody listens inside. Otherwise the session ends.")),
        secret(row<Service>("cookie_secret_file", &Service::cookie_secret_file, file_path_or_off(),
                            "Shadowland: a file with the server's cookie secret alone, 64 hex "
                            "digits. With it cookies are judged, and given in a flood; the key "
                            "feed may bring it instead."),
               "cookie_secret"),
        secret(row<Service>("integrity_secret_file", &Service::integrity_secret_file,
                            file_path_or_off(),
                            "Shadowland: a file with the secret of the server's integrity tables "
                            "alone, in hex digits; the key feed may bring it instead."),
               "integrity_secret"),
    };
}

using Game = Shadowland;
constexpr double world_max = 1e9;

Rows<Game::Wall> wall_rows() {
    return {
        required(row<Game::Wall>("min", &Game::Wall::min, each_axis(real(-world_max, world_max)),
                                 "The box's lowest corner.")),
        required(row<Game::Wall>("max", &Game::Wall::max, each_axis(real(-world_max, world_max)),
                                 "Its highest.")),
    };
}

Rows<Game::Map> map_rows() {
    return {
        required(row<Game::Map>("id", &Game::Map::id, whole(0, 65'535),
                                "As the server names the map to its clients.")),
        required(row<Game::Map>("section", &Game::Map::section, each_axis(real(1, world_max)),
                                "The size of a section, the quadrant of positions.")),
        row<Game::Map>("sections_per_component", &Game::Map::sections_per_component,
                       each_axis(whole(1, 65'536)), "Sections of a component."),
        row<Game::Map>("components", &Game::Map::components, each_axis(whole(1, 65'536)),
                       "Components of the map."),
        row<Game::Map>("step", &Game::Map::step, real(0.001, 1000),
                       "What one step of a quantised position is worth."),
        row<Game::Map>("ground", &Game::Map::ground, real_or_off(-world_max, world_max),
                       "The floor's height on a flat map; `off` on one with hills, where flying "
                       "is not judged."),
        sections<Game::Map>("walls", &Game::Map::walls, 256, wall_rows(),
                            "Boxes that nobody walks through."),
    };
}

/// The maps, with a default that the documentation can show.
Row<Game> maps_row() {
    Row<Game> maps = sections<Game>("maps", &Game::maps, 64, map_rows(),
                                    "The worlds, as servers and clients know them: without its map "
                                    "a player's movement is not judged.");
    maps.info.initial = "maps 1 and 2 of the wire's description";
    return maps;
}

Rows<Game> shadowland_rows() {
    return {
        row<Game>("connects_per_s", &Game::connects_per_s, whole(1, 10'000'000),
                  "Connects without a cookie that one service takes; those above it are answered "
                  "with cookies here where the cookie secret is known, and pass where not."),
        row<Game>("source_connects_per_s", &Game::source_connects_per_s, whole(1, 1'000'000),
                  "Of those from one address; more are answered here, or dropped where the secret "
                  "is not known."),
        row<Game>("source_packets_per_s", &Game::source_packets_per_s, whole(1, 1'000'000),
                  "Datagrams of no known session from one address; more are dropped."),
        row<Game>("session_packets_per_s", &Game::session_packets_per_s, whole(1, 100'000),
                  "Datagrams of one session's client, three times as many at once; more are "
                  "dropped."),
        row<Game>("entities_per_session", &Game::entities_per_session, whole(1, 1'000),
                  "Entities remembered, 40 bytes each, on average of all players: who sees more "
                  "lives on who sees less. What hangs on others is not judged."),
        maps_row(),
    };
}

Rows<Rung> rung_rows() {
    return {
        required(row<Rung>("level", &Rung::level, real(0, 1e6),
                           "From this violation level on; levels rise from rung to rung.")),
        required(row<Rung>("action", &Rung::action,
                           choice<policy::Action>(words(policy::action_names)),
                           "What is done; not milder than on the rung before.")),
    };
}

void read_check(CheckSettings& out, const YAML::Node& node, const Place& place) {
    out.mark = place.key;
    for (const auto& entry : node) {
        const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
        const Place inside = place.inside(key, mark_of(entry.first, place));
        if (key == "enabled") {
            if (const auto value = yes_no().read(entry.second, inside)) out.enabled = *value;
        } else if (const auto value = real(-1e12, 1e12).read(entry.second, inside)) {
            out.parameters[key] = *value;
        }
    }
}

void read_checks(Policy& out, const YAML::Node& node, const Place& place) {
    if (!node.IsMap()) return refuse(node, place, "a map from check names to maps");
    for (const auto& entry : node) {
        const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
        const Place inside = place.inside(key, mark_of(entry.first, place));
        if (out.checks.contains(key)) {
            inside.problems.add(inside.key, inside.path + " is given twice");
        } else if (!entry.second.IsMap()) {
            refuse(entry.second, inside, "a map such as { enabled: true }");
        } else {
            read_check(out.checks[key], entry.second, inside);
        }
    }
}

YAML::Node write_checks(const Policy& policy) {
    YAML::Node all(YAML::NodeType::Map);
    for (const auto& [key, settings] : policy.checks) {
        YAML::Node one(YAML::NodeType::Map);
        one["enabled"] = yes_no().write(settings.enabled);
        for (const auto& [parameter, value] : settings.parameters) {
            one[parameter] = real(0, 0).write(value);
        }
        all[key] = one;
    }
    return all;
}

/// Names and parameters belong to the checks, so which exist, and in what range,
/// is said where rules are compiled.
Row<Policy> check_map() {
    RowInfo info{"checks",
                 "a map from check names to maps",
                 "{}",
                 "Per check: `enabled` (true or false) and the check's own numbers, such as "
                 "`tolerance`: docs/CHECKS.md has them all.",
                 false,
                 {}};
    auto take = [](Policy& running, const Policy& fresh, bool whole) {
        if (whole) running.checks = fresh.checks;
    };
    return {std::move(info), read_checks, write_checks, std::move(take), ""};
}

Rows<Policy> exemption_rows() {
    return {
        row<Policy>("players", &Policy::exempt_players, list_of(text(36), exemptions_max),
                    "Names, written as the server writes them, letter case included, or UUIDs of "
                    "players who are watched and never acted on."),
        row<Policy>("addresses", &Policy::exempt_addresses, list_of(prefix(), exemptions_max),
                    "Addresses and prefixes of the same."),
        row<Policy>("versions", &Policy::exempt_versions, list_of(version_number(), exemptions_max),
                    "Protocol versions of the same."),
    };
}

/// The ladder, with a default that the documentation can show.
Row<Policy> ladder_row() {
    Row<Policy> rungs = sections<Policy>("ladder", &Policy::ladder, rungs_max, rung_rows(),
                                         "What is done at which violation level.");
    rungs.info.initial = "log at 1, alert at 5, kick at 10";
    return rungs;
}

Rows<Policy> policy_rows() {
    return {
        row<Policy>("act_at_confidence", &Policy::act_at_confidence, real(0.5, 1),
                    "Findings below it are logged and the packet goes on."),
        ladder_row(),
        check_map(),
        section<Policy>("exempt", itself, exemption_rows(), "Who is never acted on."),
        row<Policy>("block_s", &Policy::block_s, whole(1, 365 * day_s),
                    "How long action `block` keeps an address out."),
        row<Policy>("kick_message", &Policy::kick_message,
                    pattern(120, {"{check}", "{player}"}, ""), "What a kicked player reads."),
    };
}

Row<Config> policy_map() {
    const Rows<Policy> rows = policy_rows();
    RowInfo info{"policies", "a map from names to maps", "", "How findings become actions.", false,
                 infos(rows)};
    auto read = [rows](Config& out, const YAML::Node& node, const Place& place) {
        if (!node.IsMap() || node.size() > policies_max) {
            return refuse(node, place,
                          "a map of at most " + std::to_string(policies_max) + " policies");
        }
        for (const auto& entry : node) {
            Policy policy;
            const Place at = place.inside(given(entry.first), mark_of(entry.first, place));
            if (const auto read_name = name().read(entry.first, at)) policy.name = *read_name;
            const Place inside = place.inside(policy.name, at.key);
            read_map(rows, policy, entry.second, inside);
            policy.mark = at.key;
            out.policies.push_back(std::move(policy));
        }
    };
    auto write = [rows](const Config& config) {
        YAML::Node all(YAML::NodeType::Map);
        for (const Policy& policy : config.policies) all[policy.name] = write_map(rows, policy);
        return all;
    };
    auto take = [](Config& running, const Config& fresh, bool whole) {
        if (whole) running.policies = fresh.policies;
    };
    return {std::move(info), std::move(read), std::move(write), std::move(take), ""};
}

Rows<Evidence> evidence_rows() {
    return {
        row<Evidence>("from", &Evidence::from, choice<policy::Action>(words(policy::action_names)),
                      "Verdicts that act in this way or a graver one are stored with the packets "
                      "that prove them."),
        row<Evidence>("players", &Evidence::players, whole(0, 4'096),
                      "Suspects whose packets a worker records at once; 0: no evidence is kept."),
        row<Evidence>("kib", &Evidence::kib, whole(64, 16'384),
                      "Memory for the packets of one of them; the oldest give way."),
        row<Evidence>("retention_days", &Evidence::retention_days, whole(1, 3'650),
                      "Older evidence is removed."),
        row<Evidence>("disk_mib", &Evidence::disk_mib, whole(1, 1'048'576),
                      "The oldest evidence gives way above it."),
    };
}

Rows<VerdictLog> verdict_log_rows() {
    return {
        row<VerdictLog>("path", &VerdictLog::path, file_path(), "The log's directory."),
        row<VerdictLog>("retention_days", &VerdictLog::retention_days, whole(1, 3'650),
                        "Older records are removed."),
        row<VerdictLog>("flush_ms", &VerdictLog::flush_ms, whole(1, 10'000),
                        "A record is on disk within this time."),
        row<VerdictLog>("size_mib", &VerdictLog::size_mib, whole(16, 1'048'576),
                        "The oldest records give way above it."),
        section<VerdictLog>("evidence", &VerdictLog::evidence, evidence_rows(),
                            "Packets that prove verdicts, in the directory beside the log's whose "
                            "name ends in `.evidence`."),
    };
}

Rows<Rcon> rcon_rows() {
    return {
        required(row<Rcon>("service", &Rcon::service, name(), "The service whose server this is.")),
        required(row<Rcon>(
            "address", [](auto& r) -> auto& { return r.endpoint.address; }, address(),
            "Where the server's RCON listens.")),
        required(row<Rcon>(
            "port", [](auto& r) -> auto& { return r.endpoint.port; }, port_number(),
            "Its port; 25575 is usual.")),
        required(secret(row<Rcon>("password_file", &Rcon::password_file, file_path(),
                                  "A file with the password alone."),
                        "password")),
        row<Rcon>("kick", &Rcon::kick, pattern(200, {"{player}", "{reason}"}, "{player}"),
                  "The command that throws a player out."),
    };
}

Rows<Webhook> webhook_rows() {
    return {
        row<Webhook>("kind", &Webhook::kind, choice<WebhookKind>(words(webhook_kind_names)),
                     "Discord embeds, or plain JSON."),
        required(secret(row<Webhook>("url_file", &Webhook::url_file, file_path(),
                                     "A file with the URL alone: whoever has it may post."),
                        "url")),
        row<Webhook>("min_confidence", &Webhook::min_confidence, real(0, 1),
                     "Verdicts below it are not told."),
    };
}

std::string minecraft_aliases() {
    std::string text;
    for (const minecraft::PacketAlias& alias : minecraft::packet_aliases) {
        text += text.empty() ? "`" : ", `";
        text += alias.name;
        text += "` (`" + std::string(minecraft::packet_name(alias.packet)) + "`)";
    }
    return text;
}

Rows<Logging> logging_rows() {
    return {
        row<Logging>("level", &Logging::level, one_of({"trace", "debug", "info", "warn", "error"}),
                     "The mildest message that is written."),
        row<Logging>("packets", &Logging::packets, yes_no(),
                     "Write everybody's decoded game packets, a JSON object a line as `inspect "
                     "--packets --format jsonl` gives them. For finding out, not for every day: "
                     "all packets are then read whole."),
        row<Logging>("packet_types", &Logging::packet_types, list_of(packet_name(), 256),
                     "With `packets`, only those of these names; all when empty. Names as in "
                     "minecraft-data (`position`, `use_entity`) and in Shadowland's wire document "
                     "(`SyncEntity`). Minecraft's may also be written in capitals (`UseEntity`), "
                     "and some as the protocol's documentation has them: " +
                         minecraft_aliases() + "."),
        row<Logging>("trace_players", &Logging::trace_players, list_of(text(32), 256),
                     "Write every packet of these players, in any case of their names, as `ctl "
                     "trace` does for a time."),
        row<Logging>("packets_per_second", &Logging::packets_per_second, whole(1, 10'000),
                     "Packets written in a second at most; how many were not is written too."),
    };
}

Rows<Config> rows() {
    return {
        sections<Config>("wires", &Config::wires, wires_max, wire_rows(),
                         "Pairs of ports: what enters one leaves the other."),
        row<Config>("workers", &Config::workers, whole(1, 64),
                    "Polling cores; each has a queue of every port."),
        row<Config>("cores", &Config::cores, core_list(), "The cores to run on."),
        row<Config>("pipeline", &Config::pipeline, file_path(),
                    "The stages, a file under `pipelines/`."),
        live(row<Config>("mode", &Config::mode, choice<verdicts::Mode>(words(verdicts::mode_names)),
                         "`observe` judges and logs and never touches a packet.")),
        row<Config>("idle", &Config::idle, choice<Idle>(words(idle_names)),
                    "What a worker does while there is no traffic."),
        row<Config>(
            "checksums", &Config::checksums, choice<Checksums>(words(checksums_names)),
            "Whether packets for a service with a wrong IP, TCP or UDP checksum are dropped, "
            "as the server would. `trust` is for captures taken before the network card "
            "filled the sums in; on a wire it lets a sender show us bytes that no server reads."),
        row<Config>(
            "urgent", &Config::urgent, choice<Urgent>(words(urgent_names)),
            "TCP's urgent data for a service, of which hosts make different streams: `drop` "
            "the segment, or `strip` the mark, so that all its bytes count."),
        section<Config>("on_failure", &Config::on_failure, failure_rows(),
                        "Whether packets pass uninspected (`open`) or are dropped (`closed`) when "
                        "we can not inspect them."),
        section<Config>("limits", &Config::limits, limit_rows(),
                        "What memory is taken at start; nothing grows beyond it."),
        sections<Config>("services", &Config::services, services_max, service_rows(),
                         "The protected servers; everything else crosses untouched."),
        section<Config>("shadowland", &Config::shadowland, shadowland_rows(),
                        "Limits and maps of Shadowland's services."),
        live(policy_map()),
        live(row<Config>("signatures", &Config::signatures_file, file_path_or_off(),
                         "A file of patterns of your own, for the check `exploit.signature`; see "
                         "below. Read again on reload.")),
        section<Config>("verdict_log", &Config::verdict_log, verdict_log_rows(),
                        "Where verdicts are kept."),
        section<Config>("metrics", itself,
                        Rows<Config>{row<Config>("listen", &Config::metrics, listen_endpoint(),
                                                 "Where `/metrics` and `/health` are served.")},
                        "For Prometheus."),
        section<Config>("admin", itself,
                        Rows<Config>{row<Config>("socket", &Config::admin_socket, socket_path(),
                                                 "Where `portcullis ctl` connects.")},
                        "For operators on this machine."),
        section<Config>("keys", itself,
                        Rows<Config>{row<Config>("socket", &Config::keys_socket, socket_path(),
                                                 "Where plugins hand over session keys.")},
                        "For servers and proxies that encrypt."),
        sections<Config>("rcon", &Config::rcon, services_max, rcon_rows(),
                         "Servers that are told to kick."),
        sections<Config>("webhooks", &Config::webhooks, 16, webhook_rows(),
                         "Web addresses that are sent verdicts."),
        live(section<Config>("logging", &Config::logging, logging_rows(),
                             "The appliance's own log.")),
    };
}

Rows<Signature> signature_rows() {
    constexpr size_t pattern_bytes_max = 1'024;
    return {
        required(row<Signature>("name", &Signature::name, name(),
                                "What a verdict calls it; each has its own.")),
        required(row<Signature>("pattern", &Signature::pattern, text(pattern_bytes_max),
                                "A regular expression as Hyperscan has them: PCRE without "
                                "back-references and look-around. `.` is any byte.")),
        row<Signature>("fields", &Signature::fields,
                       list_of(choice<protocol::TextField>(words(protocol::text_field_names)),
                               protocol::text_field_names.size()),
                       "Which texts of a client it is looked for in; all when empty."),
        row<Signature>("caseless", &Signature::caseless, yes_no(), "`Abc` is found as `aBC`, too."),
        row<Signature>("confidence", &Signature::confidence, real(0, 1),
                       "How sure it is that who sends this means harm. Below the policy's "
                       "`act_at_confidence` a match is written down; at 1 one match is enough to "
                       "kick."),
    };
}

}  // namespace

const Rows<SignatureFile>& signature_schema() {
    static const Rows<SignatureFile> all = {
        live(required(sections<SignatureFile>("signatures", &SignatureFile::signatures, 1'000,
                                              signature_rows(), "The patterns, in any order."))),
    };
    return all;
}

const Rows<Config>& schema() {
    static const Rows<Config> all = rows();
    return all;
}

}  // namespace portcullis::config
