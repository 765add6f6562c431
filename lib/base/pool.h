#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <utility>

#include "base/huge_array.h"

namespace portcullis {

/// A fixed number of places for objects of one kind, all allocated at start.
/// A handle is 32 bits, so a Flow can hold several.  When full, `make` says so
/// with `none`: the caller counts it and goes on without.
template <class T>
class Pool {
public:
    using Handle = uint32_t;
    static constexpr Handle none = std::numeric_limits<Handle>::max();

    explicit Pool(uint32_t capacity) : places_(capacity), capacity_(capacity) {
        for (uint32_t i = 0; i < capacity; ++i) places_[i].next = i + 1 < capacity ? i + 1 : none;
        free_ = capacity > 0 ? 0 : none;
    }
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    /// Whoever made an object unmakes it; what is left at the end is not destroyed.
    ~Pool() = default;

    template <class... Args>
    Handle make(Args&&... args) noexcept {
        if (free_ == none) return none;
        const Handle handle = free_;
        free_ = places_[handle].next;
        new (places_[handle].bytes) T(std::forward<Args>(args)...);
        ++used_;
        return handle;
    }
    void unmake(Handle handle) noexcept {
        (*this)[handle].~T();
        places_[handle].next = free_;
        free_ = handle;
        --used_;
    }
    T& operator[](Handle handle) noexcept {
        return *std::launder(reinterpret_cast<T*>(places_[handle].bytes));
    }
    const T& operator[](Handle handle) const noexcept {
        return *std::launder(reinterpret_cast<const T*>(places_[handle].bytes));
    }
    /// Where an object lies: to ask for its memory before it is needed.
    const std::byte* place(Handle handle) const noexcept { return places_[handle].bytes; }

    uint32_t used() const noexcept { return used_; }
    uint32_t capacity() const noexcept { return capacity_; }

private:
    union Place {
        Place() noexcept {}
        Handle next;
        alignas(T) std::byte bytes[sizeof(T)];
    };
    HugeArray<Place> places_;
    uint32_t capacity_;
    uint32_t used_ = 0;
    Handle free_ = none;
};

}  // namespace portcullis
