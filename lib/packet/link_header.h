#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace portcullis {

inline constexpr size_t ethernet_size = 14;
inline constexpr size_t vlan_tag_size = 4;
inline constexpr size_t vlan_tags_max = 3;

/// What stands before the EtherType of a frame: addresses and VLAN tags, as on
/// the wire.
struct LinkHeader {
    std::array<uint8_t, 12> addresses{};  ///< Destination, then source.
    std::array<std::array<uint8_t, vlan_tag_size>, vlan_tags_max> tags{};  ///< TPID, TCI.
    uint8_t tag_count = 0;

    size_t size() const noexcept { return ethernet_size + tag_count * vlan_tag_size; }
    /// The best guess for the other direction: addresses exchanged, same tags.
    LinkHeader reversed() const noexcept {
        LinkHeader other = *this;
        for (size_t i = 0; i < 6; ++i) {
            other.addresses[i] = addresses[i + 6];
            other.addresses[i + 6] = addresses[i];
        }
        return other;
    }
};

}  // namespace portcullis
