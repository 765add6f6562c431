#include <algorithm>

#include "base/hex.h"
#include "protocol/minecraft/tables.h"
#include "protocol/minecraft/to_client.h"
#include "protocol/minecraft/to_server.h"

namespace portcullis::minecraft {

namespace {

using protocol::Attribute;
using protocol::Effect;

struct NamedAttribute {
    std::string_view name;
    Attribute attribute;
    double on_top_of = 0;
};
/// Up to 765 attributes have texts, spelled anew in 1.16.  Only those of that time, and how
/// far an arm reaches by Forge (1.18.2 on, another name from 1.19.3 on) and by the library
/// of Fabric's mods, which tells what is beyond three blocks.
constexpr NamedAttribute named_attributes[] = {
    {"movementSpeed", Attribute::movement_speed},
    {"movement_speed", Attribute::movement_speed},
    {"flyingSpeed", Attribute::flying_speed},
    {"flying_speed", Attribute::flying_speed},
    {"jumpStrength", Attribute::jump_strength},
    {"jump_strength", Attribute::jump_strength},
    {"forge:attack_range", Attribute::entity_interaction_range},
    {"forge:entity_reach", Attribute::entity_interaction_range},
    {"reach-entity-attributes:attack_range", Attribute::entity_interaction_range, 3},
};

const Tables* tables_at(int16_t index) noexcept {
    return index < 0 ? nullptr : &all_tables()[static_cast<size_t>(index)];
}

constexpr std::array<uint8_t, 16> sprint_uuid = {0x66, 0x2a, 0x6b, 0x8d, 0xda, 0x3e, 0x4c, 0x1c,
                                                 0x88, 0x13, 0x96, 0xea, 0x60, 0x97, 0x27, 0x8d};

}  // namespace

int find_tables(int32_t version) noexcept {
    const auto all = all_tables();
    const auto at = std::ranges::lower_bound(all, version, {}, &Tables::version);
    if (at == all.end() || at->version != version) return -1;
    return static_cast<int>(at - all.begin());
}

bool is_the_games(int32_t version, std::string_view channel) noexcept {
    constexpr int32_t namespaces_since = 393;
    if (version < namespaces_since) return channel.starts_with("MC|");
    constexpr std::string_view own = "minecraft:";
    if (channel.starts_with(own)) channel.remove_prefix(own.size());
    return !channel.contains(':') && channel != "register" && channel != "unregister";
}

Attribute attribute_by_number(int16_t tables, int32_t number) noexcept {
    const Tables* t = tables_at(tables);
    if (t == nullptr || number < 0 || static_cast<size_t>(number) >= t->attributes.size()) {
        return Attribute::other;
    }
    return t->attributes[static_cast<size_t>(number)];
}

AttributeMeant attribute_by_name(std::string_view name) noexcept {
    for (const std::string_view prefix : {"minecraft:", "generic.", "horse."}) {
        if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
    }
    for (const NamedAttribute& known : named_attributes) {
        if (known.name == name) return {known.attribute, known.on_top_of};
    }
    return {};
}

Effect effect_by_number(int32_t version, int32_t number) noexcept {
    constexpr int32_t from_zero_since = 764;
    switch (version >= from_zero_since ? number + 1 : number) {
        case 1:
            return Effect::speed;
        case 2:
            return Effect::slowness;
        case 3:
            return Effect::haste;
        case 4:
            return Effect::mining_fatigue;
        case 8:
            return Effect::jump_boost;
        case 15:
            return Effect::blindness;
        case 25:
            return Effect::levitation;
        case 28:
            return Effect::slow_falling;
        case 30:
            return Effect::dolphins_grace;
        default:
            return Effect::other;
    }
}

bool is_player_type(int16_t tables, int32_t type) noexcept {
    const Tables* t = tables_at(tables);
    return t != nullptr && t->player_type >= 0 && t->player_type == type;
}
uint8_t pose_key(int16_t tables) noexcept {
    const Tables* t = tables_at(tables);
    return t == nullptr ? 0xff : t->pose_key;
}
uint8_t living_key(int16_t tables) noexcept {
    const Tables* t = tables_at(tables);
    return t == nullptr ? 0xff : t->living_key;
}

bool is_sprint_modifier(Bytes id) noexcept {
    if (id.size() == sprint_uuid.size() &&
        std::memcmp(id.data(), sprint_uuid.data(), id.size()) == 0) {
        return true;
    }
    const std::string_view text = as_text(id);
    return text == "minecraft:sprinting" || text == "sprinting";
}

protocol::Uuid uuid_in_text(std::string_view text) noexcept {
    protocol::Uuid uuid{};
    size_t digits = 0;
    for (const char c : text) {
        const int value = hex_value(c);
        if (value < 0 || digits == 2 * uuid.size()) continue;
        uuid[digits / 2] = static_cast<uint8_t>(uuid[digits / 2] << 4 | value);
        ++digits;
    }
    return uuid;
}

protocol::EntityAction::Kind entity_action_kind(int32_t version, int32_t number) noexcept {
    using Kind = protocol::EntityAction::Kind;
    constexpr Kind since_107[] = {
        Kind::start_sneaking,  Kind::stop_sneaking,  Kind::leave_bed,
        Kind::start_sprinting, Kind::stop_sprinting, Kind::start_horse_jump,
        Kind::stop_horse_jump, Kind::open_inventory, Kind::start_gliding};
    constexpr Kind up_to_47[] = {
        Kind::start_sneaking, Kind::stop_sneaking,    Kind::leave_bed,     Kind::start_sprinting,
        Kind::stop_sprinting, Kind::start_horse_jump, Kind::open_inventory};
    // 1.7 counts from one; 1.21.6 has no sneaking here any more.
    const int64_t index = int64_t{number} + (version < 47 ? -1 : version >= 771 ? 2 : 0);
    const std::span<const Kind> kinds =
        version <= 47 ? std::span<const Kind>(up_to_47) : std::span<const Kind>(since_107);
    if (number < 0 || index < 0 || index >= static_cast<int64_t>(kinds.size())) {
        return Kind::unknown;
    }
    return kinds[static_cast<size_t>(index)];
}

}  // namespace portcullis::minecraft
