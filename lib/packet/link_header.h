#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace portcullis {

inline constexpr size_t ethernet_size = 14;
inline constexpr size_t vlan_tag_size = 4;
inline constexpr size_t vlan_tags_max = 3;

namespace ether_type {
inline constexpr uint16_t ipv4 = 0x0800;
inline constexpr uint16_t ipv6 = 0x86dd;
}  // namespace ether_type

/// EtherTypes of VLAN tags: 802.1Q, 802.1ad, and what came before that.
inline constexpr std::array<uint16_t, 3> vlan_types = {0x8100, 0x88a8, 0x9100};

/// What stands before the EtherType of a frame: addresses and VLAN tags.  Small,
/// since each Flow keeps two.
struct LinkHeader {
    std::array<uint8_t, 12> addresses{};  ///< Destination, then source.
    std::array<std::array<uint8_t, 2>, vlan_tags_max> tag_controls{};  ///< TCI, as on the wire.
    uint8_t tag_count : 2 = 0;
    uint8_t tag_types : 6 = 0;  ///< Two bits a tag: its place in vlan_types.

    /// From a frame that has `tags` of them.
    static LinkHeader read(Bytes frame, uint8_t tags) noexcept;
    /// Writes it with the EtherType behind; returns how far.
    size_t write(std::byte* out, uint16_t ether_type) const noexcept;
    size_t size() const noexcept { return ethernet_size + tag_count * vlan_tag_size; }
    /// The best guess for the other direction: addresses exchanged, same tags.
    LinkHeader reversed() const noexcept;
};
static_assert(sizeof(LinkHeader) == 19);

}  // namespace portcullis
