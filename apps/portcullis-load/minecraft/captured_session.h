#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

/// Sessions of one Minecraft client each, out of captures, to be played again by others.
namespace portcullis::load {

inline constexpr uint16_t minecraft_port = 25565;

struct CapturedFrame {
    Nanos time;        ///< Since its capture began.
    size_t client_at;  ///< Of the client's address.
    std::string bytes;

    bool to_server() const noexcept;
};
using CapturedSession = std::vector<CapturedFrame>;

/// What is TCP over IPv4 to or from a game server; the rest of the capture is left out.
/// Throws SetupError when it can not be read.
CapturedSession read_session(const std::string& path);

/// The same frame from or to another client, its sums kept right.
void change_client(std::string& frame, size_t client_at, uint32_t address);

}  // namespace portcullis::load
