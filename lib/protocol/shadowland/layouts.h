#pragma once

#include "protocol/shadowland/messages.h"

/// The order of every message's fields, once for reading, writing and telling.
/// A new field is one line here.
namespace portcullis::shadowland {

inline constexpr size_t token_size = 16;
inline constexpr size_t crypto_test_size = 16;
inline constexpr uint32_t symbol_size_max = 255;
inline constexpr uint32_t symbols_max = 1'024;
inline constexpr uint8_t entity_type_max = 8;

template <class W>
void walk(W& w, Connect& m, Direction) noexcept {
    w.u16("version", m.version);
    w.bits("options", 3, m.options);
    w.u32("build", m.build);
    w.bytes("public_key", key_size, m.public_key);
    w.bits("has_cookie", 1, m.has_cookie);
    w.bytes("cookie", cookie_size, m.cookie);
}
template <class W>
void walk(W& w, Cookie& m, Direction) noexcept {
    w.bytes("cookie", cookie_size, m.cookie);
}
template <class W>
void walk(W& w, ConnectionAccepted& m, Direction) noexcept {
    w.bits("mode", 1, m.mode);
    w.bits("options", 3, m.options);
    w.bytes("public_key", key_size, m.public_key);
    w.u8("tick_rate", m.tick_rate);
    w.u16("heartbeat_interval", m.heartbeat_interval_ms);
    w.u16("heartbeat_timeout", m.heartbeat_timeout_ms);
    w.u64("server_time", m.server_time_ms);
}
template <class W>
void walk(W& w, ConnectionDenied& m, Direction) noexcept {
    w.u8("reason", m.reason);
    w.u16("retry_after", m.retry_after_s);
}
template <class W>
void walk(W& w, Ping& m, Direction) noexcept {
    w.u16("ping_id", m.ping_id);
    w.u64("send_time", m.send_time_ms);
}
template <class W>
void walk(W& w, Pong& m, Direction) noexcept {
    w.u16("ping_id", m.ping_id);
    w.u64("send_time", m.send_time_ms);
    w.u16("hold", m.hold_ms);
}
template <class W>
void walk(W& w, Disconnect& m, Direction) noexcept {
    w.u8("reason", m.reason);
    uint8_t size = static_cast<uint8_t>(m.text.size());
    w.u8({}, size);
    w.expect(size <= Disconnect::text_size_max);
    w.text("text", size, m.text);
}
template <class W>
void walk(W& w, Ack& m, Direction) noexcept {
    w.u8("ack_channel", m.channel);
    w.expect(m.channel == 1 || m.channel == 2);
    w.u8({}, m.count);
    w.expect(m.count >= 1 && m.count <= Ack::sequences_max);
    w.sequences("sequences", m);
}
template <class W>
void walk(W& w, Fragment& m, Direction direction) noexcept {
    w.u16("fragment_id", m.fragment_id);
    w.u16("offset", m.offset);
    w.u32("total_size", m.total_size);
    w.rest("data", m.data);
    const size_t at = size_t{m.offset} * fragment_unit;
    const size_t total_max = large_payload_max[index_of(direction)];
    w.expect(m.total_size > fragment_data_size && m.total_size <= total_max, Error::fragment_total);
    w.expect(at % fragment_data_size == 0 && at < m.total_size, Error::fragment_offset);
    w.expect(m.data.size() ==
                 (m.total_size - at < fragment_data_size ? m.total_size - at : fragment_data_size),
             Error::fragment_size);
}
template <class W>
void walk(W& w, ReliableHandshake& m, Direction direction) noexcept {
    w.u8("step", m.step);
    w.expect(m.step == (direction == Direction::to_server ? 0 : 1));
    w.u8("window", m.window);
    w.expect(m.window == ReliableHandshake::window_only);
}
template <class W>
void walk(W& w, CryptoTest& m, Direction) noexcept {
    w.bytes("data", crypto_test_size, m.data);
}
template <class W>
void walk(W& w, CryptoTestAck& m, Direction) noexcept {
    w.bytes("data", crypto_test_size, m.data);
}
template <class W>
void walk(W& w, CheckIntegrity& m, Direction direction) noexcept {
    w.u8("phase", m.phase);
    w.expect(m.phase == (direction == Direction::to_server ? 1 : 0), Error::direction);
    w.u16("challenge_id", m.challenge_id);
    w.u16("index", m.index);
    w.expect(m.index <= CheckIntegrity::index_max);
    if (m.phase == 1) w.bytes("key", CheckIntegrity::key_size, m.key);
}
template <class W>
void walk(W& w, RekeyRequest& m, Direction) noexcept {
    w.u32("epoch", m.epoch);
    w.bytes("public_key", key_size, m.public_key);
}
template <class W>
void walk(W& w, RekeyResponse& m, Direction) noexcept {
    w.u32("epoch", m.epoch);
    w.bytes("public_key", key_size, m.public_key);
}

template <class W>
void walk_symbol(W& w, Symbol& s) noexcept {
    w.natural("name_id", s.id);
    w.expect(s.id <= symbols_max);
    if (s.id != 0) return;
    uint32_t size = static_cast<uint32_t>(s.text.size());
    w.natural({}, size);
    w.expect(size >= 1 && size <= symbol_size_max);
    w.text("name", size, s.text);
}
template <class W>
void walk_flags(W& w, Flags& f, Direction direction) noexcept {
    w.u8("state", f.state);
    w.expect((f.state & ~state::all) == 0);
    if (direction == Direction::to_server) return;
    w.u8("buffs", f.buffs);
    w.expect((f.buffs & ~buff::all) == 0);
    w.u8("hp", f.hp);
    w.u8("mana", f.mana);
}
template <class W>
void walk_delta(W& w, uint8_t& delta) noexcept {
    w.u8("delta", delta);
    w.expect(delta != 0 && (delta & ~delta::all) == 0);
}
template <class W>
void walk_fields(W& w, FullFields& f, Direction direction) noexcept {
    walk_delta(w, f.delta);
    if (f.has(delta::position)) w.vec("position", f.position);
    if (f.has(delta::rotation)) w.vec("rotation", f.rotation);
    if (f.has(delta::anim)) w.u8("anim", f.anim);
    if (f.has(delta::flags)) walk_flags(w, f.flags, direction);
    if (f.has(delta::velocity)) w.vec("velocity", f.velocity);
}
template <class W>
void walk_fields(W& w, QuantisedFields& f, Direction direction) noexcept {
    walk_delta(w, f.delta);
    w.boolean("yaw_only", f.yaw_only);
    if (f.has(delta::position)) {
        w.u16("quadrant", f.quadrant);
        w.qvec("position", f.position);
    }
    if (f.has(delta::rotation)) w.qrot("rotation", f.yaw_only, f.rotation);
    if (f.has(delta::anim)) w.u8("anim", f.anim);
    if (f.has(delta::flags)) walk_flags(w, f.flags, direction);
    if (f.has(delta::velocity)) w.qvec("velocity", f.velocity);
}

template <class W>
void walk(W& w, Nop& m, Direction) noexcept {
    w.rest("data", m.data);
}
template <class W>
void walk(W& w, Benchmark& m, Direction) noexcept {
    w.u32("benchmark_id", m.benchmark_id);
    uint32_t size = static_cast<uint32_t>(m.data.size());
    w.natural({}, size);
    w.blob("data", size, m.data);
}
template <class W>
void walk(W& w, CreateEntity& m, Direction direction) noexcept {
    w.entity("entity_id", m.entity);
    w.u8("entity_type", m.type);
    w.expect(m.type <= entity_type_max);
    w.bits({}, 4, m.bits);
    w.told("self", m.self());
    const bool yaw_only = (m.bits & CreateEntity::is_yaw_only) != 0;
    w.told("yaw_only", yaw_only);
    walk_symbol(w, m.symbol);
    if (m.self()) w.u16("map_id", m.map);
    w.vec("position", m.position);
    w.qrot("rotation", yaw_only, m.rotation);
    if ((m.bits & CreateEntity::has_velocity) != 0) w.qvec("velocity", m.velocity);
    w.u8("anim", m.anim);
    walk_flags(w, m.flags, direction);
    w.u8("faction", m.faction);
    if ((m.bits & CreateEntity::has_owner) != 0) w.entity("owner", m.owner);
}
template <class W>
void walk(W& w, UpdateEntity& m, Direction direction) noexcept {
    w.entity("entity_id", m.entity);
    walk_fields(w, m.fields, direction);
}
template <class W>
void walk(W& w, RemoveEntity& m, Direction) noexcept {
    w.entity("entity_id", m.entity);
    w.u8("reason", m.reason);
    w.expect(m.reason <= 2);
}
template <class W>
void walk(W& w, UpdateEntityQuantized& m, Direction direction) noexcept {
    w.entity("entity_id", m.entity);
    walk_fields(w, m.fields, direction);
}
template <class W>
void walk(W& w, DeltaSync& m, Direction) noexcept {
    w.natural({}, m.count);
    w.expect(m.count >= 1 && m.count <= DeltaSync::entities_max);
    w.entities("entities", m);
}
template <class W>
void walk(W& w, ActionResult& m, Direction) noexcept {
    w.u16("request_id", m.request_id);
    w.entity("source", m.source);
    w.natural("action", m.action);
    w.u8("result", m.result);
    w.expect(m.result <= ActionResult::result_max);
    w.u16("cooldown", m.cooldown_ms);
    w.bits({}, 1, m.bits);
    if (m.bits == 0) return;
    w.entity("target", m.target);
    w.u8("target_hp", m.target_hp);
}
template <class W>
void walk(W& w, SyncEntity& m, Direction direction) noexcept {
    w.u32("client_time", m.client_time_ms);
    walk_fields(w, m.fields, direction);
}
template <class W>
void walk(W& w, SyncEntityQuantized& m, Direction direction) noexcept {
    w.u32("client_time", m.client_time_ms);
    walk_fields(w, m.fields, direction);
}
template <class W>
void walk(W& w, EnterToWorld& m, Direction) noexcept {
    walk_symbol(w, m.symbol);
    w.bytes("token", token_size, m.token);
    w.u16("map_id", m.map);
}
template <class W>
void walk(W& w, ActionRequest& m, Direction) noexcept {
    w.u16("request_id", m.request_id);
    w.u32("client_time", m.client_time_ms);
    w.natural("action", m.action);
    w.bits({}, 2, m.bits);
    if ((m.bits & ActionRequest::has_target) != 0) w.entity("target", m.target);
    if ((m.bits & ActionRequest::has_point) == 0) return;
    w.u16("quadrant", m.quadrant);
    w.qvec("point", m.point);
}

}  // namespace portcullis::shadowland
