#pragma once

#include <cmath>

#include "protocol/minecraft/component.h"
#include "protocol/minecraft/heard.h"
#include "protocol/minecraft/translate.h"
#include "protocol/minecraft/velocity.h"

namespace portcullis::minecraft {

/// What a registry number or a text of `update_attributes` means.
protocol::Attribute attribute_by_number(int16_t tables, int32_t number) noexcept;
struct AttributeMeant {
    protocol::Attribute attribute = protocol::Attribute::other;
    double on_top_of = 0;  ///< Some mods tell only what is added to this.
};
AttributeMeant attribute_by_name(std::string_view name) noexcept;
/// What an effect's number means in this version.
protocol::Effect effect_by_number(int32_t version, int32_t number) noexcept;
/// True when spawn_entity's type is that of players.
bool is_player_type(int16_t tables, int32_t type) noexcept;
uint8_t pose_key(int16_t tables) noexcept;
uint8_t living_key(int16_t tables) noexcept;

/// A plugin channel that the game itself speaks on, and not the list of others' channels.
bool is_the_games(int32_t version, std::string_view channel) noexcept;

/// Makes Events of one packet from the server and moves the Session on by it.
///
/// Lenient: servers and their plugins extend packets, so what can not be read makes
/// no event and no fault.  Members of arrays are told as they are read.
template <class Listener>
class ToClient {
public:
    ToClient(Session& session, const Frame& frame, Values& values, TextRoom& text,
             Listener& listener) noexcept
        : session_(session), frame_(frame), values_(values), text_(text), listener_(listener) {}

    void run() noexcept {
        if (!is_heard_from_server(frame_.state, frame_.packet)) return;
        if (frame_.packet == Packet::encryption_begin) session_.encryption_asked = true;
        if (frame_.cut_short()) {
            joined_by_its_head();
            return;
        }
        values_.clear();
        Walk<ToClient> walk(frame_.body, values_, *this);
        if (!walk.run(program_of(frame_))) return;
        if (frame_.state == State::play) {
            play();
        } else {
            before_play();
        }
    }

    static constexpr bool hears_values = false;

    /// A member of an array was read into its slots.
    bool member(const Op& array) noexcept {
        const Values& v = values_;
        switch (frame_.packet) {
            case Packet::entity_destroy:
                tell(protocol::EntityGone{v.i32(S::entity_ids)});
                return true;
            case Packet::set_passengers:
                tell(protocol::Mounted{v.i32(S::entity_id), v.i32(S::passengers)});
                return true;
            case Packet::update_attributes:
            case Packet::entity_update_attributes:
                if (array.slot == S::properties_modifiers) {
                    modifiers_.add(v);
                } else {
                    attribute();
                }
                return true;
            case Packet::entity_metadata:
                if (v.i32(S::entity_id) != session_.self) return false;
                metadata();
                return true;
            default:
                return true;
        }
    }

private:
    using S = Slot;

    static constexpr double velocity_units = 8000;  ///< A block a tick, up to protocol 772.

    template <class Event>
    void tell(const Event& event) noexcept {
        minecraft::tell(listener_, event);
    }
    protocol::EntityId entity() const noexcept { return values_.i32(S::entity_id); }
    protocol::EntityId self() const noexcept { return session_.self; }
    static protocol::GameMode game_mode(int64_t number) noexcept {
        return static_cast<protocol::GameMode>(number & 3);  // Bit 3: hardcore, up to 736.
    }
    void server_is_in(State state) noexcept {
        Session::Half& server = session_.half(Direction::to_client);
        server.state = state;
        ++server.entered;
    }

    void before_play() noexcept {
        const Values& v = values_;
        switch (frame_.packet) {
            case Packet::compress:
                session_.threshold = v.i32(S::threshold);
                return;
            case Packet::success:
                logged_in();
                return;
            case Packet::disconnect:
                disconnected();
                return;
            case Packet::finish_configuration:
                server_is_in(State::play);
                return;
            case Packet::keep_alive:
                tell(protocol::KeepAliveSent{v.integer(S::keep_alive_id)});
                return;
            case Packet::login_plugin_request:
                if (v.text(S::channel) == velocity_channel) {
                    session_.forwarding_asked = true;
                    session_.forwarding_id = Reader(frame_.body).signed_varint();
                } else {
                    has_mods();
                }
                return;
            case Packet::custom_payload:
                spoke_on(v.text(S::channel));
                return;
            case Packet::ping:
                tell(protocol::PingSent{v.i32(S::id)});
                return;
            default:
                return;
        }
    }

