#include "policy/packet_wishes.h"

#include <algorithm>

#include "protocol/minecraft/packet_named.h"

namespace portcullis::policy {

namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

bool same_player(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

PacketWishes::PacketWishes(const config::Logging& logging)
    : packets_(logging.packets),
      all_types_(logging.packet_types.empty()),
      per_second_(logging.packets_per_second),
      names_(logging.packet_types),
      players_(logging.trace_players) {
    std::ranges::sort(names_);
    for (const std::string& name : names_) {
        const auto packet = minecraft::packet_named(name);
        if (packet) types_.set(static_cast<size_t>(*packet));
    }
}

bool PacketWishes::wants(std::string_view name) const noexcept {
    return all_types_ || std::ranges::binary_search(names_, name);
}

bool PacketWishes::follows(std::string_view player) const noexcept {
    if (player.empty()) return false;
    return std::ranges::any_of(players_,
                               [&](const std::string& one) { return same_player(one, player); });
}

}  // namespace portcullis::policy
