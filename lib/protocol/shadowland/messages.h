#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "protocol/shadowland/body_reader.h"
#include "protocol/shadowland/wire.h"

/// Everything that the two sides say to each other, as values.  Bytes and texts
/// are views into the payload, there only while the message is told.
///
/// Each message has one `walk`: its fields in the order of the wire.  The walker
/// that is given reads them (ReadWalk), writes them (WriteWalk) or tells them to
/// a FieldVisitor (TellWalk); so the three can not differ.
namespace portcullis::shadowland {

using Triple = std::array<float, 3>;
using Quantised = std::array<int16_t, 3>;

// Control packets.

struct Connect {
    static constexpr std::string_view name = "Connect";
    uint16_t version = 1;
    uint8_t options = 0;
    uint32_t build = 0;
    Bytes public_key;
    uint8_t has_cookie = 0;
    Bytes cookie;
};
struct Cookie {
    static constexpr std::string_view name = "Cookie";
    Bytes cookie;
};
struct ConnectionAccepted {
    static constexpr std::string_view name = "ConnectionAccepted";
    uint8_t mode = 0;  ///< 1: encrypted.
    uint8_t options = 0;
    Bytes public_key;
    uint8_t tick_rate = 0;
    uint16_t heartbeat_interval_ms = 0;
    uint16_t heartbeat_timeout_ms = 0;
    uint64_t server_time_ms = 0;
};
struct ConnectionDenied {
    static constexpr std::string_view name = "ConnectionDenied";
    uint8_t reason = 0;
    uint16_t retry_after_s = 0;
};
struct Ping {
    static constexpr std::string_view name = "Ping";
    uint16_t ping_id = 0;
    uint64_t send_time_ms = 0;
};
struct Pong {
    static constexpr std::string_view name = "Pong";
    uint16_t ping_id = 0;
    uint64_t send_time_ms = 0;
    uint16_t hold_ms = 0;
};
/// What the wire document calls a Disconnect's Reason.
enum class DisconnectReason : uint8_t {
    quit,
    shutdown,
    heartbeat_timeout,
    replaced,
    reliable_timeout,
    protocol_error,
    integrity,
    kicked,
};
struct Disconnect {
    static constexpr std::string_view name = "Disconnect";
    static constexpr size_t text_size_max = 64;
    uint8_t reason = 0;
    std::string_view text;
};
struct Ack {
    static constexpr std::string_view name = "Ack";
    static constexpr uint8_t sequences_max = 64;
    uint8_t channel = 0;
    uint8_t count = 0;
    Bytes raw;  ///< 8 bytes each.
    uint64_t operator[](size_t i) const noexcept;
};
struct Fragment {
    static constexpr std::string_view name = "Fragment";
    uint16_t fragment_id = 0;
    uint16_t offset = 0;  ///< In units of 8 bytes.
    uint32_t total_size = 0;
    Bytes data;
};
struct ReliableHandshake {
    static constexpr std::string_view name = "ReliableHandshake";
    static constexpr uint8_t window_only = 64;
    uint8_t step = 0;
    uint8_t window = window_only;
};
struct CryptoTest {
    static constexpr std::string_view name = "CryptoTest";
    Bytes data;
};
struct CryptoTestAck {
    static constexpr std::string_view name = "CryptoTestAck";
    Bytes data;
};
struct CheckIntegrity {
    static constexpr std::string_view name = "CheckIntegrity";
    static constexpr size_t key_size = 16;
    static constexpr uint16_t index_max = 1023;
    uint8_t phase = 0;
    uint16_t challenge_id = 0;
    uint16_t index = 0;
    Bytes key;
};
struct RekeyRequest {
    static constexpr std::string_view name = "RekeyRequest";
    uint32_t epoch = 0;
    Bytes public_key;
};
struct RekeyResponse {
    static constexpr std::string_view name = "RekeyResponse";
    uint32_t epoch = 0;
    Bytes public_key;
};

// What both sides' game messages bring of an entity.

struct Symbol {
    uint32_t id = 0;  ///< 0: `text` is new and takes the next id.
    std::string_view text;
};
struct Flags {
    uint8_t state = 0;
    uint8_t buffs = 0, hp = 0, mana = 0;  ///< Only a server says these.
};
struct FullFields {
    uint8_t delta = 0;
    Triple position{}, rotation{}, velocity{};
    uint8_t anim = 0;
    Flags flags;
    bool has(uint8_t bit) const noexcept { return (delta & bit) != 0; }
};
struct QuantisedFields {
    uint8_t delta = 0;
    bool yaw_only = false;
    uint16_t quadrant = 0;
    Quantised position{}, rotation{}, velocity{};  ///< A yaw alone is rotation[1].
    uint8_t anim = 0;
    Flags flags;
    bool has(uint8_t bit) const noexcept { return (delta & bit) != 0; }
};

// Game messages of either side.

struct Nop {
    static constexpr std::string_view name = "Nop";
    Bytes data;
};

// Of the server.

struct Benchmark {
    static constexpr std::string_view name = "Benchmark";
    uint32_t benchmark_id = 0;
    Bytes data;
};
struct CreateEntity {
    static constexpr std::string_view name = "CreateEntity";
    static constexpr uint8_t is_self = 1, is_yaw_only = 2, has_velocity = 4, has_owner = 8;
    uint32_t entity = 0;
    uint8_t type = 0;
    uint8_t bits = 0;
    Symbol symbol;
    uint16_t map = 0;
    Triple position{};
    Quantised rotation{}, velocity{};
    uint8_t anim = 0;
    Flags flags;
    uint8_t faction = 0;
    uint32_t owner = 0;
    bool self() const noexcept { return (bits & is_self) != 0; }
};
struct UpdateEntity {
    static constexpr std::string_view name = "UpdateEntity";
    uint32_t entity = 0;
    FullFields fields;
};
struct RemoveEntity {
    static constexpr std::string_view name = "RemoveEntity";
    uint32_t entity = 0;
    uint8_t reason = 0;
};
struct UpdateEntityQuantized {
    static constexpr std::string_view name = "UpdateEntityQuantized";
    uint32_t entity = 0;
    QuantisedFields fields;
};
struct DeltaSync {
    static constexpr std::string_view name = "DeltaSync";
    static constexpr uint32_t entities_max = 255;
    struct Entity {
        uint32_t entity = 0;
        uint8_t bits = 0;  ///< 1: dz stands there; 2: yaw.
        int32_t dx = 0, dy = 0, dz = 0;
        int16_t yaw = 0;
    };
    uint32_t count = 0;
    Bytes raw;

