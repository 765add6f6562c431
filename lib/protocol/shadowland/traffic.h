#pragma once

#include <array>
#include <cstdint>

#include "base/names.h"
#include "protocol/shadowland/wire.h"

/// What is counted of the traffic that goes by, each under one name.
namespace portcullis::shadowland {

/// What became of a datagram of a session, or that one never came.
enum class DatagramFate : uint8_t {
    arrived,
    lost,    ///< Its sequence never came before the window left it behind.
    resent,  ///< Reliable, and seen before.
    twice,   ///< Unreliable, and seen before.
    count
};
inline constexpr NameTable<DatagramFate> datagram_fate_names = {"arrived", "lost", "resent",
                                                                "twice"};
static_assert(complete(datagram_fate_names));

/// What became of a Connect.
enum class ConnectFate : uint8_t {
    passed,       ///< Without a cookie, to the server.
    flooded,      ///< The same, above the limit: nobody could answer for the server.
    answered,     ///< Above the limit: got its cookie from us.
    over_source,  ///< One too many of its address.
    cookie_good,
    cookie_unjudged,  ///< No secret to judge it by.
    cookie_forged,
    cookie_expired,
    count
};
inline constexpr NameTable<ConnectFate> connect_fate_names = {
    "passed",      "flooded",         "answered",      "over_source",
    "cookie_good", "cookie_unjudged", "cookie_forged", "cookie_expired",
};
static_assert(complete(connect_fate_names));

/// How often a server tells a client of an entity, against what its rates say.
enum class SyncPace : uint8_t {
    moving,      ///< The entity moved since the update before.
    stationary,  ///< It did not.
    distant,     ///< Moved, beyond half its type's distance.
    excess,      ///< More than the tick rate and a tenth within a second.
    count
};
inline constexpr NameTable<SyncPace> sync_pace_names = {"moving", "stationary", "distant",
                                                        "excess"};
static_assert(complete(sync_pace_names));

/// Every message by its name, control and game together, for what is counted by type:
/// those of one name do the same job.
enum class MessageKind : uint8_t {
    connect,
    cookie,
    connection_accepted,
    connection_denied,
    ping,
    pong,
    disconnect,
    ack,
    fragment,
    reliable_handshake,
    crypto_test,
    crypto_test_ack,
    check_integrity,
    rekey_request,
    rekey_response,
    nop,  ///< And what nobody knows.
    benchmark,
    create_entity,
    update_entity,
    remove_entity,
    update_entity_quantized,
    delta_sync,
    action_result,
    sync_entity,
    sync_entity_quantized,
    enter_to_world,
    action_request,
    sealed,  ///< In a packet that nobody opened for us.
    count
};
inline constexpr NameTable<MessageKind> message_kind_names = {
    "Connect",
    "Cookie",
    "ConnectionAccepted",
    "ConnectionDenied",
    "Ping",
    "Pong",
    "Disconnect",
    "Ack",
    "Fragment",
    "ReliableHandshake",
    "CryptoTest",
    "CryptoTestAck",
    "CheckIntegrity",
    "RekeyRequest",
    "RekeyResponse",
    "Nop",
    "Benchmark",
    "CreateEntity",
    "UpdateEntity",
    "RemoveEntity",
    "UpdateEntityQuantized",
    "DeltaSync",
    "ActionResult",
    "SyncEntity",
    "SyncEntityQuantized",
    "EnterToWorld",
    "ActionRequest",
    "Sealed",
};
static_assert(complete(message_kind_names));

/// By the number on the wire; `nop` for what nobody knows.
constexpr MessageKind kind_of_control(uint8_t type) noexcept {
    constexpr auto known = static_cast<uint8_t>(ControlType::count);
    static_assert(static_cast<uint8_t>(MessageKind::connect) == 0 &&
                      static_cast<uint8_t>(MessageKind::rekey_response) + 1 == known,
                  "control messages come first, numbered as on the wire");
    return type < known ? static_cast<MessageKind>(type) : MessageKind::nop;
}
constexpr MessageKind kind_of_game(uint8_t type, bool to_server) noexcept {
    using enum MessageKind;
    constexpr std::array server = {
        benchmark,     create_entity, update_entity, remove_entity, update_entity_quantized,
        rekey_request, delta_sync,    action_result};
    constexpr std::array client = {sync_entity,    sync_entity_quantized, pong,
                                   enter_to_world, rekey_response,        action_request};
    static_assert(server.size() == static_cast<size_t>(ServerType::count));
    static_assert(client.size() == static_cast<size_t>(ClientType::count));
    if (to_server) return type < client.size() ? client[type] : nop;
    return type < server.size() ? server[type] : nop;
}

/// The kind of a message struct, by its name.
template <class Message>
consteval MessageKind kind_of() {
    for (size_t i = 0; i < message_kind_names.size(); ++i) {
        if (message_kind_names[i] == Message::name) return static_cast<MessageKind>(i);
    }
    throw "the message has no MessageKind";  // setup: nothing runs
}

}  // namespace portcullis::shadowland
