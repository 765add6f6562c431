#pragma once

#include "protocol/minecraft/host_field.h"
#include "protocol/minecraft/translate.h"
#include "protocol/minecraft/velocity.h"

namespace portcullis::minecraft {

/// What the number of an entity action means in this version.
protocol::EntityAction::Kind entity_action_kind(int32_t version, int32_t number) noexcept;

/// Makes Events of one packet from the client and moves the Session on by it.
///
/// Strict, unlike the other direction: a packet that ends early, goes on too long or
/// holds what its types do not allow is told as Malformed, and makes no other event.
template <class Listener>
class ToServer {
public:
    ToServer(Session& session, const Frame& frame, Values& values, Listener& listener) noexcept
        : session_(session), frame_(frame), values_(values), listener_(listener) {}

    void run() noexcept {
        if (frame_.state == State::framed) return framed();
        values_.clear();
        Walk<ToServer> walk(frame_.body, values_, *this);
        if (!walk.run(program_of(frame_))) {
            // Of a size that lies, an end too early or too late is no fault of its own.
            if (!frame_.size_lies || walk.fault() != protocol::Fault::short_packet) {
                tell(protocol::Malformed{walk.fault(), walk.observed(), walk.limit(), false});
            }
            return;
        }
        if (frame_.state == State::play) {
            play();
        } else {
            before_play();
        }
        if (walk.trailing() > 0 && !frame_.size_lies) {
            const auto extra = static_cast<double>(walk.trailing());
            tell(protocol::Malformed{protocol::Fault::trailing_bytes, extra, 0, false});
        }
    }

    static constexpr bool hears_values = false;
    /// Books are arrays of pages; each is told as it is read.
    bool member(const Op& array) noexcept {
        if (frame_.packet == Packet::edit_book && array.slot == Slot::pages) {
            text(protocol::TextField::book, values_.text(Slot::pages));
        }
        return true;
    }

private:
    using Text = protocol::Text;
    using TextField = protocol::TextField;
    using S = Slot;

    template <class Event>
    void tell(const Event& event) noexcept {
        minecraft::tell(listener_, event);
    }
    void text(TextField field, std::string_view words) noexcept {
        if (!words.empty()) tell(Text{field, words});
    }
    uint8_t hand() const noexcept { return static_cast<uint8_t>(values_.integer(S::hand)); }

    void wrong_state() noexcept {
        tell(protocol::Malformed{protocol::Fault::wrong_state, 0, 0, false});
    }

    void before_play() noexcept {
        const Values& v = values_;
        switch (frame_.packet) {
            case Packet::set_protocol:
                handshake();
                return;
            case Packet::ping_start:
                tell(protocol::StatusRequested{});
                return;
            case Packet::login_start:
                tell(protocol::LoginStart{v.text(S::username)});
                return;
            case Packet::encryption_begin:
                encrypted();
                return;
            case Packet::login_plugin_response:
                plugin_response();
                return;
            case Packet::login_acknowledged:
                follow_into(State::configuration);
                return;
            case Packet::finish_configuration:
                follow_into(State::play);
                return;
            default:
                common();
        }
    }

    /// Of a version without tables, what has been the same since 1.7: see Decoder::framed.
    void framed() noexcept {
        if (frame_.packet == Packet::encryption_begin) return encrypted();
        constexpr uint32_t name_size_max = 64;
        Reader in(frame_.body);
        const uint32_t size = in.varint();
        const std::string_view name = as_text(in.bytes(size));
        if (in.ok() && size <= name_size_max) tell(protocol::LoginStart{name});
        tell(protocol::Malformed{protocol::Fault::unknown_version,
                                 static_cast<double>(session_.version), 0, false});
    }

    /// The client follows the server into a state; never leads.  Of what waited for a late
    /// key the server's part is read first, so it may be several states ahead.
    void follow_into(State state) noexcept {
        const Session::Half& server = session_.half(Direction::to_client);
        Session::Half& client = session_.half(Direction::to_server);
        if (client.entered == server.entered && !server.finished()) return wrong_state();
        client.state = state;
        ++client.entered;
    }

