#pragma once

#include <cstdint>

#include "protocol/shadowland/header.h"
#include "protocol/shadowland/walks.h"

/// What an opened payload holds, told message by message.
///
/// The listener overloads `on(const Message&)` for each message, `on_broken(Error)`
/// for one that fails inside a bundle or queue, and `on_form(Form)` before them.  One that
/// has `at(Bytes)` learns where each message stands, its type first, before it is told.
/// The returned Error is that of the whole packet; what was told before it was
/// found is still true of the bytes, but a receiver drops it all.
namespace portcullis::shadowland {

enum class Form : uint8_t { single, bundle, queue, count };
inline constexpr NameTable<Form> form_names = {"single", "bundle", "queue"};
static_assert(complete(form_names));

inline constexpr size_t queue_marker_size = 4;

/// What a control packet's type says about its packet, or that there is no such type.
Error control_fits(const Header& header, uint8_t type, Direction direction) noexcept;

/// Where the first message of a bundle or queue ends; the cursor of `cut`.
struct Cut {
    Bytes message;
    Bytes rest;
    Error error = Error::none;
};
Cut cut_bundle(Bytes rest) noexcept;
Cut cut_queue(Bytes rest) noexcept;

/// Whether the whole of a bundle or queue can be cut into 1 to 64 messages.
Error cuts_whole(Form form, Bytes rest) noexcept;

constexpr Form form_of(uint8_t type) noexcept {
    if (type == payload_type::bundle) return Form::bundle;
    return type == payload_type::queue ? Form::queue : Form::single;
}

/// Undoes the compression of `payload` into `out`.
struct Decompressed {
    Bytes payload;
    Error error = Error::none;
};
Decompressed decompress(Bytes payload, Direction direction, MutableBytes out) noexcept;

namespace detail {

template <class M, class Listener>
Error tell(Bytes body, Direction direction, Listener& listener) noexcept {
    M message;
    const Error error = read_body(body, direction, message);
    if (error == Error::none) listener.on(message);
    return error;
}

template <class Listener>
Error tell_server(uint8_t type, Bytes body, Listener& listener) noexcept {
    constexpr Direction d = Direction::to_client;
    switch (static_cast<ServerType>(type)) {
        case ServerType::benchmark:
            return tell<Benchmark>(body, d, listener);
        case ServerType::create_entity:
            return tell<CreateEntity>(body, d, listener);
        case ServerType::update_entity:
            return tell<UpdateEntity>(body, d, listener);
        case ServerType::remove_entity:
            return tell<RemoveEntity>(body, d, listener);
        case ServerType::update_entity_quantized:
            return tell<UpdateEntityQuantized>(body, d, listener);
        case ServerType::rekey_request:
            return tell<RekeyRequest>(body, d, listener);
        case ServerType::delta_sync:
            return tell<DeltaSync>(body, d, listener);
        case ServerType::action_result:
            return tell<ActionResult>(body, d, listener);
        case ServerType::count:
            break;
    }
    return Error::type;
}

template <class Listener>
Error tell_client(uint8_t type, Bytes body, Listener& listener) noexcept {
    constexpr Direction d = Direction::to_server;
    switch (static_cast<ClientType>(type)) {
        case ClientType::sync_entity:
            return tell<SyncEntity>(body, d, listener);
        case ClientType::sync_entity_quantized:
            return tell<SyncEntityQuantized>(body, d, listener);
        case ClientType::pong:
            return tell<Pong>(body, d, listener);
        case ClientType::enter_to_world:
            return tell<EnterToWorld>(body, d, listener);
        case ClientType::rekey_response:
            return tell<RekeyResponse>(body, d, listener);
        case ClientType::action_request:
            return tell<ActionRequest>(body, d, listener);
        case ClientType::count:
            break;
    }
    return Error::type;
}

template <class Listener>
void point_at(Bytes message, Listener& listener) noexcept {
    if constexpr (requires { listener.at(message); }) listener.at(message);
}

template <class Listener>
Error tell_message(Bytes message, Direction direction, Listener& listener) noexcept {
    if (message.empty()) return Error::truncated;
    point_at(message, listener);
    const auto type = static_cast<uint8_t>(message[0]);
    const Bytes body = message.subspan(1);
    if (type == payload_type::nop) return tell<Nop>(body, direction, listener);
    return direction == Direction::to_client ? tell_server(type, body, listener)
                                             : tell_client(type, body, listener);
}

}  // namespace detail

/// Reads a control packet's payload.
template <class Listener>
Error read_control(const Header& header, Bytes payload, Direction direction,
                   Listener& listener) noexcept {
    if (payload.empty()) return Error::truncated;
    detail::point_at(payload, listener);
    const auto type = static_cast<uint8_t>(payload[0]);
    if (const Error error = control_fits(header, type, direction); error != Error::none) {
        return error;
    }
    const Bytes body = payload.subspan(1);
    using detail::tell;
    switch (static_cast<ControlType>(type)) {
        case ControlType::connect:
            return tell<Connect>(body, direction, listener);
        case ControlType::cookie:
            return tell<Cookie>(body, direction, listener);
        case ControlType::connection_accepted:
            return tell<ConnectionAccepted>(body, direction, listener);
        case ControlType::connection_denied:
            return tell<ConnectionDenied>(body, direction, listener);
        case ControlType::ping:
            return tell<Ping>(body, direction, listener);
        case ControlType::pong:
            return tell<Pong>(body, direction, listener);
        case ControlType::disconnect:
            return tell<Disconnect>(body, direction, listener);
        case ControlType::ack:
            return tell<Ack>(body, direction, listener);
        case ControlType::fragment:
            return tell<Fragment>(body, direction, listener);
        case ControlType::reliable_handshake:
            return tell<ReliableHandshake>(body, direction, listener);
        case ControlType::crypto_test:
            return tell<CryptoTest>(body, direction, listener);
        case ControlType::crypto_test_ack:
            return tell<CryptoTestAck>(body, direction, listener);
        case ControlType::check_integrity:
            return tell<CheckIntegrity>(body, direction, listener);
        case ControlType::rekey_request:
            return tell<RekeyRequest>(body, direction, listener);
        case ControlType::rekey_response:
            return tell<RekeyResponse>(body, direction, listener);
        case ControlType::count:
            break;
    }
    return Error::type;
}

/// Reads a game payload that is not, or no longer, compressed.
template <class Listener>
Error read_game(Bytes payload, Direction direction, Listener& listener) noexcept {
    if (payload.empty()) return Error::truncated;
    const Form form = form_of(static_cast<uint8_t>(payload[0]));
    if (form == Form::single) {
        listener.on_form(form);
        return detail::tell_message(payload, direction, listener);
    }
    Bytes rest = payload.subspan(1);
    // A receiver drops a packet that does not cut, so nothing of it may be told.
    if (const Error error = cuts_whole(form, rest); error != Error::none) return error;
    listener.on_form(form);
    while (!rest.empty()) {
        const Cut cut = form == Form::bundle ? cut_bundle(rest) : cut_queue(rest);
        const Error error = detail::tell_message(cut.message, direction, listener);
        if (error != Error::none) listener.on_broken(error);
        rest = cut.rest;
    }
    return Error::none;
}

}  // namespace portcullis::shadowland
