#pragma once

#include <array>
#include <cstring>

#include "base/bytes.h"
#include "protocol/event.h"
#include "protocol/minecraft/frame.h"
#include "protocol/minecraft/session.h"
#include "protocol/minecraft/tables.h"
#include "protocol/minecraft/values.h"
#include "protocol/minecraft/walk.h"

/// What both directions' translators of fields into Events share.
namespace portcullis::minecraft {

/// Tells the event if the Listener has an `on` for it.
template <class Listener, class Event>
void tell(Listener& listener, const Event& event) noexcept {
    if constexpr (requires { listener.on(event); }) listener.on(event);
}

/// A text of bounded length that is put together for one event.
using TextRoom = std::array<std::byte, 1024>;

/// For packets that hold no arrays an event is made from.
struct NoSink {
    static constexpr bool hears_values = false;
    bool member(const Op&) noexcept { return true; }
};

inline const Program& program_of(const Frame& frame) noexcept { return *frame.program; }

inline protocol::Position position_in(const Values& v) noexcept {
    return {v.real(Slot::x), v.real(Slot::y), v.real(Slot::z)};
}
inline protocol::Rotation rotation_in(const Values& v) noexcept {
    return {v.f32(Slot::yaw), v.f32(Slot::pitch)};
}
/// A block position, also of versions that send three numbers.
inline protocol::BlockPosition block_in(const Values& v) noexcept {
    if (v.has(Slot::location)) return v.block(Slot::location);
    return {v.i32(Slot::location_x), v.i32(Slot::location_y), v.i32(Slot::location_z)};
}
inline protocol::Uuid uuid_in(Bytes bytes) noexcept {
    protocol::Uuid uuid{};
    if (bytes.size() == uuid.size()) std::memcpy(uuid.data(), bytes.data(), uuid.size());
    return uuid;
}
/// "069a79f4-44e9-4726-a5be-fca90e38aaf5", with or without dashes.
protocol::Uuid uuid_in_text(std::string_view text) noexcept;

}  // namespace portcullis::minecraft
