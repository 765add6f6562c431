#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/names.h"
#include "base/time.h"
#include "protocol/event.h"
#include "protocol/protocol.h"
#include "records/action.h"
#include "records/record.h"

/// The configuration file as types: what an operator may say, and what holds
/// when he says nothing.  docs/CONFIGURATION.md is made from the same rows that
/// read it (config/schema.cc).
namespace portcullis::config {

inline constexpr size_t wires_max = 8;
inline constexpr size_t services_max = 64;

/// Where in the file a value stands, for messages that come later than reading.
struct Mark {
    int line = 0, column = 0;  ///< From 1; 0: not from a file.
};

struct Port {
    std::string device;  ///< PCI address, or a vdev with its arguments.
    std::string driver;  ///< Profile in drivers-config/, without ".yaml".
    Mark mark;
};

struct Wire {
    std::string name;
    Port outside;
    Port inside;
    bool link_propagation = true;  ///< A link lost on one side is set down on the other.
};

enum class OnFailure : uint8_t { open, closed, count };
inline constexpr NameTable<OnFailure> on_failure_names = {"open", "closed"};
static_assert(complete(on_failure_names));

/// One choice a cause; `default` fills those not named.
struct Failures {
    OnFailure flow_table = OnFailure::open;  ///< No room for a new flow.
    OnFailure memory = OnFailure::open;      ///< No session, player or stream memory.
    OnFailure decoder = OnFailure::open;     ///< Bytes no decoder understands.
    OnFailure midstream = OnFailure::open;   ///< A flow older than the appliance.
    OnFailure fragments =
        OnFailure::closed;              ///< IP fragments for a Service that cannot be put together.
    OnFailure stage = OnFailure::open;  ///< No room for what a verdict asks for.
};

struct Limits {
    uint32_t flows = 1'000'000;   ///< In all Workers.
    uint32_t half_open = 65'536;  ///< Handshakes under way, a Worker; the oldest gives way.
    uint32_t fragments = 64;      ///< Datagrams in fragments, a Worker; 0: none is put together.
    uint32_t sources = 65'536;    ///< Whose rates are known, a Worker; the emptiest gives way.
    uint32_t players = 20'000;    ///< Protocol sessions and Players, in all Workers.
    uint32_t stream_bytes = 262'144;             ///< Kept per direction of a connection.
    uint64_t stream_bytes_total = 256ull << 20;  ///< Kept by all connections of a Worker.
    uint32_t idle_timeout_s = 300;
    uint32_t connect_timeout_s = 30;
};

/// What becomes of urgent data for a Service.
enum class Urgent : uint8_t { drop, strip, count };
inline constexpr NameTable<Urgent> urgent_names = {"drop", "strip"};
static_assert(complete(urgent_names));
/// Whether a packet's sums must be right before it is believed.
enum class Checksums : uint8_t { verify, trust, count };
inline constexpr NameTable<Checksums> checksums_names = {"verify", "trust"};
static_assert(complete(checksums_names));
/// What a Worker does while there is no traffic.
enum class Idle : uint8_t { spin, sleep, interrupt, count };
inline constexpr NameTable<Idle> idle_names = {"spin", "sleep", "interrupt"};
static_assert(complete(idle_names));
/// How a game proxy in front forwards who plays.
enum class Forwarding : uint8_t { none, bungeecord, velocity, count };
inline constexpr NameTable<Forwarding> forwarding_names = {"none", "bungeecord", "velocity"};
static_assert(complete(forwarding_names));
/// Whether players' versions may be translated before the wire: `by_proxy` where one is expected.
enum class Translates : uint8_t { by_proxy, yes, no, count };
inline constexpr NameTable<Translates> translates_names = {"auto", "true", "false"};
static_assert(complete(translates_names));
/// What becomes of an update about something outside its receiver's area of interest, too
/// far away for him to see: the check `aoi.leak` finds it (ShadowInterest), and the drop
/// reason `out_of_interest` is for one that shows nothing else (ShadowlandWatch::only_leaks).
enum class Aoi : uint8_t { counted, enforced, count };
inline constexpr NameTable<Aoi> aoi_names = {"count", "enforce"};
static_assert(complete(aoi_names));
/// What becomes of a datagram message of a type that nobody knows.
enum class UnknownTypes : uint8_t { drop, pass, count };
inline constexpr NameTable<UnknownTypes> unknown_types_names = {"drop", "pass"};
static_assert(complete(unknown_types_names));

struct Service {
    std::string name;
    protocol::Protocol protocol{};
    Endpoint endpoint;  ///< Address `IpAddress{}` (all zero) is any.
    bool proxy_protocol = false;
    Forwarding forwarding = Forwarding::none;
    std::string forwarding_secret_file;  ///< Empty: what is forwarded is not verified.
    std::vector<IpPrefix> proxies;       ///< Who may speak for players; empty: anybody.
    Translates translates = Translates::by_proxy;
    bool floodgate = false;
    bool vivecraft = false;
    std::string policy = "default";
    // Of a game over UDP.
    Aoi aoi = Aoi::counted;
    UnknownTypes unknown_types = UnknownTypes::drop;
    /// Sealed messages may be made harmless: who reads both sides of us would see two
    /// texts under one nonce, so only where the inside is trusted.
    bool reseal = false;
    std::string cookie_secret_file;     ///< Empty: none.
    std::string integrity_secret_file;  ///< Empty: none.
    Mark mark;
};

/// What Shadowland's clients may send, and where they play.
struct Shadowland {
    using Axes = std::array<double, 3>;  ///< x, y, z.
    using Counts = std::array<uint32_t, 3>;
    struct Wall {
        Axes min{}, max{};
        Mark mark;
    };
    struct Map {
        uint32_t id = 1;
        Axes section{};  ///< Size of a quadrant.
        Counts sections_per_component{1, 1, 1};
        Counts components{1, 1, 1};
        double step = 1;  ///< Of quantised positions.
        /// Height of the floor of a flat map; nothing: it has hills, and who flies is not judged.
        std::optional<double> ground;
        std::vector<Wall> walls;
        Mark mark;
        uint64_t quadrants(size_t axis) const noexcept {
            return uint64_t{sections_per_component[axis]} * components[axis];
        }
    };
    /// Those of the wire's description.
    static std::vector<Map> usual_maps();

