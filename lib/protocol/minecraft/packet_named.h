#pragma once

#include <optional>
#include <string_view>

#include "protocol/minecraft/packets.h"

namespace portcullis::minecraft {

/// What people call a packet where minecraft-data calls it otherwise: the protocol's
/// documentation, of the packets that Events are made of.
struct PacketAlias {
    std::string_view name;
    Packet packet;
};
inline constexpr PacketAlias packet_aliases[] = {
    {"PlayerPosition", Packet::position},
    {"PlayerPositionAndLook", Packet::position_look},
    {"PlayerLook", Packet::look},
    {"PlayerMovement", Packet::flying},
    {"PlayerDigging", Packet::block_dig},
    {"PlayerBlockPlacement", Packet::block_place},
    {"HeldItemChange", Packet::held_item_slot},
    {"ClickWindow", Packet::window_click},
    {"JoinGame", Packet::login},
    {"ChangeGameState", Packet::game_state_change},
    {"SpawnPlayer", Packet::named_entity_spawn},
};

namespace detail {

/// Whether `camel` is `snake` with capitals in place of its underscores.
constexpr bool same_words(std::string_view snake, std::string_view camel) noexcept {
    size_t at = 0;
    bool begins_word = true;
    for (const char letter : snake) {
        if (letter == '_') {
            begins_word = true;
            continue;
        }
        const bool small = letter >= 'a' && letter <= 'z';
        const char wanted = begins_word && small ? static_cast<char>(letter - 32) : letter;
        begins_word = false;
        if (at == camel.size() || camel[at++] != wanted) return false;
    }
    return at == camel.size();
}

}  // namespace detail

/// The packet that a person means: by minecraft-data's name (`use_entity`), by the same words
/// in capitals (`UseEntity`), or by an alias.  Nothing: there is none.
constexpr std::optional<Packet> packet_named(std::string_view name) noexcept {
    if (const auto packet = value_in<Packet>(packet_names, name)) return packet;
    for (const PacketAlias& alias : packet_aliases) {
        if (alias.name == name) return alias.packet;
    }
    for (size_t i = 0; i < packet_names.size(); ++i) {
        if (detail::same_words(packet_names[i], name)) return static_cast<Packet>(i);
    }
    return std::nullopt;
}
static_assert(packet_named("UseEntity") == Packet::use_entity);
static_assert(packet_named("PlayerPosition") == Packet::position);
static_assert(!packet_named("Use_Entity") && !packet_named("UseEntit") && !packet_named(""));

}  // namespace portcullis::minecraft