    void spoke_on(std::string_view channel) noexcept {
        if (!is_the_games(session_.version, channel)) has_mods();
    }
    void has_mods() noexcept {
        if (session_.mods_told) return;
        session_.mods_told = true;
        tell(protocol::ServerHasMods{});
    }

    void status() noexcept {
        constexpr int32_t pulled = 31;
        constexpr int32_t pulled_since = 107;
        if (session_.version < pulled_since || values_.i32(S::entity_status) != pulled) return;
        tell(protocol::Pulled{values_.i32(S::entity_id)});
    }

    void logged_in() noexcept {
        const Values& v = values_;
        constexpr int32_t binary_uuid_since = 735;
        constexpr int32_t configuration_since = 764;
        const protocol::Uuid uuid = session_.version >= binary_uuid_since
                                        ? uuid_in(v.bytes(S::uuid))
                                        : uuid_in_text(v.text(S::uuid));
        tell(protocol::LoggedIn{v.text(S::username), uuid});
        if (session_.version >= configuration_since) {
            server_is_in(State::configuration);
            return;
        }
        server_is_in(State::play);
        // Here the client has no packet of its own to say so.
        Session::Half& client = session_.half(Direction::to_server);
        if (!client.finished()) client.state = State::play;
    }

    void disconnected() noexcept {
        constexpr int32_t nbt_since = 765;
        const Bytes reason = values_.bytes(S::reason);
        const bool nbt = session_.version >= nbt_since && frame_.state != State::login;
        tell(protocol::Disconnected{nbt ? plain_text_of_nbt(reason, text_)
                                        : plain_text_of_json(as_text(reason), text_)});
    }

    void play() noexcept {
        const Values& v = values_;
        switch (frame_.packet) {
            case Packet::rel_entity_move:
            case Packet::entity_move_look:
                entity_moved();
                return;
            case Packet::entity_teleport:
            case Packet::sync_entity_position:
                entity_placed();
                return;
            case Packet::entity_velocity:
                velocity();
                return;
            case Packet::position:
                teleported();
                return;
            case Packet::player_rotation:
                rotated();
                return;
            case Packet::keep_alive:
                tell(protocol::KeepAliveSent{v.integer(S::keep_alive_id)});
                return;
            case Packet::ping:
                tell(protocol::PingSent{v.i32(S::id)});
                return;
            case Packet::transaction:
                // Only a click that was refused is answered.
                if (!v.boolean(S::accepted)) tell(protocol::PingSent{v.i32(S::action)});
                return;
            case Packet::update_time:
                tell(protocol::WorldTime{});
                return;
            case Packet::spawn_entity:
            case Packet::spawn_entity_living:
            case Packet::named_entity_spawn:
                spawned();
                return;
            case Packet::destroy_entity:  // 755 alone names one without a list.
                tell(protocol::EntityGone{entity()});
                return;
            case Packet::set_passengers:
                tell_passengers();
                return;
            default:
                self_changed();
        }
    }

    /// What changes the player's own state.
    void self_changed() noexcept {
        const Values& v = values_;
        switch (frame_.packet) {
            case Packet::entity_effect:
                effect();
                return;
            case Packet::remove_entity_effect:
                tell(protocol::EffectTaken{
                    entity(), effect_by_number(session_.version, v.i32(S::effect_id))});
                return;
            case Packet::explosion:
                exploded();
                return;
            case Packet::abilities:
                abilities();
                return;
            case Packet::game_state_change:
                game_state();
                return;
            case Packet::update_health:
                tell(protocol::HealthSet{v.f32(S::health), v.i32(S::food)});
                return;
            case Packet::entity_metadata:
                if (posed_) tell_pose();
                return;
            case Packet::attach_entity:
                attached();
                return;
            case Packet::entity_status:
                status();
                return;
            case Packet::camera:
                tell(protocol::CameraSet{v.i32(S::camera_id)});
                return;
            case Packet::vehicle_move:
                return;
            case Packet::custom_payload:
                spoke_on(v.text(S::channel));
                return;
            default:
                world();
        }
    }

    void world() noexcept {
        const Values& v = values_;
        switch (frame_.packet) {
            case Packet::login:
                joined(entity(), world_mode());
                return;
            case Packet::respawn:
                respawned();
                return;
            case Packet::set_ticking_state:
                tell(protocol::TickRateSet{v.f32(S::tick_rate), v.boolean(S::is_frozen)});
                return;
            case Packet::kick_disconnect:
                disconnected();
                return;
            case Packet::start_configuration:
                server_is_in(State::configuration);
                return;
            case Packet::compress:
            case Packet::set_compression:
                session_.threshold = v.i32(S::threshold);
                return;
            default:
                return;
        }
    }

