#pragma once

#include <cstdint>

#include "protocol/shadowland/messages.h"
#include "protocol/shadowland/wire.h"

/// What Shadowland's ways of saying things briefly save, message by message, against full
/// floats in packets of their own; and what is wasted where they are not used.
namespace portcullis::stages::bandwidth {

namespace shadow = shadowland;

/// Before every datagram: Ethernet not counted, since it differs from link to link.
inline constexpr size_t ip_and_udp_size = 28;

/// Bytes that quantised fields spare, the byte that says `yaw only` counted in.
constexpr uint32_t quantised_spares(uint8_t fields, bool yaw_only) noexcept {
    const auto has = [&](uint8_t bit) { return (fields & bit) != 0; };
    uint32_t spared = 0;
    if (has(shadow::delta::position)) spared += 4;                  // 12 bytes in 8.
    if (has(shadow::delta::rotation)) spared += yaw_only ? 10 : 6;  // 12 in 2 or 6.
    if (has(shadow::delta::velocity)) spared += 6;                  // 12 in 6.
    return spared > 0 ? spared - 1 : 0;
}

template <class Message>
constexpr uint32_t saved_by(const Message&, size_t) noexcept {
    return 0;
}
constexpr uint32_t saved_by(const shadow::UpdateEntityQuantized& m, size_t) noexcept {
    return quantised_spares(m.fields.delta, m.fields.yaw_only);
}
constexpr uint32_t saved_by(const shadow::SyncEntityQuantized& m, size_t) noexcept {
    return quantised_spares(m.fields.delta, m.fields.yaw_only);
}
/// Against an UpdateEntity with a position for each, all in one bundle.
constexpr uint32_t saved_by(const shadow::DeltaSync& m, size_t size) noexcept {
    constexpr size_t each = 2 + 1 + 2 + 1 + 12;  // Length, type, id, fields, position.
    const size_t plain = each * m.count;
    return plain > size ? static_cast<uint32_t>(plain - size) : 0;
}

template <class Message>
constexpr uint32_t wasted_by(const Message&) noexcept {
    return 0;
}
constexpr uint32_t wasted_by(const shadow::UpdateEntity& m) noexcept {
    return quantised_spares(m.fields.delta, false);
}
constexpr uint32_t wasted_by(const shadow::SyncEntity& m) noexcept {
    return quantised_spares(m.fields.delta, false);
}

}  // namespace portcullis::stages::bandwidth
