#include "evidence/context.h"

#include <nlohmann/json.hpp>

#include "evidence/build_id.h"

namespace portcullis::evidence {

namespace {

using Json = nlohmann::ordered_json;

bool of_shadowland(const stages::Snapshot& snapshot) {
    return snapshot.protocol == protocol::Protocol::shadowland;
}

const stages::Account& account_of(const stages::Snapshot& snapshot) {
    if (of_shadowland(snapshot)) return snapshot.shadowland.player();
    return snapshot.watched;
}

Json levels_of(const stages::Snapshot& snapshot, const verdicts::Names& names) {
    Json levels = Json::object();
    for (size_t check = 0; check < names.checks.size(); ++check) {
        const float level =
            account_of(snapshot).tally.level(static_cast<checks::CheckId>(check), snapshot.time);
        if (level > 0) levels[std::string(names.checks[check])] = level;
    }
    return levels;
}

Json shadowland_player_of(const stages::Snapshot& snapshot) {
    const stages::ShadowlandWatched& watched = snapshot.shadowland.player();
    const shadowland::Player& player = watched.player;
    Json json = {
        {"name", std::string(watched.identity.name.view())},
        {"connection_id", watched.connection_id},
        {"encrypted", snapshot.shadowland.session.encrypted},
        {"entity", player.self},
        {"health", player.flags.hp},
        {"state", player.flags.state},
        {"buffs", player.flags.buffs},
        {"latency_ms", player.rtt_ms},
        {"entities", snapshot.shadowland.entities},
    };
    if (snapshot.shadowland.has_map) json["map"] = snapshot.shadowland.map;
    const shadowland::Place& at = player.position;
    if (player.placed) json["position"] = {at.x, at.y, at.z};
    return json;
}

Json player_of(const stages::Snapshot& snapshot) {
    const Player& player = snapshot.watched.player;
    const verdicts::PlayerIdentity& identity = snapshot.watched.identity;
    const auto milliseconds = [](Nanos time) { return to_seconds(time) * 1e3; };
    const auto& at = player.position();
    return {
        {"name", std::string(identity.name.view())},
        {"uuid", verdicts::uuid_text(identity.uuid)},
        {"version", identity.version},
        {"state", std::string(name_in(minecraft::state_names, snapshot.session.halves[0].state))},
        {"position", {at.x, at.y, at.z}},
        {"on_ground", player.on_ground()},
        {"alive", player.alive()},
        {"health", player.health()},
        {"food", player.food()},
        {"sneaking", player.sneaking()},
        {"sprinting", player.sprinting()},
        {"may_fly", player.may_fly()},
        {"may_ride", player.may_ride()},
        {"may_glide", player.may_glide()},
        {"ticks", player.ticks()},
        {"ticks_undisturbed", player.ticks_undisturbed()},
        {"movement_speed_max", player.movement_speed_max()},
        {"latency_ms", milliseconds(player.latency())},
    };
}

}  // namespace

std::string context_text(const stages::Capture& capture, const verdicts::Names& names) {
    const stages::CapturePart& first = capture.parts[capture.oldest].begun()
                                           ? capture.parts[capture.oldest]
                                           : capture.parts[1 - capture.oldest];
    const stages::Snapshot& snapshot = first.snapshot;
    uint32_t frames = 0;
    for (const auto& part : capture.parts) frames += part.begun() ? part.frames() : 0;
    const Json about = {
        {"type", "evidence"},
        {"build", to_string(this_build())},
        {"time", verdicts::time_text(snapshot.time)},
        {"mode", std::string(name_in(verdicts::mode_names, snapshot.mode))},
        {"flow", {{"client", to_string(snapshot.client)}, {"server", to_string(snapshot.server)}}},
        {"packets", frames},
        {"player", of_shadowland(snapshot) ? shadowland_player_of(snapshot) : player_of(snapshot)},
        {"levels", levels_of(snapshot, names)},
    };
    std::string text = about.dump(-1, ' ', false, Json::error_handler_t::replace);
    for (const auto& proven : capture.verdicts()) {
        text += '\n';
        text += verdicts::to_json(proven.record, names);
    }
    return text;
}

}  // namespace portcullis::evidence