    /// Fields of three generations: game_mode, gamemode, and inside world_state.
    int64_t world_mode() const noexcept {
        for (const Slot slot : {S::game_mode, S::gamemode, S::world_state_gamemode}) {
            if (values_.has(slot)) return values_.integer(slot);
        }
        return 0;
    }

    void joined(protocol::EntityId entity, int64_t mode) noexcept {
        session_.self = entity;
        forget_metadata();
        tell(protocol::Joined{session_.self, game_mode(mode)});
    }

    void forget_metadata() noexcept {
        session_.entity_flags = session_.living_flags = session_.pose = 0;
    }

    /// The client keeps its metadata where it is told to, and always up to 734.
    void respawned() noexcept {
        constexpr int32_t bits_since = 761;
        constexpr int64_t metadata = 2;
        const int64_t kept = values_.integer(S::copy_metadata);
        const bool keeps = session_.version >= bits_since ? (kept & metadata) != 0 : kept != 0;
        if (values_.has(S::copy_metadata) && !keeps) forget_metadata();
        tell(protocol::WorldChanged{game_mode(world_mode())});
    }

    /// A login too long to be read whole: entity, hardcore, mode.
    void joined_by_its_head() noexcept {
        constexpr int32_t hardcore_apart_since = 751;
        Reader head(frame_.body);
        const auto entity = static_cast<protocol::EntityId>(head.i32());
        if (session_.version >= hardcore_apart_since) (void)head.u8();
        joined(entity, head.u8());
    }

    /// Up to 1.8 in 1/32 of a block, then in 1/4096.
    void entity_moved() noexcept {
        const Values& v = values_;
        const double unit = session_.version < 107 ? 1.0 / 32 : 1.0 / 4096;
        tell(protocol::EntityMoved{entity(), v.real(S::d_x) * unit, v.real(S::d_y) * unit,
                                   v.real(S::d_z) * unit});
    }

    void entity_placed() noexcept {
        const int64_t flags = values_.has(S::flags) ? values_.integer(S::flags) : 0;
        tell(protocol::EntityPlaced{entity(), entity_position(), (flags & 1) != 0, (flags & 2) != 0,
                                    (flags & 4) != 0});
    }

    protocol::Position entity_position() const noexcept {
        protocol::Position p = position_in(values_);
        if (!values_.is_real(S::x)) {
            constexpr double unit = 1.0 / 32;
            p = {p.x * unit, p.y * unit, p.z * unit};
        }
        return p;
    }

    void velocity() noexcept {
        const Values& v = values_;
        const double unit = v.is_real(S::velocity_x) ? 1 : 1 / velocity_units;
        tell(protocol::Velocity{entity(), v.real(S::velocity_x) * unit,
                                v.real(S::velocity_y) * unit, v.real(S::velocity_z) * unit});
    }

    void teleported() noexcept {
        const Values& v = values_;
        const int64_t flags = v.integer(S::flags);
        const auto relative = [flags](unsigned bit) { return (flags >> bit & 1) != 0; };
        protocol::Teleported e{relative(0), relative(1),    relative(2),   relative(3),
                               relative(4), position_in(v), rotation_in(v)};
        constexpr double eye_height = 1.62;
        if (session_.version < 47) e.position.y -= eye_height;  // 1.7 sends the eyes.
        e.has_id = v.has(S::teleport_id);
        e.id = v.i32(S::teleport_id);
        tell(e);
    }

    void rotated() noexcept {
        const Values& v = values_;
        tell(protocol::RotationSet{v.boolean(S::relative_yaw), v.boolean(S::relative_pitch),
                                   rotation_in(v)});
    }

    void spawned() noexcept {
        const Values& v = values_;
        const bool named = frame_.packet == Packet::named_entity_spawn;
        const int32_t type = named ? -1 : v.i32(S::type);
        const bool is_player = named || (frame_.packet == Packet::spawn_entity &&
                                         is_player_type(session_.tables, type));
        tell(protocol::EntitySpawned{entity(), is_player, type, entity_position()});
    }

    /// An empty list: whoever rode it is off.  Who that is, the listener knows.
    void tell_passengers() noexcept {
        if (!values_.has(S::passengers)) tell(protocol::Mounted{entity(), -1});
    }

    void attached() noexcept {
        const Values& v = values_;
        // From 107 on this is the leash only.
        if (session_.version >= 107 || v.boolean(S::leash)) return;
        tell(protocol::Mounted{v.i32(S::vehicle_id), entity()});
    }

    void effect() noexcept {
        const Values& v = values_;
        tell(protocol::EffectGiven{entity(),
                                   effect_by_number(session_.version, v.i32(S::effect_id)),
                                   static_cast<uint8_t>(v.integer(S::amplifier))});
    }

