#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "protocol/minecraft/packets.h"

namespace portcullis::policy {

/// Which decoded packets are to be reported, as `logging` says.  Read-only once made.
class PacketWishes {
public:
    PacketWishes() = default;
    explicit PacketWishes(const config::Logging& logging);

    /// Somebody's packets may be wanted; else nobody need ask any further.
    bool any() const noexcept { return packets_ || !players_.empty(); }
    /// Of everybody.
    bool of_everybody() const noexcept { return packets_; }
    bool wants(minecraft::Packet packet) const noexcept {
        return all_types_ || types_[static_cast<size_t>(packet)];
    }
    /// By the name of a Shadowland message.
    bool wants(std::string_view name) const noexcept;
    /// Every packet of this player.
    bool follows(std::string_view player) const noexcept;
    uint32_t per_second() const noexcept { return per_second_; }

private:
    bool packets_ = false;
    bool all_types_ = true;
    uint32_t per_second_ = config::Logging{}.packets_per_second;
    std::bitset<256> types_;
    std::vector<std::string> names_;  ///< Sorted.
    std::vector<std::string> players_;
};

/// For names that people type to find somebody: without regard to case.
bool same_player(std::string_view a, std::string_view b) noexcept;

}  // namespace portcullis::policy
