#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <type_traits>

#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "base/setup_error.h"

namespace portcullis {

/// A bounded queue of plain structs from one thread to another, without locks:
/// rte_ring in memory of our own, so it also works where no EAL runs.
template <class T>
class Ring {
    static_assert(std::is_trivially_copyable_v<T>, "a ring copies bytes");
    static_assert(sizeof(T) % 4 == 0, "rte_ring moves words of four bytes");

public:
    static constexpr uint32_t capacity_max = 1u << 30;

    /// Holds `capacity` records, no more.  One producer and one consumer unless
    /// `flags`, those of rte_ring_create, say otherwise.
    explicit Ring(const std::string& name, uint32_t capacity,
                  unsigned flags = RING_F_SP_ENQ | RING_F_SC_DEQ) {
        // RING_F_EXACT_SZ takes one slot more to tell full from empty.
        const uint32_t slots = capacity < capacity_max ? rte_align32pow2(capacity + 1) : 0;
        const ssize_t bytes = rte_ring_get_memsize_elem(sizeof(T), slots);
        if (slots == 0 || bytes < 0) {
            throw SetupError("ring " + name + ": holds fewer records than that");  // setup
        }
        memory_.reset(std::aligned_alloc(RTE_CACHE_LINE_SIZE,
                                         RTE_ALIGN_CEIL(size_t(bytes), RTE_CACHE_LINE_SIZE)));
        if (memory_ == nullptr) throw std::bad_alloc();  // setup
        if (rte_ring_init(ring(), name.substr(0, RTE_RING_NAMESIZE - 1).c_str(), capacity,
                          flags | RING_F_EXACT_SZ) != 0) {
            throw SetupError("ring " + name + ": cannot be made with this size");  // setup
        }
    }

    /// False when full.
    bool push(const T& item) noexcept {
        return rte_ring_enqueue_elem(ring(), const_cast<T*>(&item), sizeof(T)) == 0;
    }
    /// False when empty.
    bool pop(T& item) noexcept { return rte_ring_dequeue_elem(ring(), &item, sizeof(T)) == 0; }
    /// How many of `out` were filled, oldest first.
    size_t pop(std::span<T> out) noexcept {
        return rte_ring_dequeue_burst_elem(ring(), out.data(), sizeof(T),
                                           static_cast<unsigned>(out.size()), nullptr);
    }
    /// How many of `items` found room, from the first on.
    size_t push(std::span<const T> items) noexcept {
        return rte_ring_enqueue_burst_elem(ring(), const_cast<T*>(items.data()), sizeof(T),
                                           static_cast<unsigned>(items.size()), nullptr);
    }
    size_t size() const noexcept { return rte_ring_count(ring()); }
    size_t capacity() const noexcept { return rte_ring_get_capacity(ring()); }

private:
    struct Free {
        void operator()(void* p) const noexcept { std::free(p); }
    };
    rte_ring* ring() const noexcept { return static_cast<rte_ring*>(memory_.get()); }

    std::unique_ptr<void, Free> memory_;
};

}  // namespace portcullis
