#pragma once

#include <span>
#include <string>

#include "checks/movement/movement.h"
#include "checks/movement/vanilla_test_support.h"
#include "checks/timing/timing.h"

/// A player, his server and a line of 60 ms each way, to tell of moments that vanilla's
/// feet alone do not make.
namespace portcullis::checks::testing {

constexpr protocol::EntityId self = 7;
constexpr Nanos line = 60ms;

/// A player, his server and the line between them.
struct Scene {
    using Both = JoinedLists<Movement, Timing>;

    explicit Scene(int32_t protocol_version) : version(protocol_version), wire(protocol_version) {
        wire.delay = [](Nanos) { return line; };
    }
    /// The server says it so that it reaches the client about now.
    void told(const Told& what) { wire.is_told(now - line, what); }
    void tick() { walker.tick(), tell(); }
    void ticks(int n) {
        for (int i = 0; i < n; ++i) tick();
    }
    /// Moves by a rule of its own in place of feet.
    void move(double dx, double dy, bool ground = false) {
        walker.at.x += dx;
        walker.at.y += dy;
        walker.on_ground = ground;
        tell();
    }
    void put(const protocol::Position& place) {
        told(teleport(++teleports, place));
        arrive(teleports, place);
    }
    static protocol::Teleported teleport(int32_t id, const protocol::Position& place) {
        protocol::Teleported to{};
        to.position = place;
        to.has_id = true;
        to.id = id;
        return to;
    }
    void arrive(int32_t id, const protocol::Position& place) {
        wire.answers_teleport(now, id, place);
        walker.at = place;
        walker.vx = walker.vy = 0;
        walker.on_ground = false;
    }
    Connection<Both>::Acts play() {
        wire.keeps_alive(now);
        return wire.play();
    }

    int32_t version;
    Connection<Both> wire;
    Walker walker;
    Nanos now = 1s;
    int32_t teleports = 0;

private:
    void tell() {
        wire.ticks(now, walker, walker.on_ground);
        now += game_tick;
    }
};

inline const protocol::Dig let_go{static_cast<uint8_t>(protocol::Dig::Status::release_item), {}, 0};
/// Of one that he has held in use for twelve ticks.
inline void lets_go_of_an_item(Scene& s) {
    s.wire.says(s.now - 12 * game_tick, protocol::UseItem{});
    s.wire.says(s.now, let_go);
}

/// When what a story tells of came to the game; protocol numbers.
constexpr int32_t since_1_8 = 47, since_1_9 = 107, since_1_13 = 393, since_1_17 = 755,
                  since_1_20_5 = 766, since_1_21 = 767;
constexpr int32_t versions[] = {47, 340, 754, 765, 769, 775};

struct Rare {
    const char* name;
    int32_t since;
    void (*happens)(Scene&);
};

/// Plays each story in every version that has it; what acted, as a sentence, or nothing.
template <class Said>
void play_all(std::span<const Rare> stories, Said&& said) {
    for (const Rare& story : stories) {
        for (const int32_t version : versions) {
            if (version < story.since) continue;
            Scene scene(version);
            scene.ticks(30);
            story.happens(scene);
            scene.ticks(60);
            const auto acts = scene.play();
            if (acts.count == 0) continue;
            said(std::string(story.name) + ", protocol " + std::to_string(version) + ": " +
                 std::string(acts.check) + " after " + std::to_string(to_seconds(acts.first)) +
                 " s");
        }
    }
}

}  // namespace portcullis::checks::testing
