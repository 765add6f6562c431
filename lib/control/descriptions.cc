#include "control/descriptions.h"

#include <algorithm>
#include <utility>

#include "verdicts/json.h"

namespace portcullis::control {

namespace {

using Json = Descriptions::Json;
using std::chrono::steady_clock;

/// One value, or the two between which it is.
template <class T>
Json between(const T& low, const T& high) {
    return low == high ? Json(low) : Json{{"low", low}, {"high", high}};
}

Json effects(const verdicts::PlayerContext& context) {
    Json json = Json::object();
    for (size_t i = 0; i < context.effects.size(); ++i) {
        const auto [low, high] = context.effects[i];
        if (high == 0) continue;
        json[std::string(protocol::effect_names[i])] = between(low, high);
    }
    return json;
}

}  // namespace

Json json_of(const verdicts::PlayerContext& context) {
    const auto name = [](protocol::GameMode mode) {
        return name_in(protocol::game_mode_names, mode);
    };
    const auto& [x, y, z] = context.position;
    Json json = {{"heard", verdicts::time_text(context.time)}, {"entity", context.entity}};
    json["position"] = context.placed ? Json{{"x", x}, {"y", y}, {"z", z}} : Json(nullptr);
    json["rotation"] = {{"yaw", context.rotation.yaw}, {"pitch", context.rotation.pitch}};
    json["game_mode"] = between(name(context.mode.low), name(context.mode.high));
    json["effects"] = effects(context);
    json["latency_ms"] = context.measured ? Json{{"low", to_milliseconds(context.latency.low)},
                                                 {"high", to_milliseconds(context.latency.high)}}
                                          : Json(nullptr);
    json["health"] = context.health;
    json["food"] = context.food;
    json["movement_speed"] = context.movement_speed;
    json["ticks"] = context.ticks;
    json["entities"] = context.entities;
    Json& is = json["is"] = Json::array();
    const std::pair<const char*, bool> traits[] = {
        {"on_ground", context.on_ground},     {"alive", context.alive},
        {"sneaking", context.sneaking},       {"sprinting", context.sprinting},
        {"able_to_fly", context.may_fly},     {"perhaps_gliding", context.may_glide},
        {"perhaps_riding", context.may_ride}, {"perhaps_swimming", context.may_swim}};
    for (const auto& [trait, holds] : traits) {
        if (holds) is.push_back(trait);
    }
    return json;
}

void Descriptions::ask(const PlayerRegistry::Entry& about, Answer answer) {
    verdicts::Order order;
    order.kind = verdicts::Order::Kind::describe;
    order.client = about.client;
    order.server = about.server;
    const bool can_tell = about.protocol == protocol::Protocol::minecraft && !about.opaque;
    if (!can_tell || waiting_.size() >= waiting_max || !orders_.give(order)) return answer(nullptr);
    waiting_.push_back(
        {about.client, about.server, steady_clock::now() + patience, std::move(answer)});
}

void Descriptions::heard(std::span<const verdicts::PlayerContext> contexts) {
    for (const verdicts::PlayerContext& context : contexts) {
        const auto is_his = [&](const Waiting& waiting) {
            return waiting.client == context.client && waiting.server == context.server;
        };
        for (const Waiting& waiting : waiting_) {
            if (is_his(waiting)) waiting.answer(json_of(context));
        }
        std::erase_if(waiting_, is_his);
    }
}

void Descriptions::give_up(steady_clock::time_point now) {
    const auto is_over = [&](const Waiting& waiting) { return now >= waiting.until; };
    for (const Waiting& waiting : waiting_) {
        if (is_over(waiting)) waiting.answer(nullptr);
    }
    std::erase_if(waiting_, is_over);
}

}  // namespace portcullis::control
