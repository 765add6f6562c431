#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <variant>
#include <vector>

#include "checks/check.h"
#include "player/player.h"

/// A vanilla client's feet and clock, and a line that delays what it says: so
/// that tests of movement and timing tell stories in the game's own words.
namespace portcullis::checks::testing {

/// Where a walker walks: heights and slipperiness by place.
struct World {
    std::function<double(double x)> ground = [](double) { return 64.0; };
    std::function<double(double x)> slip = [](double) { return 0.6; };
    double water_surface = -1000;
    double ceiling = 1000;
};

/// The player's physics of the vanilla client, along x, written from its update
/// rules: push off, gain, move, fall, lose.
struct Walker {
    World world;
    protocol::Position at{0, 64, 0};
    double vx = 0, vy = 0;
    bool on_ground = true;
    // What he wants.
    int forward = 0;
    bool sprint = false, jump = false, sneak = false;
    bool turns = false;  ///< His head, in every tick.
    float yaw = 0;
    // What he is.
    double attribute = 0.1, jump_strength = 0.42, gravity = 0.08, step_height = 0.6;
    // What cheats change.
    double gain_factor = 1;
    int jump_delay = 0;

    bool in_water() const { return at.y < world.water_surface; }

    void tick() {
        if (std::abs(vx) < 0.003) vx = 0;
        if (std::abs(vy) < 0.003) vy = 0;
        if (turns) yaw += 0.7f;
        if (jump_delay > 0) --jump_delay;
        if (!jump) jump_delay = 0;
        const bool wet = in_water();
        if (jump && wet) {
            vy += 0.04;
        } else if (jump && on_ground && jump_delay == 0) {
            vy = jump_strength;
            if (sprint) vx += 0.2 * forward;
            jump_delay = 10;
        }
        const double slip = on_ground ? world.slip(at.x) : 1;
        const double speed = attribute * (sprint ? 1.3 : 1) * gain_factor;
        double gain = on_ground ? speed * 0.21600002 / (slip * slip * slip)
                                : (sprint ? 0.026 : 0.02) * gain_factor;
        if (wet) gain = 0.02;
        vx += gain * 0.98 * forward * (sneak ? 0.3 : 1);
        const double drag = wet ? 0.8 : on_ground ? slip * 0.91 : 0.91;
        move();
        vx *= drag;
        vy = wet ? vy * 0.8 - 0.005 : (vy - gravity) * 0.98;
    }

    void move() {
        const double floor_here = world.ground(at.x + vx);
        if (floor_here > at.y + std::max(vy, 0.0) + 1e-9) {
            const bool steps = on_ground && floor_here - at.y <= step_height;
            if (steps) {
                at.x += vx;
                at.y = floor_here;
                vy = 0;
                return;
            }
            vx = 0;  // A wall.
        }
        at.x += vx;
        double y = at.y + vy;
        const double floor = world.ground(at.x);
        on_ground = y <= floor && vy < 0;
        if (on_ground) y = floor, vy = 0;
        if (y + 1.8 > world.ceiling && vy > 0) y = world.ceiling - 1.8, vy = 0;
        at.y = y;
    }
};

using Said = std::variant<protocol::Move, protocol::TickEnded, protocol::KeepAliveAnswered,
                          protocol::TeleportConfirmed, protocol::EntityAction, protocol::Dig,
                          protocol::UseItem, protocol::Respawned>;
using Told =
    std::variant<protocol::KeepAliveSent, protocol::Teleported, protocol::Velocity,
                 protocol::EffectGiven, protocol::EffectTaken, protocol::GameModeChanged,
                 protocol::AbilitiesSet, protocol::Exploded, protocol::Pulled, protocol::Mounted,
                 protocol::EntitySpawned, protocol::LoggedIn, protocol::WorldChanged,
                 protocol::PoseSet, protocol::AttributeSet, protocol::WorldTime>;

/// One connection: what both ends said and when, until `play` delivers it all to
/// a Player and his checks in the order in which a wire would see it.
template <class List>
class Connection {
public:
    static constexpr protocol::EntityId self = 7;

    explicit Connection(int32_t version) : version_(version) {
        player_.version = version;
        player_.on(protocol::Joined{self, protocol::GameMode::survival});
    }

    /// The line's delay to the appliance at a moment; it keeps the order.
    std::function<Nanos(Nanos)> delay = [](Nanos) { return Nanos{30ms}; };

