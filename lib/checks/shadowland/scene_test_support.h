#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "checks/shadowland/shadowland.h"

/// For tests: tells messages to all checks of Shadowland and to a Player as the stages do, at
/// times that the story names.
namespace portcullis::checks {

class ShadowScene {
public:
    static constexpr double ground = 1'000, step = 1;
    using Set = CheckSet<Shadowland, shadowland::Player>;

    ShadowScene() : pool_(64), maps_(configuration()), player(pool_, maps_) {
        player.now = 1'000s;
        enter({409'000, 409'000, ground});
    }

    /// The server puts him there, in the packet of this sequence.
    void enter(const shadowland::Place& at, uint16_t map = 1) {
        shadowland::CreateEntity self;
        self.entity = 1;
        self.bits = shadowland::CreateEntity::is_self;
        self.map = map;
        self.position = triple(at);
        self.flags = {.state = shadowland::state::alive, .buffs = 0, .hp = 255, .mana = 255};
        from_server(self);
    }
    void correct(const shadowland::Place& to) {
        shadowland::UpdateEntity update;
        update.entity = 1;
        update.fields.delta = shadowland::delta::position;
        update.fields.position = triple(to);
        from_server(update);
    }
    void change(uint8_t state, uint8_t buffs) {
        shadowland::UpdateEntity update;
        update.entity = 1;
        update.fields.delta = shadowland::delta::flags;
        update.fields.flags = {.state = state, .buffs = buffs, .hp = 255, .mana = 255};
        from_server(update);
    }
    void create(uint32_t entity, uint8_t type, const shadowland::Place& at) {
        shadowland::CreateEntity other;
        other.entity = entity;
        other.type = type;
        other.position = triple(at);
        from_server(other);
        show(entity, type, at);
    }
    void update(uint32_t entity, const shadowland::Place& at) {
        shadowland::UpdateEntity moved;
        moved.entity = entity;
        moved.fields.delta = shadowland::delta::position;
        moved.fields.position = triple(at);
        from_server(moved);
        const shadowland::Entity* known = player.known.find(entity);
        if (known != nullptr) show(entity, known->type, at);
    }
    /// His acknowledgements say that he has all of it.
    void delivered() { player.on(shadowland::Delivered{channel, player.sequence}); }
    template <class Message>
    void from_server(const Message& message) {
        ++player.sequence;
        player.channel = channel;
        if constexpr (requires { player.on(message); }) player.on(message);
        tell(message);
    }
    void missed(bool reliable) {
        tell(shadowland::Missed{reliable});
        player.on(shadowland::Missed{reliable});
    }

    void sync(const shadowland::Place& at, uint8_t state = 0) { sync_made(clock_ms(), at, state); }
    /// One that he made then.
    void sync_made(uint32_t time_ms, const shadowland::Place& at, uint8_t state = 0) {
        shadowland::Synced synced;
        synced.client_time_ms = time_ms;
        synced.sequence = sequences_ += 2;
        synced.has_position = true;
        synced.position = at;
        synced.step = step;
        synced.has_state = true;
        synced.state = state;
        tell(synced);
        player.on(synced);
    }
    void act(uint32_t action, uint32_t target, uint16_t request = 1) {
        shadowland::Acted acted;
        acted.request_id = request;
        acted.client_time_ms = clock_ms();
        acted.sequence = sequences_ += 2;
        acted.action = action;
        acted.has_target = true;
        acted.target = target;
        act(acted);
    }
    void act_at(uint32_t action, const shadowland::Place& point) {
        shadowland::Acted acted;
        acted.client_time_ms = clock_ms();
        acted.sequence = sequences_ += 2;
        acted.action = action;
        acted.has_point = true;
        acted.point = point;
        act(acted);
    }
    void act(const shadowland::Acted& acted) {
        tell(acted);
        player.on(acted);
    }
    template <class Event>
    void tell(const Event& event) {
        Findings found;
        checks_.deliver(event, player, settings, found);
        for (const Finding& finding : found) said.push_back(finding);
    }
    /// The gravest that one check has said.
    float found(std::string_view check) const {
        float most = 0;
        for (const Finding& finding : said) {
            if (Set::names[finding.check] == check) most = std::max(most, finding.confidence);
        }
        return most;
    }
    uint32_t clock_ms() const {
        return static_cast<uint32_t>(to_milliseconds(player.now) * clock_rate) + clock_offset_ms;
    }

    double clock_rate = 1;
    uint32_t clock_offset_ms = 0;
    shadowland::Channel channel = shadowland::Channel::reliable_ordered;  ///< Of the server.
    Set::Settings settings;
    std::vector<Finding> said;

private:
    static config::Shadowland configuration() {
        config::Shadowland config{.maps = {}};
        config::Shadowland::Map& map = config.maps.emplace_back();  // The wire document's first.
        map.section = {25'600, 25'600, 6'400};
        map.sections_per_component = {4, 4, 1};
        map.components = {8, 8, 4};
        map.step = step;
        map.ground = ground;
        config::Shadowland::Wall& wall = map.walls.emplace_back();
        wall.min = {412'000, 400'000, 0};
        wall.max = {412'200, 420'000, 3'000};
        config::Shadowland::Map& second = config.maps.emplace_back();
        second.id = 2;
        second.section = {12'800, 12'800, 3'200};
        second.sections_per_component = {2, 2, 1};
        second.components = {4, 4, 2};
        second.step = step;
        second.ground = 500;
        return config;
    }
    static shadowland::Triple triple(const shadowland::Place& p) {
        return {static_cast<float>(p.x), static_cast<float>(p.y), static_cast<float>(p.z)};
    }
    void show(uint32_t entity, uint8_t type, const shadowland::Place& at) {
        tell(shadowland::Shown{entity, type, at});
    }

    uint64_t sequences_ = 0;
    shadowland::EntityPool pool_;
    shadowland::Maps maps_;
    Set checks_;

public:
    shadowland::Player player;
};

}  // namespace portcullis::checks
