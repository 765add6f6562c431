#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/inline_text.h"
#include "base/ip.h"
#include "base/names.h"

/// Events: what a decoder understood, in the words of the game.
///
/// They are told, never stored: texts and bytes in them are views that end with
/// the call.  Units are blocks, degrees and game ticks.  An event says what the
/// packet said, believed or not; judging is for Checks, remembering for Player.
namespace portcullis::protocol {

using EntityId = int32_t;

struct Position {
    double x = 0, y = 0, z = 0;
};
struct Rotation {
    float yaw = 0, pitch = 0;  ///< Degrees; pitch 90 looks down.
};
struct BlockPosition {
    int32_t x = 0, y = 0, z = 0;
    bool operator==(const BlockPosition&) const = default;
};
using Uuid = std::array<uint8_t, 16>;

// ---- every packet ---------------------------------------------------------

/// A whole game packet goes by, read or not; told before what it holds.
struct PacketSeen {
    std::string_view name;
    size_t wire_bytes;
    bool from_server = false;
};

// ---- the session, both directions ----------------------------------------

/// The client named its protocol and what it wants.
struct Handshake {
    int32_t version;        ///< Protocol number; 47 is 1.8.
    std::string_view host;  ///< What the player typed: forwarding data and markers taken off.
    uint16_t port;
    enum class Next : uint8_t { status = 1, login = 2, transfer = 3 } next;
    std::string_view sent = {};    ///< The host field as it was.
    std::string_view loader = {};  ///< The mod loader's marker: "FML3"; empty: none.
    bool floodgate = false;        ///< Carries what Floodgate says of a Bedrock player.
    bool forwarded = false;        ///< Carries BungeeCord's forwarding, told next.
};
/// A game proxy in front says who the player is.  Anybody can say so: whether it is
/// believed is for whoever knows the configuration.
struct IdentityForwarded {
    enum class Way : uint8_t { bungeecord, velocity };
    Way way;
    bool readable = false;  ///< False: its layout is broken, and nothing below holds.
    IpAddress address{};
    Uuid uuid{};
    std::string_view name = {};        ///< Velocity alone tells it here.
    std::string_view properties = {};  ///< BungeeCord: JSON, as sent.
    Bytes signature = {};              ///< Velocity: HMAC-SHA256
    Bytes signed_bytes = {};           ///< of these.
};
/// The server asked for Velocity's forwarding, and the client has none to give.
struct ForwardingDeclined {};
/// What came of the word of somebody in front, where it was not believed.
struct ForwardingRefused {
    enum class Why : uint8_t {
        forged,      ///< Its signature or token is not the configured one.
        stranger,    ///< It does not come from a configured proxy.
        missing,     ///< The service is configured for it, and there was none.
        unreadable,  ///< Its layout is broken.
        unexpected,  ///< The service is not configured for it.
        count
    };
    Why why;
};
inline constexpr NameTable<ForwardingRefused::Why> forwarding_refused_names = {
    "forged", "stranger", "missing", "unreadable", "unexpected"};
static_assert(complete(forwarding_refused_names));
struct StatusRequested {};
/// A pre-1.7 client asked for the status (first byte 0xFE).
struct LegacyPing {};
struct LoginStart {
    std::string_view name;
};
/// The server accepted the login: from here on there is a player.
struct LoggedIn {
    std::string_view name;
    Uuid uuid;
};
/// From the next byte on nothing can be read (encrypted, no key known).
struct BecameOpaque {};
/// The server ended it with a reason (plain text, formatting stripped).
struct Disconnected {
    std::string_view reason;
};

/// Something no vanilla peer sends.  The names are in checks' evidence.
enum class Fault : uint8_t {
    bad_varint,
    zero_length,
    length_lies,
    bad_deflate,
    below_threshold,
    short_packet,
    trailing_bytes,
    bad_field,
    unknown_packet,
    wrong_state,
    unknown_version,
    frame_too_long,
    inflated_too_long,
    string_too_long,
    nested_too_deep,
    no_proxy_header,
    bad_proxy_header,
    unexpected_proxy_header,
    overpacked,
    count
};

inline constexpr MeaningTable<Fault> fault_meanings = {{
    {Fault::bad_varint, "bad_varint",
     "A number longer than its type allows, or a negative length."},
    {Fault::zero_length, "zero_length", "A frame of no bytes."},
    {Fault::length_lies, "length_lies", "The zlib stream is not of the length that was declared."},
    {Fault::bad_deflate, "bad_deflate", "Not a zlib stream."},
    {Fault::below_threshold, "below_threshold", "Compressed although shorter than the threshold."},
    {Fault::short_packet, "short_packet", "Ends within a field that its layout has."},
    {Fault::trailing_bytes, "trailing_bytes", "Goes on after its layout's last field."},
    {Fault::bad_field, "bad_field", "A field outside what its type allows."},
    {Fault::unknown_packet, "unknown_packet", "No such id in this state and version."},
    {Fault::wrong_state, "wrong_state", "A change of state that the session does not allow."},
    {Fault::unknown_version, "unknown_version", "No table for this protocol number."},
    {Fault::frame_too_long, "frame_too_long",
     "A frame's length over the limit, or its VarInt over 3 bytes."},
    {Fault::inflated_too_long, "inflated_too_long",
     "Declared or real uncompressed size over the limit."},
    {Fault::string_too_long, "string_too_long", "A text over its field's limit."},
    {Fault::nested_too_deep, "nested_too_deep", "NBT or components over the depth limit."},
    {Fault::no_proxy_header, "no_proxy_header",
     "The service is configured for a PROXY header, and none came."},
    {Fault::bad_proxy_header, "bad_proxy_header", "Begins like a PROXY header and is none."},
    {Fault::unexpected_proxy_header, "unexpected_proxy_header",
     "The service is not configured for a PROXY header, and one came."},
    {Fault::overpacked, "overpacked", "Far longer on the wire than what it says it holds."},
}};
static_assert(complete(fault_meanings));
inline constexpr NameTable<Fault> fault_names = names_of(fault_meanings);

struct Malformed {
    Fault fault;
    double observed = 0;       ///< Size or value found, where one tells.
    double limit = 0;          ///< What is allowed.
    bool from_server = false;  ///< Whose packet it was.
};

// ---- from the client -------------------------------------------------------

/// A movement packet; without position and rotation it is the bare tick of
/// clients up to 1.8 ("flying").
struct Move {
    bool has_position = false;
    bool has_rotation = false;
    bool on_ground = false;
    bool against_wall = false;  ///< Horizontal collision; protocol 768 on.
    Position position;          ///< Feet.
    Rotation rotation;
};
/// The client finished a game tick; protocol 768 on.
struct TickEnded {};
struct PlayerInput {
    bool sneak;
};
struct TeleportConfirmed {
    int32_t id;
};
struct Attack {
    EntityId target;
};
struct Interact {
    EntityId target;
    bool at = false;  ///< Carries the point of the target that was hit.
    float x = 0, y = 0, z = 0;
};
struct Swing {
    uint8_t hand = 0;
};
struct Dig {
    enum class Status : uint8_t {
        start,
        cancel,
        finish,
        drop_stack,
        drop_item,
        release_item,
        swap_hands,
        stab
    };
    uint8_t status;  ///< A Status, or a number that no version knows.
    BlockPosition block;
    int8_t face;
    int32_t sequence = 0;
};
struct Place {
    BlockPosition block;  ///< The block clicked, not the one placed.
    int32_t face;
    float cursor_x, cursor_y, cursor_z;
    uint8_t hand = 0;
    int32_t sequence = 0;
};
struct UseItem {
    uint8_t hand = 0;
    int32_t sequence = 0;
};
struct EntityAction {
    enum class Kind : uint8_t {
        start_sneaking,
        stop_sneaking,
        leave_bed,
        start_sprinting,
        stop_sprinting,
        start_horse_jump,
        stop_horse_jump,
        open_inventory,
        start_gliding,
        unknown
    };
    EntityId entity;
    Kind kind;
    int32_t jump_boost;
};
/// The client's own word on flying.
struct FlyingClaimed {
    bool flying;
};
struct SlotSelected {
    int16_t slot;
};
/// Where a client writes; the operator's signatures name these.
enum class TextField : uint8_t {
    chat,
    command,
    tab_complete,
    sign,
    book,
    item_name,
    brand,
    payload,
    name,  ///< Of LoginStart, which is no Text;
    host,  ///< and of Handshake.
    count
};
inline constexpr NameTable<TextField> text_field_names = {
    "chat",      "command", "tab_complete", "sign", "book",
    "item_name", "brand",   "payload",      "name", "host"};
static_assert(complete(text_field_names));

/// A text the client sent.
struct Text {
    TextField field;
    std::string_view text;
};
struct PluginMessage {
    std::string_view channel;
    Bytes data;
};
struct Respawned {};  ///< The client pressed respawn.
struct VehicleMoved {
    Position position;
    Rotation rotation;
};

// ---- both ways: the same id comes back --------------------------------------

struct KeepAliveSent {
    int64_t id;
};  ///< By the server.
struct KeepAliveAnswered {
    int64_t id;
};  ///< By the client.
/// A ping (protocol 755 on) or a refused window transaction (before): FIFO, answered in
/// a tick.
struct PingSent {
    int32_t id;
};
struct PingAnswered {
    int32_t id;
};

// ---- from the server -------------------------------------------------------

/// It named a plugin channel that is none of the game's own: it, or a plugin of it, talks
/// with the mods of its players.  Told once a connection.
struct ServerHasMods {};

enum class GameMode : uint8_t { survival, creative, adventure, spectator, count };
inline constexpr NameTable<GameMode> game_mode_names = {"survival", "creative", "adventure",
                                                        "spectator"};
static_assert(complete(game_mode_names));

/// The play state began (again, behind a proxy): a new world, a new entity id.
struct Joined {
    EntityId self;
    GameMode mode;
};
struct WorldChanged {  ///< "respawn": death, or another dimension.
    GameMode mode;
};
struct GameModeChanged {
    GameMode mode;
};
struct Teleported {
    bool relative_x, relative_y, relative_z, relative_yaw, relative_pitch;
    Position position;
    Rotation rotation;
    bool has_id = false;  ///< Protocol 107 on: the client confirms it.
    int32_t id = 0;
};
/// The server turns his head and leaves his feet; the client answers with a look.
/// Protocol 768 on.
struct RotationSet {
    bool relative_yaw, relative_pitch;
    Rotation rotation;
};
struct Velocity {  ///< Blocks a tick, set (not added).
    EntityId entity;
    double x, y, z;
};
struct Exploded {  ///< Knock-back on this player, added, blocks a tick.
    double x, y, z;
};
/// A fishing rod was drawn in with something on its hook; who hangs on it flies toward
/// the angler, by his own client's doing.  Whom is not told here.
struct Pulled {
    EntityId hook;
};
enum class Effect : uint8_t {
    speed,
    slowness,
    haste,
    mining_fatigue,
    jump_boost,
    blindness,
    levitation,
    slow_falling,
    dolphins_grace,
    other,  ///< None of those: of no consequence here.
    count
};
inline constexpr NameTable<Effect> effect_names = {
    "speed",     "slowness",   "haste",        "fatigue",        "jump_boost",
    "blindness", "levitation", "slow_falling", "dolphins_grace", "other"};
static_assert(complete(effect_names));
struct EffectGiven {
    EntityId entity;
    Effect effect;
    uint8_t amplifier;  ///< Level minus one.
};
struct EffectTaken {
    EntityId entity;
    Effect effect;
};
enum class Attribute : uint8_t {
    movement_speed,
    jump_strength,
    gravity,
    step_height,
    scale,
    safe_fall_distance,
    block_interaction_range,
    entity_interaction_range,
    block_break_speed,
    mining_efficiency,
    sneaking_speed,
    movement_efficiency,
    water_movement_efficiency,
    flying_speed,
    other
};
struct AttributeSet {
    EntityId entity;
    Attribute attribute;
    double value;    ///< Base with all modifiers but the sprint one applied.
    bool sprinting;  ///< The sprint modifier (x1.3) was among them.
};
struct AbilitiesSet {
    bool invulnerable, flying, may_fly, creative;
    float fly_speed;  ///< 0.05 is usual.
    float walk_speed;
};
struct HealthSet {
    float health;
    int32_t food;
};
struct EntitySpawned {
    EntityId entity;
    bool is_player;
    int32_t type;  ///< As the version numbers them; -1 for players of old versions.
    Position position;
};
struct EntityMoved {  ///< Relative.
    EntityId entity;
    double dx, dy, dz;
};
struct EntityPlaced {  ///< Absolute but where it says otherwise (1.21.2 and later).
    EntityId entity;
    Position position;
    bool relative_x = false, relative_y = false, relative_z = false;
};
struct EntityGone {
    EntityId entity;
};
struct Mounted {  ///< Rider on vehicle; vehicle -1: off again.
    EntityId vehicle;
    EntityId rider;
};
struct TickRateSet {
    float rate;  ///< Ticks a second; 20 is usual.
    bool frozen;
};
struct CameraSet {
    EntityId entity;
};
/// Own metadata that changes what movement is possible.
struct PoseSet {
    EntityId entity;
    bool gliding, swimming, spin_attack, sneaking, sprinting;
};
/// The server's clock: vanilla sends one every 20 of its ticks.
struct WorldTime {};

}  // namespace portcullis::protocol
