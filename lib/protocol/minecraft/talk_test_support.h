#pragma once

#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <typeinfo>
#include <vector>

#include <zlib.h>

#include "base/reader.h"
#include "base/writer.h"
#include "protocol/minecraft/decoder.h"

/// For tests: packets made by hand, and a conversation that one can listen to.
namespace portcullis::minecraft::testing {

/// Bytes under construction; integers big-endian as on the wire.
class Made {
public:
    Made& u8(int v) { return raw(std::string(1, static_cast<char>(v))); }
    Made& boolean(bool v) { return u8(v ? 1 : 0); }
    Made& i16(int v) {
        return with([&](Writer& w) { w.u16(static_cast<uint16_t>(v)); });
    }
    Made& i32(int64_t v) {
        return with([&](Writer& w) { w.u32(static_cast<uint32_t>(v)); });
    }
    Made& i64(int64_t v) {
        return with([&](Writer& w) { w.u64(static_cast<uint64_t>(v)); });
    }
    Made& f32(float v) {
        return with([&](Writer& w) { w.f32(v); });
    }
    Made& f64(double v) {
        return with([&](Writer& w) { w.f64(v); });
    }
    Made& varint(int32_t v) {
        return with([&](Writer& w) { w.varint(static_cast<uint32_t>(v)); });
    }
    Made& text(std::string_view v) { return varint(static_cast<int32_t>(v.size())).raw(v); }
    Made& raw(std::string_view v) {
        bytes_ += v;
        return *this;
    }
    const std::string& str() const { return bytes_; }

private:
    template <class Write>
    Made& with(Write&& write) {
        std::array<std::byte, 16> room;
        Writer writer(room);
        write(writer);
        return raw(as_text(writer.written()));
    }
    std::string bytes_;
};

/// A packet: its id, then what is added.
inline Made packet(int32_t id) { return Made().varint(id); }

inline std::string plain_frame(std::string_view body) {
    return Made().varint(static_cast<int32_t>(body.size())).raw(body).str();
}

inline std::string deflated(std::string_view body) {
    std::string out(compressBound(body.size()), '\0');
    uLongf size = out.size();
    compress(reinterpret_cast<Bytef*>(out.data()), &size,
             reinterpret_cast<const Bytef*>(body.data()), body.size());
    out.resize(size);
    return out;
}

/// A frame of a compressed session: inflates to `body`, says it does to `declared`.
inline std::string packed_frame(std::string_view body, int32_t declared) {
    return plain_frame(Made().varint(declared).raw(deflated(body)).str());
}
inline std::string packed_frame(std::string_view body) {
    return packed_frame(body, static_cast<int32_t>(body.size()));
}
/// A frame of a compressed session that is short enough to stay as it is.
inline std::string small_frame(std::string_view body) {
    return plain_frame(Made().varint(0).raw(body).str());
}

/// Writes down what it hears, a line each.
class Recorder {
public:
    void frame(const Frame& f) {
        std::ostringstream line;
        line << name_in(protocol::direction_names, f.direction) << ' '
             << name_in(state_names, f.state) << ' ' << f.name() << ' ' << f.wire_size
             << (f.has_body ? "" : " unread");
        frames.push_back(line.str());
        names.push_back(std::string(f.name()));
    }

    /// What a key feed would know.
    std::optional<Cfb8::Secret> key;
    const Cfb8::Secret* secret() noexcept { return key ? &*key : nullptr; }

