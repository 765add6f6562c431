#pragma once

#include <cstdint>

#include "base/names.h"

namespace portcullis::load {

/// What a dishonest player does, by the name of the check that finds it.
enum class Attack : uint8_t {
    none,
    action_cooldown,
    action_range,
    action_state,
    aoi_leak,
    compression_bomb,
    compression_malformed,
    cookie_expired,
    cookie_forged,
    crc_bad,
    crypto_downgrade,
    crypto_forged,
    fragments_flood,
    fragments_invalid,
    fragments_overlap,
    fragments_timeout,
    handshake_flood,
    header_invalid,
    heartbeat_forged,
    heartbeat_missing,
    integrity_failed,
    message_direction,
    message_malformed,
    movement_clip,
    movement_fly,
    movement_speed,
    movement_teleport,
    movement_timer,
    rate_flood,
    rekey_invalid,
    reliable_abuse,
    replay_window,
    session_hijack,
    state_forged,
    world_origin,
    count
};
inline constexpr NameTable<Attack> attack_names = {
    "none",
    "action.cooldown",
    "action.range",
    "action.state",
    "aoi.leak",
    "compression.bomb",
    "compression.malformed",
    "cookie.expired",
    "cookie.forged",
    "crc.bad",
    "crypto.downgrade",
    "crypto.forged",
    "fragments.flood",
    "fragments.invalid",
    "fragments.overlap",
    "fragments.timeout",
    "handshake.flood",
    "header.invalid",
    "heartbeat.forged",
    "heartbeat.missing",
    "integrity.failed",
    "message.direction",
    "message.malformed",
    "movement.clip",
    "movement.fly",
    "movement.speed",
    "movement.teleport",
    "movement.timer",
    "rate.flood",
    "rekey.invalid",
    "reliable.abuse",
    "replay.window",
    "session.hijack",
    "state.forged",
    "world.origin",
};
static_assert(complete(attack_names));

}  // namespace portcullis::load
