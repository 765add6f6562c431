#include "player/shadowland/player.h"

#include <algorithm>

namespace portcullis::shadowland {

namespace {

/// A reliable message is repeated every 250 ms; after so long the client has it,
/// or the line is as good as dead.
constexpr Nanos delivery_max = 4s;
/// What is on its way and back is known to the client after this, over its RTT.
constexpr Nanos delivery_usual = 1s;

double speed_with(const Flags& flags) noexcept {
    const bool held = (flags.buffs & (buff::frozen | buff::stunned)) != 0 ||
                      (flags.state & state::stunned) != 0 || (flags.state & state::alive) == 0;
    if (held) return 0;
    return (flags.buffs & buff::slowed) != 0 ? Player::walk_speed / 2 : Player::walk_speed;
}

bool acts_with(const Flags& flags) noexcept {
    return (flags.state & state::alive) != 0 &&
           (flags.state & (state::casting | state::stunned)) == 0 &&
           (flags.buffs & (buff::stunned | buff::frozen)) == 0;
}

std::array<int32_t, 3> steps_of(const Place& p, double step) noexcept {
    return {static_cast<int32_t>(std::floor(p.x / step + 0.5)),
            static_cast<int32_t>(std::floor(p.y / step + 0.5)),
            static_cast<int32_t>(std::floor(p.z / step + 0.5))};
}

}  // namespace

Nanos Player::slack() const noexcept {
    return delivery_usual + std::chrono::milliseconds(static_cast<int64_t>(rtt_ms));
}

void Player::on(const CreateEntity& message) noexcept {
    const Place where = place_of(message.position);
    if (message.self()) {
        self = message.entity;
        map = maps_->find(message.map);
        take_flags(message.flags);
        correct(message.position);
        return;
    }
    Entity* entity = known.make(message.entity);
    if (entity == nullptr) return;
    entity->type = message.type & 0x7f;
    entity->put(where);
    entity->steps = steps_of(where, map != nullptr ? map->step : 1);
}

void Player::on(const UpdateEntity& message) noexcept {
    const FullFields& fields = message.fields;
    if (message.entity == self) {
        if (fields.has(delta::flags)) take_flags(fields.flags);
        if (fields.has(delta::position)) correct(fields.position);
        return;
    }
    Entity* entity = known.find(message.entity);
    if (entity != nullptr && fields.has(delta::position)) move(*entity, place_of(fields.position));
}

void Player::on(const UpdateEntityQuantized& message) noexcept {
    const QuantisedFields& fields = message.fields;
    if (message.entity == self) {
        if (fields.has(delta::flags)) take_flags(fields.flags);
        return;
    }
    Entity* entity = known.find(message.entity);
    if (entity == nullptr || map == nullptr || !fields.has(delta::position)) return;
    const auto where = map->place(fields.quadrant, fields.position);
    if (where) move(*entity, *where);
}

void Player::move(Entity& entity, const Place& to) noexcept {
    entity.moved = (to - entity.place()).length() >= 1;
    entity.put(to);
}

void Player::on(const RemoveEntity& message) noexcept { known.forget(message.entity); }

void Player::on(const DeltaSync& message) noexcept {
    if (map == nullptr) return;
    message.for_each([&](const DeltaSync::Entity& moved) noexcept {
        Entity* entity = known.find(moved.entity);
        if (entity == nullptr) return;
        // Sums wrap rather than overflow: the numbers are a stranger's.
        const auto add = [](int32_t a, int32_t b) noexcept {
            return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
        };
        entity->steps = {add(entity->steps[0], moved.dx), add(entity->steps[1], moved.dy),
                         add(entity->steps[2], moved.dz)};
        move(*entity, {entity->steps[0] * map->step, entity->steps[1] * map->step,
                       entity->steps[2] * map->step});
    });
}

void Player::on(const Synced& synced_now) noexcept {
    if (synced && synced_now.client_time_ms < client_time_ms) return;  // An older one, late.
    synced = true;
    client_time_ms = synced_now.client_time_ms;
    if (!synced_now.has_position) return;
    if (Correction* reached = correction_for(synced_now.position)) reached->waiting = false;
    placed = true;
    position = synced_now.position;
    position_at = now;
    position_time_ms = synced_now.client_time_ms;
}

void Player::take_flags(const Flags& said) noexcept {
    if (said.state == flags.state && said.buffs == flags.buffs) return;
    flags_before = flags;
    flags = said;
    flags_at = now;
}

void Player::correct(const Triple& to) noexcept {
    Correction& oldest = *std::ranges::min_element(
        corrections, {}, [](const Correction& c) { return std::pair(c.waiting, c.at); });
    oldest = {to, true, now};
}

Player::Correction* Player::correction_for(const Place& where) noexcept {
    for (Correction& correction : corrections) {
        if (!correction.waiting) continue;
        const Nanos age = now - correction.at;
        if (age > delivery_max + slack()) continue;
        // From there the client may have walked on since.
        constexpr double near = 100;
        if ((where - correction.position()).horizontal() <=
            near + walk_speed * 1.05 * (to_seconds(age) + 0.1)) {
            return &correction;
        }
    }
    return nullptr;
}

bool Player::correction_waits() const noexcept {
    return std::ranges::any_of(corrections, [&](const Correction& c) {
        return c.waiting && now - c.at <= delivery_max + slack();
    });
}

double Player::speed_max() const noexcept {
    const double speed = speed_with(flags);
    return now - flags_at > slack() ? speed : std::max(speed, speed_with(flags_before));
}

bool Player::may_act() const noexcept {
    return acts_with(flags) || (now - flags_at <= slack() && acts_with(flags_before));
}

}  // namespace portcullis::shadowland