    void on(const protocol::Malformed& e) {
        add() << "Malformed " << name_in(protocol::fault_names, e.fault)
              << (e.from_server ? " by the server" : "");
    }
    void on(const protocol::Handshake& e) {
        add() << "Handshake " << e.version << ' ' << e.host << ':' << e.port << ' ' << int(e.next);
    }
    void on(const protocol::IdentityForwarded& e) {
        const bool velocity = e.way == protocol::IdentityForwarded::Way::velocity;
        add() << "Forwarded by " << (velocity ? "velocity " : "bungeecord ")
              << (e.readable ? to_string(e.address) : "unreadable") << ' ' << e.name;
    }
    void on(const protocol::ForwardingDeclined&) { add() << "ForwardingDeclined"; }
    void on(const protocol::LoginStart& e) { add() << "LoginStart " << e.name; }
    void on(const protocol::LoggedIn& e) {
        add() << "LoggedIn " << e.name << ' ' << int(e.uuid[0]) << ' ' << int(e.uuid[15]);
    }
    void on(const protocol::BecameOpaque&) { add() << "BecameOpaque"; }
    void on(const protocol::LegacyPing&) { add() << "LegacyPing"; }
    void on(const protocol::StatusRequested&) { add() << "StatusRequested"; }
    void on(const protocol::Disconnected& e) { add() << "Disconnected " << e.reason; }
    void on(const protocol::Move& e) {
        std::ostream& line = add() << "Move";
        if (e.has_position) {
            line << " at " << e.position.x << ' ' << e.position.y << ' ' << e.position.z;
        }
        if (e.has_rotation) line << " looks " << e.rotation.yaw << ' ' << e.rotation.pitch;
        line << (e.on_ground ? " ground" : " air") << (e.against_wall ? " wall" : "");
    }
    void on(const protocol::TickEnded&) { add() << "TickEnded"; }
    void on(const protocol::TeleportConfirmed& e) { add() << "TeleportConfirmed " << e.id; }
    void on(const protocol::PlayerInput& e) { add() << "PlayerInput " << e.sneak; }
    void on(const protocol::Attack& e) { add() << "Attack " << e.target; }
    void on(const protocol::Interact& e) {
        add() << "Interact " << e.target << ' ' << e.at << ' ' << e.x << ' ' << e.y << ' ' << e.z;
    }
    void on(const protocol::Swing& e) { add() << "Swing " << int(e.hand); }
    void on(const protocol::Dig& e) {
        add() << "Dig " << int(e.status) << ' ' << block(e.block) << ' ' << int(e.face) << ' '
              << e.sequence;
    }
    void on(const protocol::Place& e) {
        add() << "Place " << block(e.block) << ' ' << e.face << ' ' << e.cursor_x << ' '
              << e.cursor_y << ' ' << e.cursor_z << " hand " << int(e.hand) << ' ' << e.sequence;
    }
    void on(const protocol::UseItem& e) { add() << "UseItem " << int(e.hand) << ' ' << e.sequence; }
    void on(const protocol::EntityAction& e) {
        add() << "EntityAction " << e.entity << ' ' << int(e.kind) << ' ' << e.jump_boost;
    }
    void on(const protocol::FlyingClaimed& e) { add() << "FlyingClaimed " << e.flying; }
    void on(const protocol::SlotSelected& e) { add() << "SlotSelected " << e.slot; }
    void on(const protocol::Text& e) { add() << "Text " << int(e.field) << ' ' << e.text; }
    void on(const protocol::PluginMessage& e) {
        add() << "PluginMessage " << e.channel << ' ' << e.data.size();
    }
    void on(const protocol::VehicleMoved& e) { add() << "VehicleMoved " << e.position.x; }
    void on(const protocol::KeepAliveSent& e) { add() << "KeepAliveSent " << e.id; }
    void on(const protocol::KeepAliveAnswered& e) { add() << "KeepAliveAnswered " << e.id; }
    void on(const protocol::PingSent& e) { add() << "PingSent " << e.id; }
    void on(const protocol::PingAnswered& e) { add() << "PingAnswered " << e.id; }
    void on(const protocol::ServerHasMods&) { add() << "ServerHasMods"; }
    void on(const protocol::Joined& e) { add() << "Joined " << e.self << ' ' << int(e.mode); }
    void on(const protocol::WorldChanged& e) { add() << "WorldChanged " << int(e.mode); }
    void on(const protocol::GameModeChanged& e) { add() << "GameModeChanged " << int(e.mode); }
    void on(const protocol::Teleported& e) {
        add() << "Teleported " << e.relative_x << e.relative_y << e.relative_z << e.relative_yaw
              << e.relative_pitch << ' ' << e.position.x << ' ' << e.position.y << ' '
              << e.position.z << ' ' << e.rotation.yaw << ' ' << e.rotation.pitch << " id "
              << (e.has_id ? e.id : -1);
    }
    void on(const protocol::RotationSet& e) {
        add() << "RotationSet " << e.relative_yaw << e.relative_pitch << ' ' << e.rotation.yaw
              << ' ' << e.rotation.pitch;
    }
    void on(const protocol::Velocity& e) {
        add() << "Velocity " << e.entity << ' ' << e.x << ' ' << e.y << ' ' << e.z;
    }
    void on(const protocol::Exploded& e) {
        add() << "Exploded " << e.x << ' ' << e.y << ' ' << e.z;
    }
    void on(const protocol::EffectGiven& e) {
        add() << "EffectGiven " << e.entity << ' ' << int(e.effect) << ' ' << int(e.amplifier);
    }
    void on(const protocol::EffectTaken& e) {
        add() << "EffectTaken " << e.entity << ' ' << int(e.effect);
    }
    void on(const protocol::AttributeSet& e) {
        add() << "AttributeSet " << e.entity << ' ' << int(e.attribute) << ' ' << e.value
              << (e.sprinting ? " sprinting" : "");
    }
    void on(const protocol::AbilitiesSet& e) {
        add() << "AbilitiesSet " << e.invulnerable << e.flying << e.may_fly << e.creative << ' '
              << e.fly_speed << ' ' << e.walk_speed;
    }
    void on(const protocol::HealthSet& e) { add() << "HealthSet " << e.health << ' ' << e.food; }
    void on(const protocol::EntitySpawned& e) {
        add() << "EntitySpawned " << e.entity << (e.is_player ? " player " : " ") << e.type << ' '
              << e.position.x << ' ' << e.position.y << ' ' << e.position.z;
    }
    void on(const protocol::EntityMoved& e) {
        add() << "EntityMoved " << e.entity << ' ' << e.dx << ' ' << e.dy << ' ' << e.dz;
    }
    void on(const protocol::EntityPlaced& e) {
        add() << "EntityPlaced " << (e.relative_x ? "~x " : "") << (e.relative_y ? "~y " : "")
              << (e.relative_z ? "~z " : "") << e.entity << ' ' << e.position.x << ' '
              << e.position.y << ' ' << e.position.z;
    }
    void on(const protocol::EntityGone& e) { add() << "EntityGone " << e.entity; }
    void on(const protocol::Mounted& e) { add() << "Mounted " << e.vehicle << ' ' << e.rider; }
    void on(const protocol::TickRateSet& e) {
        add() << "TickRateSet " << e.rate << ' ' << e.frozen;
    }
    void on(const protocol::Pulled& e) { add() << "Pulled " << e.hook; }
    void on(const protocol::CameraSet& e) { add() << "CameraSet " << e.entity; }
    void on(const protocol::PoseSet& e) {
        add() << "PoseSet " << e.entity << ' ' << e.gliding << e.swimming << e.spin_attack
              << e.sneaking << e.sprinting;
    }
    void on(const protocol::WorldTime&) { add() << "WorldTime"; }

