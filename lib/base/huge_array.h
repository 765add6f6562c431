#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <sys/mman.h>

#include "base/memory.h"

namespace portcullis {

/// A fixed number of objects that are met at random: on huge pages where the
/// kernel gives them, since otherwise each visit also misses the TLB.  All of
/// it is touched when it is made, so no page is missing later.
template <class T>
class HugeArray {
public:
    HugeArray() noexcept = default;
    /// Throws NoMemory.
    explicit HugeArray(size_t size) {
        static_assert(std::is_trivially_destructible_v<T>, "nothing is destroyed, only freed");
        constexpr size_t page = size_t{2} << 20;
        const size_t wanted = size * sizeof(T);
        expect_memory(wanted);
        const size_t alignment = wanted < page ? alignof(std::max_align_t) : page;
        const size_t place = alignment < alignof(T) ? alignof(T) : alignment;
        const size_t bytes = (wanted + place - 1) / place * place;
        items_.reset(static_cast<T*>(std::aligned_alloc(place, bytes)));
        if (items_ == nullptr) throw NoMemory(bytes, memory_available());  // setup
        // Only advice: without huge pages it is slower, not wrong.
        if (place == page) (void)madvise(items_.get(), bytes, MADV_HUGEPAGE);
        for (size_t i = 0; i < size; ++i) new (&items_.get()[i]) T();
    }

    T& operator[](size_t index) const noexcept { return items_.get()[index]; }

private:
    struct Free {
        void operator()(T* items) const noexcept { std::free(items); }
    };
    std::unique_ptr<T, Free> items_;
};

}  // namespace portcullis
