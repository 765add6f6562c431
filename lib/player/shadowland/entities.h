#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "base/pool.h"
#include "player/shadowland/map.h"

namespace portcullis::shadowland {

/// One entity as one client was told of it.
struct Entity {
    uint32_t id = 0;
    uint32_t next = 0;
    std::array<float, 3> position{};  ///< The last that was sent; exact, as it was on the wire.
    std::array<int32_t, 3> steps{};   ///< DeltaSync's baseline.
    uint16_t second = 0;              ///< Of the updates counted; wraps.
    uint8_t updates = 0;              ///< Within it.
    uint8_t type : 7 = 0;
    bool moved : 1 = false;  ///< By the last of them.

    /// Whether `position` is where it is: an update may have been missed.
    bool placed() const noexcept { return !std::isnan(position[0]); }
    Place place() const noexcept { return {position[0], position[1], position[2]}; }
    void put(const Place& p) noexcept {
        position = {static_cast<float>(p.x), static_cast<float>(p.y), static_cast<float>(p.z)};
    }
};
static_assert(sizeof(Entity) == 36);

/// The entities of all clients of a Worker: one pool, a few short chains for each
/// client.  When it is full, more are not known, and what hangs on them is not judged.
using EntityPool = Pool<Entity>;

/// How far away a client may learn of an entity, by its type.
inline constexpr std::array<double, 9> interest_distance = {
    100'000, 50'000, 100'000, 200'000, 100'000, 25'000, 150'000, 10'000, 50'000};

/// The entities that one client was told of.
class Known {
public:
    explicit Known(EntityPool& pool) noexcept : pool_(&pool) { chains_.fill(EntityPool::none); }

    Entity* find(uint32_t id) noexcept {
        uint32_t at = chains_[id % chains_.size()];
        while (at != EntityPool::none && (*pool_)[at].id != id) at = (*pool_)[at].next;
        return at == EntityPool::none ? nullptr : &(*pool_)[at];
    }
    /// Null when the pool is full.
    Entity* make(uint32_t id) noexcept {
        if (Entity* known = find(id)) return known;
        const uint32_t handle = pool_->make();
        if (handle == EntityPool::none) return nullptr;
        Entity& entity = (*pool_)[handle];
        entity.id = id;
        entity.next = chains_[id % chains_.size()];
        chains_[id % chains_.size()] = handle;
        return &entity;
    }
    void forget(uint32_t id) noexcept {
        uint32_t* link = &chains_[id % chains_.size()];
        while (*link != EntityPool::none && (*pool_)[*link].id != id) link = &(*pool_)[*link].next;
        if (*link != EntityPool::none) release(*link);
    }
    /// Where they are is not certain until the next update of each.
    void doubt_all() noexcept {
        for (uint32_t at : chains_) {
            for (; at != EntityPool::none; at = (*pool_)[at].next) {
                (*pool_)[at].position[0] = std::numeric_limits<float>::quiet_NaN();
            }
        }
    }
    void forget_all() noexcept {
        for (uint32_t& chain : chains_) {
            while (chain != EntityPool::none) release(chain);
        }
    }

    template <class Visit>
    void each(Visit&& visit) const {
        for (uint32_t at : chains_) {
            for (; at != EntityPool::none; at = (*pool_)[at].next)
                visit(std::as_const((*pool_)[at]));
        }
    }

private:
    void release(uint32_t& link) noexcept {
        const uint32_t handle = link;
        link = (*pool_)[handle].next;
        pool_->unmake(handle);
    }

    EntityPool* pool_;
    std::array<uint32_t, 8> chains_;
};

}  // namespace portcullis::shadowland
