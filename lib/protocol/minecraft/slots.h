// Made by tools/protocol/generate.js from minecraft-data 3.117.0; do not edit.
#pragma once

#include <cstdint>

namespace portcullis::minecraft {

/// Where a field program leaves the values that the decoder asks for, or that a later
/// field depends on.  Named after the field's path: "velocity_x" is x in velocity.
enum class Slot : uint8_t {
    none,
    accepted, action, action_id, age, amplifier, camera_id,
    changed_slots_item_added_component_count, changed_slots_item_item_count,
    changed_slots_item_present, changed_slots_item_removed_component_count, channel,
    chunk_coordinates_x, chunk_coordinates_y, chunk_coordinates_z, chunk_x, chunk_z, command,
    cursor_item_added_component_count, cursor_item_item_count, cursor_item_present,
    cursor_item_removed_component_count, cursor_x, cursor_y, cursor_z, d_x, d_y, d_z, data,
    direction, duration, effect_id, entity_id, entity_ids, face, flags, flying_speed, food,
    forward, game_mode, gamemode, hand, has_horizontal_collision, has_verify_token, health,
    held_item_block_id, id, inputs, inventory_type, is_front_text, is_frozen,
    item_added_component_count, item_block_id, item_item_count, item_item_id, item_present,
    item_removed_component_count, jump, jump_boost, keep_alive_id, leash, links_has_known_type,
    locale, location, location_x, location_y, location_z, message, metadata, metadata_key,
    metadata_type, metadata_value, metadata_value_added_component_count, metadata_value_block_id,
    metadata_value_item_count, metadata_value_item_id, metadata_value_present,
    metadata_value_removed_component_count, mode, mouse, mouse_button, name, new_book_item_id,
    new_book_nbt_data, new_book_present, next_state, object_data, object_data_int_field, on_ground,
    pages, passengers, payload, pitch, player_knockback_x, player_knockback_y, player_knockback_z,
    player_motion_x, player_motion_y, player_motion_z, player_uuid, prepare_entry_item_block_id,
    properties, properties_key, properties_modifiers, properties_modifiers_amount,
    properties_modifiers_operation, properties_modifiers_uuid, properties_name, properties_value,
    protocol_version, reason, record_count, records, records_block_id, records_horizontal_pos,
    records_y, relative_pitch, relative_yaw, return_entry_item_block_id, sequence, sequence_id,
    server_host, server_port, sideways, slot, slot_id, status, target, teleport_id, text, text1,
    text2, text3, text4, threshold, tick_rate, title, type, unmount, username, uuid, vehicle_id,
    velocity_x, velocity_y, velocity_z, view_distance, walking_speed, window_id,
    world_state_gamemode, x, y, yaw, z,
    count
};

}  // namespace portcullis::minecraft
