#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

/// Counts what the program allocates with `new`; for one source file of a test.
namespace portcullis::testing {
inline size_t allocations = 0;
}  // namespace portcullis::testing

// Not inlined: g++ 12 would take their malloc and free for a mismatch.
[[gnu::noinline]] void* operator new(size_t size) {
    ++portcullis::testing::allocations;
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }
