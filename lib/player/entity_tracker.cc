#include "player/entity_tracker.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace portcullis {
namespace {

using protocol::EntityId;
using protocol::Position;

constexpr double units_per_block = 32;
/// A lone reading of the clock, or a move that is a hair late, must not hide the
/// place the client still shows.
constexpr Nanos span_min = 50ms;
/// The spans but the oldest and the newest cover the window.
constexpr int64_t span_parts = EntityTracker::spans_max - 2;

uint32_t to_ms(Nanos n) noexcept {
    return static_cast<uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(n).count());
}

bool finite(const Position& p) noexcept {
    return std::isfinite(p.x) && std::isfinite(p.y) && std::isfinite(p.z);
}

double squared_distance(const Position& a, const Position& b) noexcept {
    const double x = a.x - b.x, y = a.y - b.y, z = a.z - b.z;
    return x * x + y * y + z * z;
}

}  // namespace

size_t EntityTracker::find(EntityId id) const noexcept {
    for (size_t i = 0; i < size_; ++i) {
        if (ids_[i] == id) return i;
    }
    return entities_max;
}

void EntityTracker::spawned(const protocol::EntitySpawned& e, const Position& self,
                            Nanos now) noexcept {
    if (!finite(e.position)) return;
    size_t index = find(e.entity);
    if (index == entities_max) index = room_for(e, self);
    if (index == entities_max) {
        ++left_out_;
        return;
    }
    ids_[index] = e.entity;
    Entity& entity = entities_[index];
    entity.is_player = e.is_player;
    entity.known_ms = to_ms(now);
    entity.vehicle = -1;
    entity.rides = false;
    start(entity, e.position, to_ms(now));
}

size_t EntityTracker::room_for(const protocol::EntitySpawned& e, const Position& self) noexcept {
    if (size_ < entities_max) return size_++;
    // Mobs give way to players, the far to the near.
    size_t worst = entities_max;
    double worst_distance = e.is_player ? -1 : squared_distance(e.position, self);
    bool worst_is_player = !e.is_player ? false : true;
    for (size_t i = 0; i < entities_max; ++i) {
        const Entity& entity = entities_[i];
        if (entity.is_player && !e.is_player) continue;
        const double away = squared_distance(entity.position, self);
        const bool mob_first = worst_is_player && !entity.is_player;
        if (mob_first || (entity.is_player == worst_is_player && away > worst_distance)) {
            worst = i;
            worst_distance = away;
            worst_is_player = entity.is_player;
        }
    }
    const bool no_nearer = worst != entities_max && e.is_player && worst_is_player &&
                           worst_distance <= squared_distance(e.position, self);
    if (no_nearer) return entities_max;
    if (worst != entities_max) ++left_out_;
    return worst;
}

void EntityTracker::moved(const protocol::EntityMoved& e, Nanos window, Nanos now) noexcept {
    const size_t i = find(e.entity);
    if (i == entities_max) return;
    const Position& at = entities_[i].position;
    move(entities_[i], {at.x + e.dx, at.y + e.dy, at.z + e.dz}, window, now);
}

void EntityTracker::placed(const protocol::EntityPlaced& e, Nanos window, Nanos now) noexcept {
    const size_t i = find(e.entity);
    if (i == entities_max) return;
    Entity& entity = entities_[i];
    const Position& at = entity.position;
    const Position to = {e.position.x + (e.relative_x ? at.x : 0),
                         e.position.y + (e.relative_y ? at.y : 0),
                         e.position.z + (e.relative_z ? at.z : 0)};
    move(entity, to, window, now);
    if (!entity.rides || entity.vehicle != -1) return;
    // A server places who has got off; where he rode before is not kept.
    entity.rides = false;
    entity.known_ms = to_ms(now);
}

void EntityTracker::seated(EntityId rider, EntityId vehicle) noexcept {
    const size_t i = find(rider);
    if (i == entities_max) return;
    entities_[i].vehicle = vehicle;
    if (vehicle != -1) entities_[i].rides = true;
}

void EntityTracker::unseated(EntityId vehicle) noexcept {
    for (size_t i = 0; i < size_; ++i) {
        if (entities_[i].vehicle == vehicle) entities_[i].vehicle = -1;
    }
}

void EntityTracker::gone(EntityId id) noexcept {
    unseated(id);
    const size_t i = find(id);
    if (i == entities_max) {
        if (left_out_ > 0) --left_out_;
        return;
    }
    --size_;
    ids_[i] = ids_[size_];
    entities_[i] = entities_[size_];
}

void EntityTracker::clear() noexcept { size_ = left_out_ = 0; }