    /// A proxy that translates versions stands between the client and the wire.
    void is_translated() { player_.line.translated = true; }
    void says(Nanos when, const Said& what) { said_.push_back({when, what}); }
    void is_told(Nanos when, const Told& what) { told_.push_back({when, what}); }
    /// The server asks every four seconds; the client answers as it hears it.
    void keeps_alive(Nanos until) {
        int64_t id = 1000;
        for (Nanos at = 500ms; at < until; at += 4s, ++id) {
            is_told(at, protocol::KeepAliveSent{id});
            says(at + delay(at), protocol::KeepAliveAnswered{id});
        }
    }
    /// The answer to a teleport: the place with a look, bit for bit.
    void answers_teleport(Nanos when, int32_t id, const protocol::Position& place) {
        if (version_ >= 107) says(when, protocol::TeleportConfirmed{id});
        protocol::Move move;
        move.has_position = move.has_rotation = true;
        move.position = last_ = place;
        says(when, move);
        since_place_ = 0;
        last_ground_ = first_ = false;
    }
    /// What a client of this version sends of a tick of `walker`.
    void ticks(Nanos when, const Walker& walker, bool claim_ground) {
        const double dx = walker.at.x - last_.x, dy = walker.at.y - last_.y;
        const double least = version_ >= 758 ? 2e-4 : 0.03;
        const bool place = first_ || dx * dx + dy * dy > least * least || ++since_place_ >= 20;
        const bool bare = version_ < 107 || claim_ground != last_ground_;
        if (place || bare || walker.turns) {
            protocol::Move move;
            move.has_position = place;
            move.has_rotation = walker.turns;
            move.on_ground = claim_ground;
            move.position = walker.at;
            move.rotation.yaw = walker.yaw;
            says(when, move);
        }
        if (place) {
            last_ = walker.at;
            since_place_ = 0;
            first_ = false;
        }
        last_ground_ = claim_ground;
    }

    struct Acts {
        size_t count = 0;       ///< Findings that act.
        size_t suspicions = 0;  ///< Those that do not.
        Nanos first{};
        std::string_view check;
    };
    Acts play() {
        std::stable_sort(said_.begin(), said_.end(),
                         [](const auto& a, const auto& b) { return a.when < b.when; });
        std::stable_sort(told_.begin(), told_.end(),
                         [](const auto& a, const auto& b) { return a.when < b.when; });
        Nanos arrived{};
        auto told = told_.begin();
        for (const auto& [when, what] : said_) {
            arrived = std::max(arrived, when + delay(when));
            for (; told != told_.end() && told->when <= arrived; ++told) {
                player_.now = told->when;
                player_.on(protocol::PacketSeen{.name = "", .wire_bytes = 9, .from_server = true});
                std::visit([&](const auto& e) { player_.on(e); }, told->what);
            }
            player_.now = arrived;
            std::visit([&](const auto& e) { hear(e); }, what);
        }
        return acts_;
    }
    const Player& player() const { return player_; }

private:
    template <class What>
    struct At {
        Nanos when;
        What what;
    };
    template <class Event>
    void hear(const Event& e) {
        checks_.deliver(e, player_, settings_, findings_);
        player_.on(e);
        for (const Finding& finding : findings_) {
            if (finding.confidence < 0.95f) {
                ++acts_.suspicions;
                continue;
            }
            if (acts_.count++ == 0) {
                acts_.first = player_.now;
                acts_.check = CheckSet<List>::names[finding.check];
            }
        }
        findings_.clear();
    }

    int32_t version_;
    Player player_;
    CheckSet<List> checks_;
    typename CheckSet<List>::Settings settings_;
    Findings findings_;
    std::vector<At<Said>> said_;
    std::vector<At<Told>> told_;
    Acts acts_;
    protocol::Position last_{};
    int since_place_ = 0;
    bool first_ = true, last_ground_ = true;
};

/// Lines, for `Connection::delay`.
inline std::function<Nanos(Nanos)> jittered(Nanos base, Nanos swing, uint32_t seed) {
    return [=](Nanos when) {
        // The same delay for all that is said within 20 ms, so that it drifts.
        std::minstd_rand random(seed + static_cast<uint32_t>(when / 20ms));
        random.discard(3);
        return base +
               Nanos(static_cast<int64_t>(random() % static_cast<uint64_t>(swing.count() + 1)));
    };
}
/// Nothing comes through for `length` in every `period`; then all of it at once.
inline std::function<Nanos(Nanos)> stalling(Nanos period, Nanos length) {
    return [=](Nanos when) {
        const Nanos phase = when % period;
        return 30ms + (phase < length ? length - phase : Nanos{0});
    };
}

}  // namespace portcullis::checks::testing