    void exploded() noexcept {
        const Values& v = values_;
        if (v.has(S::player_knockback_x)) {
            tell(protocol::Exploded{v.real(S::player_knockback_x), v.real(S::player_knockback_y),
                                    v.real(S::player_knockback_z)});
        } else if (v.has(S::player_motion_x)) {
            tell(protocol::Exploded{v.real(S::player_motion_x), v.real(S::player_motion_y),
                                    v.real(S::player_motion_z)});
        }
    }

    void abilities() noexcept {
        const Values& v = values_;
        const int64_t flags = v.integer(S::flags);
        const auto bit = [flags](unsigned n) { return (flags >> n & 1) != 0; };
        tell(protocol::AbilitiesSet{bit(0), bit(1), bit(2), bit(3), v.f32(S::flying_speed),
                                    v.f32(S::walking_speed)});
    }

    void game_state() noexcept {
        const Values& v = values_;
        constexpr int64_t change_game_mode = 3;
        if (v.integer(S::reason) != change_game_mode) return;
        tell(protocol::GameModeChanged{game_mode(static_cast<int64_t>(v.real(S::game_mode)))});
    }

    /// One attribute with the modifiers collected before it.
    void attribute() noexcept {
        const Values& v = values_;
        // Texts stand under "key" or "name", registry numbers under "key".
        const std::string_view name =
            v.has(S::properties_name) ? v.text(S::properties_name) : v.text(S::properties_key);
        const AttributeMeant meant =
            name.empty()
                ? AttributeMeant{attribute_by_number(session_.tables, v.i32(S::properties_key))}
                : attribute_by_name(name);
        const double value = meant.on_top_of + modifiers_.applied_to(v.real(S::properties_value));
        tell(protocol::AttributeSet{entity(), meant.attribute, value, modifiers_.sprinting()});
        modifiers_ = {};
    }

    /// Vanilla's three operations, in its order; the sprint modifier kept out.
    class Modifiers {
    public:
        void add(const Values& v) noexcept {
            if (is_sprint(v.bytes(S::properties_modifiers_uuid))) {
                sprinting_ = true;
                return;
            }
            const double amount = v.real(S::properties_modifiers_amount);
            switch (v.integer(S::properties_modifiers_operation)) {
                case 0:
                    added_ += amount;
                    break;
                case 1:
                    of_base_ += amount;
                    break;
                default:
                    factor_ *= 1 + amount;
                    break;
            }
        }
        double applied_to(double base) const noexcept {
            return (base + added_) * (1 + of_base_) * factor_;
        }
        bool sprinting() const noexcept { return sprinting_; }

    private:
        static bool is_sprint(Bytes id) noexcept;

        double added_ = 0;
        double of_base_ = 0;
        double factor_ = 1;
        bool sprinting_ = false;
    };

    /// One entry of the player's own metadata.
    void metadata() noexcept {
        const Values& v = values_;
        const auto key = static_cast<uint8_t>(v.integer(S::metadata_key));
        const auto value = static_cast<uint8_t>(v.integer(S::metadata_value));
        if (key == 0) {
            session_.entity_flags = value;
        } else if (key == pose_key(session_.tables)) {
            session_.pose = value;
        } else if (key == living_key(session_.tables)) {
            session_.living_flags = value;
        } else {
            return;
        }
        posed_ = true;
    }

    void tell_pose() noexcept {
        const uint8_t flags = session_.entity_flags;
        const auto bit = [flags](unsigned n) { return (flags >> n & 1) != 0; };
        constexpr uint8_t pose_gliding = 1, pose_swimming = 3, pose_spinning = 4,
                          pose_crouching = 5;
        constexpr uint8_t spin_attack = 4;
        constexpr int32_t swimming_since = 393;  // The bit was that of using an item before.
        const bool swims = bit(4) && session_.version >= swimming_since;
        const uint8_t pose = session_.pose;
        tell(protocol::PoseSet{self(), bit(7) || pose == pose_gliding,
                               swims || pose == pose_swimming,
                               (session_.living_flags & spin_attack) != 0 || pose == pose_spinning,
                               bit(1) || pose == pose_crouching, bit(3)});
    }

    Session& session_;
    const Frame& frame_;
    Values& values_;
    TextRoom& text_;
    Listener& listener_;
    Modifiers modifiers_;
    bool posed_ = false;
};

/// UUID 662a6b8d-da3e-4c1c-8813-96ea6097278d up to 766, then "minecraft:sprinting".
bool is_sprint_modifier(Bytes id) noexcept;

template <class Listener>
bool ToClient<Listener>::Modifiers::is_sprint(Bytes id) noexcept {
    return is_sprint_modifier(id);
}

}  // namespace portcullis::minecraft