void EntityTracker::start(Entity& entity, const Position& at, uint32_t ms) noexcept {
    const auto block = [](double v) {
        return static_cast<int32_t>(std::clamp(std::floor(v), -1e9, 1e9));
    };
    entity.position = at;
    entity.origin = {block(at.x), block(at.y), block(at.z)};
    const auto down = [](double v, int32_t o) {
        return static_cast<int16_t>(std::clamp(std::floor((v - o) * units_per_block), 0.0, 32.0));
    };
    const Offset low = {down(at.x, entity.origin[0]), down(at.y, entity.origin[1]),
                        down(at.z, entity.origin[2])};
    Offset high = low;
    for (int16_t& v : high) ++v;
    entity.spans[0] = {ms, low, high};
    entity.size = 1;
}

void EntityTracker::move(Entity& entity, const Position& to, Nanos window, Nanos now) noexcept {
    if (!finite(to)) return;
    const std::array<double, 3> offset = {(to.x - entity.origin[0]) * units_per_block,
                                          (to.y - entity.origin[1]) * units_per_block,
                                          (to.z - entity.origin[2]) * units_per_block};
    Offset low, high;
    for (size_t k = 0; k < 3; ++k) {
        constexpr double limit = std::numeric_limits<int16_t>::max() - 1;
        // So far from where it was first seen: begin anew from there.
        if (std::abs(offset[k]) > limit) return start(entity, to, to_ms(now));
        low[k] = static_cast<int16_t>(std::floor(offset[k]));
        high[k] = static_cast<int16_t>(std::ceil(offset[k]));
    }
    entity.position = to;

    const auto grow = [&](Span& span) {
        for (size_t k = 0; k < 3; ++k) {
            span.min[k] = std::min(span.min[k], low[k]);
            span.max[k] = std::max(span.max[k], high[k]);
        }
    };
    const uint32_t ms = to_ms(now);
    const uint32_t width = to_ms(std::max(window / span_parts, span_min));
    Span& newest = entity.spans[entity.size - 1];
    if (ms - newest.from_ms < width) return grow(newest);
    if (entity.size == spans_max) {
        // The oldest is dropped once it is out of sight, else it joins the next:
        // then the hull is too wide, never too narrow.
        Span& oldest = entity.spans[0];
        Span& next = entity.spans[1];
        if (ms - next.from_ms <= to_ms(window)) {
            for (size_t k = 0; k < 3; ++k) {
                next.min[k] = std::min(next.min[k], oldest.min[k]);
                next.max[k] = std::max(next.max[k], oldest.max[k]);
            }
            next.from_ms = oldest.from_ms;
        }
        std::move(entity.spans.begin() + 1, entity.spans.end(), entity.spans.begin());
        --entity.size;
    }
    entity.spans[entity.size++] = {ms, low, high};
}

Box EntityTracker::hull(const Entity& entity, Nanos window, Nanos now) noexcept {
    const uint32_t ms = to_ms(now), window_ms = to_ms(window);
    Offset low = entity.spans[entity.size - 1].min, high = entity.spans[entity.size - 1].max;
    for (size_t i = entity.size - 1; i-- > 0;) {
        // A span is shown until the next one arrives; the eased way to the next
        // starts in it.
        const uint32_t ended_ms = entity.spans[i + 1].from_ms;
        if (ms - ended_ms > window_ms) break;
        for (size_t k = 0; k < 3; ++k) {
            low[k] = std::min(low[k], entity.spans[i].min[k]);
            high[k] = std::max(high[k], entity.spans[i].max[k]);
        }
    }
    const auto block = [&](const Offset& o, size_t k) {
        return entity.origin[k] + o[k] / units_per_block;
    };
    return {{block(low, 0), block(low, 1), block(low, 2)},
            {block(high, 0), block(high, 1), block(high, 2)}};
}

std::optional<EntityTracker::Seen> EntityTracker::seen(EntityId id, Nanos window,
                                                       Nanos now) const noexcept {
    const size_t i = find(id);
    if (i == entities_max) return std::nullopt;
    const Entity& entity = entities_[i];
    const uint32_t since_known_ms = to_ms(now) - entity.known_ms;
    const uint32_t kept_ms = std::min(since_known_ms, to_ms(now) - entity.spans[0].from_ms);
    return Seen{hull(entity, window, now), entity.is_player, entity.rides,
                now - std::chrono::milliseconds(kept_ms)};
}

size_t EntityTracker::touching(const Box& box, Nanos window, Nanos now, Kind kind) const noexcept {
    size_t count = 0;
    for (size_t i = 0; i < size_; ++i) {
        if (kind == Kind::mobs && entities_[i].is_player) continue;
        const Position& at = entities_[i].position;
        // Cheap first: most are nowhere near.
        if (std::abs(at.x - box.min.x) > 16 || std::abs(at.z - box.min.z) > 16) continue;
        if (distance(hull(entities_[i], window, now), box) == 0) ++count;
    }
    return count;
}

}  // namespace portcullis
