#pragma once

#include <cstdint>

#include "base/names.h"

/// Events about a source of connections, not about a player: who opens them, and what
/// comes of them before anybody has logged in.
namespace portcullis::protocol {

/// What a source is counted for.
enum class SourceAct : uint8_t {
    syn,         ///< Asked for a connection; anybody can claim to be the source.
    connection,  ///< Opened one: from here on the source is who it says.
    status,      ///< Asked for the server's status, also the old way.
    login,       ///< Began to log in.
    garbage,     ///< Opened one and spoke no Minecraft.
    count
};

/// A source did a thing more often than it may.
struct SourceOverrun {
    SourceAct act{};
    double observed = 0;  ///< How many of them its bucket holds.
    double limit = 0;
    uint8_t bits = 128;  ///< Of the source's prefix, over all 128.
    bool is_v4 = true;
};

/// How far a connection has come.
enum class LoginStage : uint8_t {
    handshake,  ///< Not one whole game packet.
    status,     ///< Asked, or about to.
    login,      ///< On its way in.
    past,       ///< In, or nobody can say.
    count
};
inline constexpr NameTable<LoginStage> login_stage_names = {"handshake", "status", "login", "past"};
static_assert(complete(login_stage_names));

/// A connection is open this long and has come no further.
struct StillThere {
    LoginStage stage{};
    double seconds = 0;
};

}  // namespace portcullis::protocol