    uint32_t connects_per_s = 200;         ///< Without a cookie, to one service.
    uint32_t source_connects_per_s = 20;   ///< From one address.
    uint32_t source_packets_per_s = 1000;  ///< Of no session, from one address.
    uint32_t session_packets_per_s = 200;
    uint32_t entities_per_session = 32;  ///< On average; who sees more lives on who sees less.
    std::vector<Map> maps = usual_maps();
};

struct Rung {
    double level = 0;
    policy::Action action{};
};

struct CheckSettings {
    bool enabled = true;
    std::map<std::string, double> parameters;
    Mark mark;
};

struct Policy {
    std::string name;
    double act_at_confidence = 0.95;
    std::vector<Rung> ladder = {
        {1, policy::Action::log}, {5, policy::Action::alert}, {10, policy::Action::kick}};
    std::map<std::string, CheckSettings> checks;
    std::vector<std::string> exempt_players;
    std::vector<IpPrefix> exempt_addresses;
    std::vector<int32_t> exempt_versions;
    uint32_t block_s = 600;  ///< How long action `block` keeps an address out.
    std::string kick_message = "Disconnected by the network's protection ({check}).";
    Mark mark;
};

/// One rule of the operator's, from the file that `signatures` names.
struct Signature {
    std::string name;
    std::string pattern;
    std::vector<protocol::TextField> fields;  ///< Empty: all of them.
    bool caseless = true;
    double confidence = 0.9;
    Mark mark;
};

/// What is kept of a suspect's packets, so that his verdicts can be proved.
struct Evidence {
    policy::Action from = policy::Action::alert;  ///< Verdicts that act so or graver.
    uint32_t players = 64;                        ///< Suspects recorded at once, a Worker.
    uint32_t kib = 256;                           ///< Packets of one of them, in memory.
    uint32_t retention_days = 30;
    uint32_t disk_mib = 1024;
};

struct VerdictLog {
    std::string path = "/var/lib/portcullis/verdicts";
    uint32_t retention_days = 30;
    uint32_t flush_ms = 50;
    uint32_t size_mib = 4096;
    Evidence evidence;