    /// Calls `each(const Entity&)`; only of a message that was read without error.
    template <class Each>
    void for_each(Each&& each) const noexcept {
        BodyReader in(raw);
        uint32_t last = 0;
        for (uint32_t i = 0; i < count; ++i) {
            const Entity entity = read_entity(in, last);
            last = entity.entity;
            each(entity);
        }
    }
    static Entity read_entity(BodyReader& in, uint32_t last) noexcept;
};
struct ActionResult {
    static constexpr std::string_view name = "ActionResult";
    static constexpr uint8_t result_max = 6;
    uint16_t request_id = 0;
    uint32_t source = 0;
    uint32_t action = 0;
    uint8_t result = 0;
    uint16_t cooldown_ms = 0;
    uint8_t bits = 0;  ///< 1: a target.
    uint32_t target = 0;
    uint8_t target_hp = 0;
};

// Of the client.

struct SyncEntity {
    static constexpr std::string_view name = "SyncEntity";
    uint32_t client_time_ms = 0;
    FullFields fields;
};
struct SyncEntityQuantized {
    static constexpr std::string_view name = "SyncEntityQuantized";
    uint32_t client_time_ms = 0;
    QuantisedFields fields;
};
struct EnterToWorld {
    static constexpr std::string_view name = "EnterToWorld";
    Symbol symbol;
    Bytes token;
    uint16_t map = 0;
};
struct ActionRequest {
    static constexpr std::string_view name = "ActionRequest";
    static constexpr uint8_t has_target = 1, has_point = 2;
    uint16_t request_id = 0;
    uint32_t client_time_ms = 0;
    uint32_t action = 0;
    uint8_t bits = 0;
    uint32_t target = 0;
    uint16_t quadrant = 0;
    Quantised point{};
};

/// Every message's name, and what a datagram is called that was not read.
inline constexpr std::array message_names = {
    Connect::name,
    Cookie::name,
    ConnectionAccepted::name,
    ConnectionDenied::name,
    Ping::name,
    Pong::name,
    Disconnect::name,
    Ack::name,
    Fragment::name,
    ReliableHandshake::name,
    CryptoTest::name,
    CryptoTestAck::name,
    CheckIntegrity::name,
    RekeyRequest::name,
    RekeyResponse::name,
    Nop::name,
    Benchmark::name,
    CreateEntity::name,
    UpdateEntity::name,
    RemoveEntity::name,
    UpdateEntityQuantized::name,
    DeltaSync::name,
    ActionResult::name,
    SyncEntity::name,
    SyncEntityQuantized::name,
    EnterToWorld::name,
    ActionRequest::name,
    std::string_view("Sealed"),
    std::string_view("Broken"),
};

}  // namespace portcullis::shadowland