    void handshake() noexcept {
        const int32_t version = values_.i32(S::protocol_version);
        const int32_t next = values_.i32(S::next_state);
        session_.version = version;
        session_.tables = static_cast<int16_t>(find_tables(version));
        constexpr int32_t transfer_since = 766;
        const bool known = next == 1 || next == 2 || (next == 3 && version >= transfer_since);
        tell_handshake(version, static_cast<protocol::Handshake::Next>(next));
        if (!known) {
            wrong_state();
            both(State::broken);
        } else if (next == 1) {
            both(State::status);
        } else if (session_.tables >= 0) {
            both(State::login);
        } else {
            both(State::framed);
        }
    }

    void tell_handshake(int32_t version, protocol::Handshake::Next next) noexcept {
        const std::string_view sent = values_.text(S::server_host);
        const HostField field = read_host_field(sent);
        tell(protocol::Handshake{.version = version,
                                 .host = field.host,
                                 .port = static_cast<uint16_t>(values_.integer(S::server_port)),
                                 .next = next,
                                 .sent = sent,
                                 .loader = field.loader,
                                 .floodgate = field.floodgate,
                                 .forwarded = field.forwarded});
        if (field.forwarded) tell(field.identity);
    }

    /// Only the answer to the server's question is what the server will believe.
    void plugin_response() noexcept {
        Reader in(frame_.body);
        const bool asked = in.signed_varint() == session_.forwarding_id;
        if (!asked || !session_.forwarding_asked) return;
        session_.forwarding_asked = false;
        if (in.boolean()) {
            tell(read_velocity(in.rest()));
        } else {
            tell(protocol::ForwardingDeclined{});
        }
    }

    void both(State state) noexcept {
        session_.half(Direction::to_server).state = state;
        session_.half(Direction::to_client).state = state;
    }

    /// From the next byte on both directions are AES-128-CFB8, if the server asked for it:
    /// else it takes no notice, or ends it.
    void encrypted() noexcept {
        const bool heard = !session_.half(Direction::to_client).finished();
        if (heard && !session_.encryption_asked) return wrong_state();
        session_.encryption = Session::Encryption::awaits_key;
    }

    /// Packets of both configuration and play.
    void common() noexcept {
        const Values& v = values_;
        switch (frame_.packet) {
            case Packet::keep_alive:
                tell(protocol::KeepAliveAnswered{v.integer(S::keep_alive_id)});
                return;
            case Packet::pong:
                tell(protocol::PingAnswered{v.i32(S::id)});
                return;
            case Packet::custom_payload:
                payload();
                return;
            case Packet::custom_click_action:
                text(TextField::payload, as_text(v.bytes(S::payload)));
                return;
            default:
                return;
        }
    }

    void payload() noexcept {
        const std::string_view channel = values_.text(S::channel);
        const Bytes data = values_.bytes(S::data);
        tell(protocol::PluginMessage{channel, data});
        const bool brand = channel == "MC|Brand" || channel == "minecraft:brand";
        std::string_view words = as_text(data);
        if (brand && session_.version >= 47 && !words.empty()) {
            Reader in(data);
            const Bytes named = in.bytes(in.varint());
            if (in.ok()) words = as_text(named);
        }
        text(brand ? TextField::brand : TextField::payload, words);
    }

    void play() noexcept {
        const Values& v = values_;
        switch (frame_.packet) {
            case Packet::flying:
            case Packet::position:
            case Packet::look:
            case Packet::position_look:
                move();
                return;
            case Packet::tick_end:
                tell(protocol::TickEnded{});
                return;
            case Packet::teleport_confirm:
                tell(protocol::TeleportConfirmed{v.i32(S::teleport_id)});
                return;
            case Packet::use_entity:
                use_entity();
                return;
            case Packet::attack:
                tell(protocol::Attack{v.i32(S::entity_id)});
                return;
            case Packet::arm_animation:
                tell(protocol::Swing{hand()});
                return;
            case Packet::block_dig:
                tell(protocol::Dig{static_cast<uint8_t>(v.integer(S::status)), block_in(v),
                                   static_cast<int8_t>(v.integer(S::face)), v.i32(S::sequence)});
                return;
            case Packet::block_place:
                place();
                return;
            case Packet::use_item:
                tell(protocol::UseItem{hand(), v.i32(S::sequence)});
                return;
            case Packet::entity_action:
                entity_action();
                return;
            case Packet::held_item_slot:
                tell(protocol::SlotSelected{static_cast<int16_t>(v.integer(S::slot_id))});
                return;
            case Packet::transaction:
                tell(protocol::PingAnswered{v.i32(S::action)});
                return;
            case Packet::configuration_acknowledged:
                follow_into(State::configuration);
                return;
            default:
                seldom();
        }
    }

