#pragma once

#include <array>
#include <initializer_list>

#include "protocol/minecraft/packets.h"
#include "protocol/minecraft/session.h"

/// Which of a server's packets events are made from; all others pass by unread.
/// ToClient reads the ones listed here.
namespace portcullis::minecraft {

namespace detail {

/// A set of packets, asked by index.
class PacketSet {
public:
    consteval PacketSet(std::initializer_list<Packet> packets) {
        for (const Packet packet : packets) in_[static_cast<size_t>(packet)] = true;
    }
    constexpr bool has(Packet packet) const noexcept { return in_[static_cast<size_t>(packet)]; }

private:
    std::array<bool, static_cast<size_t>(Packet::count)> in_{};
};

using P = Packet;

inline constexpr PacketSet heard_before_play = {P::compress,
                                                P::custom_payload,
                                                P::disconnect,
                                                P::encryption_begin,
                                                P::finish_configuration,
                                                P::keep_alive,
                                                P::login_plugin_request,
                                                P::ping,
                                                P::success};
inline constexpr PacketSet heard_in_play = {P::abilities,
                                            P::attach_entity,
                                            P::camera,
                                            P::compress,
                                            P::custom_payload,
                                            P::destroy_entity,
                                            P::entity_destroy,
                                            P::entity_effect,
                                            P::entity_metadata,
                                            P::entity_move_look,
                                            P::entity_status,
                                            P::entity_teleport,
                                            P::entity_update_attributes,
                                            P::entity_velocity,
                                            P::explosion,
                                            P::game_state_change,
                                            P::keep_alive,
                                            P::kick_disconnect,
                                            P::login,
                                            P::named_entity_spawn,
                                            P::ping,
                                            P::player_rotation,
                                            P::position,
                                            P::rel_entity_move,
                                            P::remove_entity_effect,
                                            P::respawn,
                                            P::set_compression,
                                            P::set_passengers,
                                            P::set_ticking_state,
                                            P::spawn_entity,
                                            P::spawn_entity_living,
                                            P::start_configuration,
                                            P::sync_entity_position,
                                            P::transaction,
                                            P::update_attributes,
                                            P::update_health,
                                            P::update_time};

}  // namespace detail

inline bool is_heard_from_server(State state, Packet packet) noexcept {
    if (state == State::play) return detail::heard_in_play.has(packet);
    return (state == State::login || state == State::configuration) &&
           detail::heard_before_play.has(packet);
}

}  // namespace portcullis::minecraft
