'use strict';
// Which packets a layout is kept for, and which of their fields the decoder reads.
// Everything a client sends is kept, so that a packet that ends early or goes on
// too long is noticed; of what a server sends, what makes events and what people
// look for in `inspect --packets`.

const all = null;

const packets = {
    handshaking: { toServer: ['set_protocol'], toClient: [] },
    status: { toServer: all, toClient: all },
    login: { toServer: all, toClient: all },
    configuration: {
        toServer: all,
        toClient: [
            'custom_payload', 'disconnect', 'finish_configuration', 'keep_alive', 'ping', 'reset_chat',
            'transfer', 'cookie_request', 'store_cookie', 'feature_flags', 'select_known_packs',
        ],
    },
    play: {
        toServer: all,
        toClient: [
            'abilities', 'acknowledge_player_digging', 'animation', 'attach_entity', 'bed',
            'block_break_animation', 'block_change', 'bundle_delimiter', 'camera', 'chat',
            'chunk_batch_finished', 'chunk_batch_start', 'close_window', 'collect', 'compress',
            'cookie_request', 'custom_payload', 'damage_event', 'destroy_entity', 'difficulty', 'entity_destroy',
            'entity_effect', 'entity_head_rotation', 'entity_look', 'entity_metadata',
            'entity_move_look', 'entity_status', 'entity_teleport', 'entity_update_attributes',
            'entity_velocity', 'experience', 'explosion', 'game_state_change', 'held_item_slot',
            'hurt_animation', 'keep_alive', 'kick_disconnect', 'login', 'multi_block_change',
            'named_entity_spawn', 'open_window', 'ping', 'ping_response', 'player_rotation',
            'position', 'rel_entity_move', 'remove_entity_effect', 'respawn', 'set_compression',
            'set_passengers', 'set_slot', 'set_ticking_state', 'simulation_distance',
            'spawn_entity', 'spawn_entity_living', 'spawn_position', 'start_configuration',
            'step_tick', 'sync_entity_position', 'system_chat', 'transaction', 'transfer',
            'unload_chunk', 'update_attributes', 'update_health', 'update_time', 'update_view_distance',
            'update_view_position', 'vehicle_move', 'world_event',
        ],
    },
};

/// A layout ends where one of these types begins: what lies behind is not read.
const unread = new Set([
    'SlotComponent', 'UntrustedSlotComponent', 'HashedSlot', 'Particle', 'particle', 'command_node',
    'ItemSoundHolder', 'EntityMetadataWolfVariant', 'EntityMetadataPaintingVariant',
    'ResolvableProfile', 'RecipeDisplay', 'SlotDisplay',
]);

/// Entity metadata is walked in its own packet only; behind a spawn nobody asks for it.
function isUnread(type, packet) {
    return unread.has(type) || (type === 'entityMetadata' && packet !== 'entity_metadata');
}

/// Paths of the fields whose values the decoder asks for.
const read = [
    'accepted', 'action', 'action_id', 'age', 'amplifier', 'camera_id', 'channel', 'command', 'copy_metadata',
    'cursor_x', 'cursor_y', 'cursor_z', 'd_x', 'd_y', 'd_z', 'data', 'direction', 'duration',
    'effect_id', 'entity_id', 'entity_ids', 'entity_status', 'face', 'flags', 'food', 'game_mode',
    'gamemode', 'hand', 'has_horizontal_collision', 'health', 'id', 'is_frozen', 'inputs',
    'is_front_text', 'jump_boost', 'keep_alive_id', 'leash', 'location', 'location_x',
    'location_y', 'location_z', 'message', 'metadata_key', 'metadata_type', 'metadata_value',
    'mouse', 'name', 'new_book_nbt_data', 'next_state', 'on_ground', 'pages',
    'passengers', 'payload', 'pitch', 'player_knockback_x', 'player_knockback_y',
    'player_knockback_z', 'player_motion_x', 'player_motion_y', 'player_motion_z', 'player_uuid',
    'properties', 'properties_modifiers', 'metadata', 'properties_key', 'properties_modifiers_amount', 'properties_modifiers_operation',
    'properties_modifiers_uuid', 'properties_name', 'properties_value', 'protocol_version',
    'reason', 'relative_pitch', 'relative_yaw', 'sequence', 'server_host',
    'server_port', 'slot_id', 'status', 'target', 'teleport_id', 'text',
    'text1', 'text2', 'text3', 'text4', 'threshold', 'tick_rate', 'title', 'type',
    'username', 'uuid', 'vehicle_id', 'velocity_x', 'velocity_y', 'velocity_z',
    'walking_speed', 'flying_speed', 'world_state_gamemode', 'x', 'y', 'yaw', 'z',
    'suggested_command',
];

/// The longest text each field takes, in UTF-16 units, where it is less than the
/// protocol's 32,767: [state, direction, packet, field path, from, to, units].
const texts = [
    ['play', 'toServer', 'chat', 'message', 5, 210, 100],
    ['play', 'toServer', 'chat', 'message', 315, 758, 256],
    ['play', 'toServer', 'chat_message', 'message', 759, 9999, 256],
    ['play', 'toServer', 'chat_command', 'command', 759, 765, 256],
    ['play', 'toServer', 'update_sign', 'text1', 47, 9999, 384],
    ['play', 'toServer', 'update_sign', 'text2', 47, 9999, 384],
    ['play', 'toServer', 'update_sign', 'text3', 47, 9999, 384],
    ['play', 'toServer', 'update_sign', 'text4', 47, 9999, 384],
    ['play', 'toServer', 'edit_book', 'pages', 756, 9999, 8192],
    ['play', 'toServer', 'edit_book', 'title', 756, 9999, 128],
    ['play', 'toServer', 'settings', 'locale', 393, 9999, 16],
    ['configuration', 'toServer', 'settings', 'locale', 764, 9999, 16],
];

module.exports = { packets, isUnread, read, texts };