    void move() noexcept {
        const Values& v = values_;
        protocol::Move e;
        e.has_position = v.has(S::x);
        e.has_rotation = v.has(S::yaw);
        e.on_ground = v.boolean(S::on_ground);
        e.against_wall = v.boolean(S::has_horizontal_collision);
        if (e.has_position) e.position = position_in(v);
        if (e.has_rotation) e.rotation = rotation_in(v);
        tell(e);
    }

    void use_entity() noexcept {
        const Values& v = values_;
        constexpr int64_t attack = 1;
        constexpr int64_t at = 2;
        // From 775 on attacks have a packet of their own, and every use tells its point.
        const bool split = !v.has(S::mouse);
        if (!split && v.integer(S::mouse) == attack) {
            tell(protocol::Attack{v.i32(S::target)});
            return;
        }
        protocol::Interact e{v.i32(S::target)};
        e.at = split || v.integer(S::mouse) == at;
        if (e.at && !split) {
            e.x = v.f32(S::x);
            e.y = v.f32(S::y);
            e.z = v.f32(S::z);
        }
        tell(e);
    }

    /// Up to 1.8 a click into the air is a placement against no face.
    void place() noexcept {
        const Values& v = values_;
        constexpr int32_t old_cursor_steps = 16;
        const int32_t face = v.i32(S::direction);
        if (session_.version <= 47 && (face == -1 || face == 255)) {
            tell(protocol::UseItem{});
            return;
        }
        protocol::Place e{block_in(v), face, v.f32(S::cursor_x), v.f32(S::cursor_y),
                          v.f32(S::cursor_z)};
        if (!v.is_real(S::cursor_x)) {
            e.cursor_x /= old_cursor_steps;
            e.cursor_y /= old_cursor_steps;
            e.cursor_z /= old_cursor_steps;
        }
        e.hand = hand();
        e.sequence = v.i32(S::sequence);
        tell(e);
    }

    void entity_action() noexcept {
        const Values& v = values_;
        tell(protocol::EntityAction{v.i32(S::entity_id),
                                    entity_action_kind(session_.version, v.i32(S::action_id)),
                                    v.i32(S::jump_boost)});
    }

    void seldom() noexcept {
        const Values& v = values_;
        switch (frame_.packet) {
            case Packet::chat:
            case Packet::chat_message:
                chat();
                return;
            case Packet::chat_command:
            case Packet::chat_command_signed:
                text(TextField::command, v.text(S::command));
                return;
            case Packet::tab_complete:
                text(TextField::tab_complete, v.text(S::text));
                return;
            case Packet::update_sign:
                for (const Slot line : {S::text1, S::text2, S::text3, S::text4}) {
                    text(TextField::sign, v.text(line));
                }
                return;
            case Packet::edit_book:  // Up to 755 the book is an item, its pages in NBT.
                text(TextField::book, as_text(v.bytes(S::new_book_nbt_data)));
                text(TextField::book, v.text(S::title));
                return;
            case Packet::name_item:
                text(TextField::item_name, v.text(S::name));
                return;
            case Packet::abilities: {
                constexpr int64_t flying = 2;
                tell(protocol::FlyingClaimed{(v.integer(S::flags) & flying) != 0});
                return;
            }
            case Packet::client_command:
                if (v.integer(S::action_id) + v.integer(S::payload) == 0) {
                    tell(protocol::Respawned{});
                }
                return;
            case Packet::player_input:
                input();
                return;
            case Packet::vehicle_move:
                tell(protocol::VehicleMoved{position_in(v), rotation_in(v)});
                return;
            default:
                common();
        }
    }

    /// Before 759 a command is a chat message that starts with a slash.
    void chat() noexcept {
        std::string_view words = values_.text(S::message);
        if (frame_.packet == Packet::chat && words.starts_with('/')) {
            words.remove_prefix(1);
            text(TextField::command, words);
        } else {
            text(TextField::chat, words);
        }
    }

    void input() noexcept {
        constexpr unsigned sneak_bit = 5;  // After forward, backward, left, right and jump.
        tell(protocol::PlayerInput{.sneak = (values_.integer(S::inputs) >> sneak_bit & 1) != 0});
    }

    Session& session_;
    const Frame& frame_;
    Values& values_;
    Listener& listener_;
};

}  // namespace portcullis::minecraft