    /// The events since the last call, joined by "; ".
    std::string heard() {
        std::string all;
        for (const std::string& line : events()) all += (all.empty() ? "" : "; ") + line;
        lines_.clear();
        return all;
    }
    std::vector<std::string> events() const {
        std::vector<std::string> out;
        for (const auto& line : lines_) out.push_back(line.str());
        return out;
    }

    std::vector<std::string> frames;
    std::vector<std::string> names;

private:
    static std::string block(protocol::BlockPosition b) {
        return std::to_string(b.x) + ' ' + std::to_string(b.y) + ' ' + std::to_string(b.z);
    }
    std::ostream& add() { return lines_.emplace_back(); }

    std::vector<std::ostringstream> lines_;
};

/// One direction's bytes on their way to the decoder, as a Stream would offer them.
struct Pipe {
    std::string waiting;
    size_t skip = 0;
    bool finished = false;
};

/// A connection whose two ends one can play.
class Talk {
public:
    explicit Talk(const Decoder::Settings& settings = Decoder::Settings()) : decoder(settings) {}

    void client(std::string_view bytes) { send(Direction::to_server, bytes); }
    void server(std::string_view bytes) { send(Direction::to_client, bytes); }

    void send(Direction direction, std::string_view bytes) {
        Pipe& pipe = pipes[static_cast<size_t>(direction)];
        if (pipe.finished) return;
        const size_t skipped = std::min(pipe.skip, bytes.size());
        pipe.skip -= skipped;
        pipe.waiting += bytes.substr(skipped);
        if (pipe.waiting.empty()) return;
        // A copy of the exact size, so that a sanitizer sees every read behind it.
        const std::vector<char> exact(pipe.waiting.begin(), pipe.waiting.end());
        const auto progress =
            decoder.feed(session, direction, as_bytes(exact.data(), exact.size()), recorder);
        pipe.waiting.erase(0, progress.consumed);
        pipe.skip = progress.skip;
        pipe.finished = progress.finished;
    }

    /// Plays a login up to the play state, uncompressed unless `threshold` says so.
    void log_in(int32_t version, int32_t threshold = -1);

    /// Frames as the session wants them.
    std::string framed(const Made& body) const {
        if (session.threshold < 0) return plain_frame(body.str());
        return static_cast<int32_t>(body.str().size()) >= session.threshold
                   ? packed_frame(body.str())
                   : small_frame(body.str());
    }
    std::string client_says(const Made& body) {
        client(framed(body));
        return recorder.heard();
    }
    std::string server_says(const Made& body) {
        server(framed(body));
        return recorder.heard();
    }

    Decoder decoder;
    Session session;
    Recorder recorder;
    std::array<Pipe, 2> pipes;
};

inline Made handshake(int32_t version, int32_t next) {
    return packet(0).varint(version).text("play.example").i16(25565).varint(next);
}

inline void Talk::log_in(int32_t version, int32_t threshold) {
    client(framed(handshake(version, 2)));
    Made start = packet(0).text("Alice");
    if (version >= 764) start.raw(std::string(16, '\7'));
    if (version == 759) start.boolean(false);
    if (version == 760) start.boolean(false).boolean(false);
    if (version >= 761 && version < 764) start.boolean(false);
    client(framed(start));
    if (threshold >= 0) server(framed(packet(3).varint(threshold)));
    Made success = packet(2);
    if (version >= 735) {
        success.raw(std::string(16, '\7'));
    } else {
        success.text("07070707-0707-0707-0707-070707070707");
    }
    success.text("Alice");
    if (version >= 759) success.varint(0);
    if (version == 766 || version == 767) success.boolean(true);
    server(framed(success));
    if (version >= 764) {
        client(framed(packet(3)));
        const int32_t finish = version >= 766 ? 3 : 2;
        server(framed(packet(finish)));
        client(framed(packet(finish)));
    }
    recorder.heard();
}

}  // namespace portcullis::minecraft::testing