    // Beside the log, also when its path ends in a slash, as completion writes it.
    std::string evidence_path() const { return beside(".evidence"); }
    std::string blocks_path() const { return beside(".blocks"); }

private:
    std::string beside(const char* suffix) const {
        return path.substr(0, path.find_last_not_of('/') + 1) + suffix;
    }
};

struct Rcon {
    std::string service;
    Endpoint endpoint;
    std::string password_file;
    std::string kick = "kick {player} {reason}";
    Mark mark;
};

enum class WebhookKind : uint8_t { discord, json, count };
inline constexpr NameTable<WebhookKind> webhook_kind_names = {"discord", "json"};
static_assert(complete(webhook_kind_names));

struct Webhook {
    WebhookKind kind = WebhookKind::discord;
    std::string url_file;
    double min_confidence = 0.95;
    Mark mark;
};

struct Logging {
    std::string level = "info";  ///< trace, debug, info, warn, error
    bool packets = false;
    std::vector<std::string> packet_types;
    uint32_t packets_per_second = 100;  ///< Written at most; the rest is counted.
    std::vector<std::string> trace_players;
};

struct Config {
    std::string file;  ///< Where it was read from; empty for the built-in default.
    std::vector<Wire> wires;
    uint32_t workers = 1;
    std::string cores;  ///< "" lets the appliance choose; else e.g. "2-5".
    std::string pipeline = "inspect/inline.yaml";
    verdicts::Mode mode = verdicts::Mode::enforce;
    Idle idle = Idle::sleep;
    Checksums checksums = Checksums::verify;
    Urgent urgent = Urgent::drop;
    Failures on_failure;
    Limits limits;
    std::vector<Service> services;
    Shadowland shadowland;
    std::vector<Policy> policies;       ///< Never empty: "default" is there.
    std::string signatures_file;        ///< Empty: no signatures of the operator's.
    std::string signatures_text;        ///< What stands in that file,
    std::vector<Signature> signatures;  ///< and what it says.
    VerdictLog verdict_log;
    std::optional<Endpoint> metrics = parse_endpoint("127.0.0.1:9464");
    std::string admin_socket = "/run/portcullis/admin.sock";
    std::string keys_socket;  ///< Empty: no key feed.
    std::vector<Rcon> rcon;
    std::vector<Webhook> webhooks;
    Logging logging;
};

/// Reads and validates a file.  Throws UsageError whose text is one line a
/// problem: `file:line:column: what was given, what is allowed`.
Config load(const std::string& path);
/// The same from text; `name` stands in messages for the file.
Config parse(const std::string& text, const std::string& name);

/// Tells what stands in one file of signatures from what stands in another; 0: nothing does.
uint64_t signatures_id(std::string_view text) noexcept;

/// The rules in a file of signatures; `load` reads the one that the configuration names.
/// Throws as that does, with places in the signatures' file.
std::vector<Signature> parse_signatures(const std::string& text, const std::string& name);

/// One top key with what it holds, as YAML.
struct Section {
    std::string key;
    std::string text;
};
/// All of them, defaults included; `parse` reads them back to the same.
std::vector<Section> written(const Config& config);

/// What `inspect` uses without --config: TCP port 25565 is Minecraft and UDP
/// port 3565 Shadowland at any address, or the named services alone.  Throws UsageError
/// where two of them are one.
Config offline(const std::vector<Service>& services);
/// "minecraft@10.0.0.2:25565"
Service parse_service(const std::string& text);

}  // namespace portcullis::config
