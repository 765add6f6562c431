#include "player/shadowland/player.h"

#include <algorithm>

namespace portcullis::shadowland {

namespace {

/// A reliable message is repeated every 250 ms; after so long the client has it,
/// or the line is as good as dead.
constexpr Nanos delivery_max = 4s;
/// What is on its way and back is known to the client after this, over its RTT.
constexpr Nanos delivery_usual = 1s;
/// What the client said before it had something can come so long after its word that it has.
constexpr Nanos overtaken_max = 500ms;
/// From where it was put the client may have walked on; and corrections so near each other are one.
constexpr double near = 100;
constexpr uint64_t sequence_mask = (uint64_t{1} << Player::Correction::sequence_bits) - 1;

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

/// A server that refuses what was on its way repeats itself for each of it.
void Player::correct(const Triple& to) noexcept {
    Correction fresh;
    fresh.to = to;
    fresh.sequence = sequence & sequence_mask;
    fresh.waiting = true;
    fresh.from = fresh.at = now;
    for (Correction& same : corrections) {
        if (!in_force(same) || (same.position() - place_of(to)).length() > near) continue;
        fresh.from = same.from;
        same = fresh;
        return;
    }
    Correction& oldest = *std::ranges::min_element(
        corrections, {}, [&](const Correction& c) { return std::pair(in_force(c), c.at); });
    oldest = fresh;
}

void Player::on(const Delivered& all) noexcept {
    for (Correction& correction : corrections) {
        const bool told = correction.sequence != 0 && correction.waiting && !correction.delivered;
        const uint64_t past = (all.sequence - correction.sequence) & sequence_mask;
        if (!told || past > sequence_mask / 2) continue;
        correction.delivered = true;
        correction.at = now;
    }
}

void Player::on(const Missed& missed) noexcept {
    flags = flags_before = Flags{.state = state::alive, .buffs = 0, .hp = 255, .mana = 255};
    known.doubt_all();
    if (!missed.reliable) return;
    known.forget_all();
    map = nullptr;
    self = 0;
    placed = false;
    corrections.fill({});
}

bool Player::in_force(const Correction& correction) const noexcept {
    if (!correction.waiting) return false;
    return now - correction.at <= (correction.delivered ? overtaken_max : delivery_max + slack());
}

Player::Correction* Player::correction_for(const Place& where) noexcept {
    for (Correction& correction : corrections) {
        if (!in_force(correction)) continue;
        const double walked = walk_speed * 1.05 * (to_seconds(now - correction.from) + 0.1);
        if ((where - correction.position()).horizontal() <= near + walked) return &correction;
    }
    return nullptr;
}

bool Player::correction_waits() const noexcept {
    return std::ranges::any_of(corrections, [&](const Correction& c) { return in_force(c); });
}

double Player::speed_max() const noexcept {
    const double speed = speed_with(flags);
    return now - flags_at > slack() ? speed : std::max(speed, speed_with(flags_before));
}

bool Player::may_act() const noexcept {
    return acts_with(flags) || (now - flags_at <= slack() && acts_with(flags_before));
}

}  // namespace portcullis::shadowland
