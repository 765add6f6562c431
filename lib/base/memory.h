#pragma once

#include <cstdint>
#include <fstream>
#include <new>
#include <string>
#include <string_view>

#include "base/concat.h"
#include "base/setup_error.h"

/// Memory is taken at start and touched at once.  Linux promises more than it has and kills
/// who believes it, so what is large is compared with what is there before it is taken.
namespace portcullis {

/// Bytes that could be touched now, swap included, as /proc/meminfo says; the most there can
/// be where it says nothing.
inline uint64_t memory_available() {
    std::ifstream file("/proc/meminfo");
    uint64_t kib = 0, sum = 0;
    bool said = false;
    for (std::string key, unit; file >> key >> kib; std::getline(file, unit)) {
        const bool counts = key == "MemAvailable:" || key == "SwapFree:";
        if (counts) sum += kib * 1024;
        said = said || counts;
    }
    return said ? sum : UINT64_MAX;
}

/// Thrown in place of a bad_alloc where it is known how much was asked for.
class NoMemory : public std::bad_alloc {
public:
    NoMemory(uint64_t asked, uint64_t available) noexcept : asked_(asked), available_(available) {}
    const char* what() const noexcept override { return "more memory is asked for than is there"; }
    uint64_t asked() const noexcept { return asked_; }
    uint64_t available() const noexcept { return available_; }

private:
    uint64_t asked_, available_;  ///< Bytes.
};

/// Throws NoMemory when so many bytes are not there.
inline void expect_memory(uint64_t bytes) {
    constexpr uint64_t small = 16u << 20;  // What is smaller is not worth the question.
    if (bytes < small) return;
    const uint64_t available = memory_available();
    if (bytes > available) throw NoMemory(bytes, available);
}

[[noreturn]] inline void lacks_memory(std::string_view key, uint64_t value,
                                      const std::string& figures) {
    throw SetupError(
        concat(key, " is ", value, ": ", figures, "; give less, or the machine more memory"));
}

/// Makes what a key of the configuration sizes; the lack of memory is then a sentence about
/// that key.  Throws SetupError.
template <class Make>
auto as_asked_by(std::string_view key, uint64_t value, Make make) -> decltype(make()) {
    const auto mib = [](uint64_t bytes) { return (bytes + (1u << 20) - 1) >> 20; };
    try {
        return make();
    } catch (const NoMemory& none) {
        lacks_memory(key, value,
                     concat("that asks for ", mib(none.asked()), " MiB at once, and ",
                            mib(none.available()), " MiB of memory are there"));
    } catch (const std::bad_alloc&) {
        lacks_memory(key, value, "there is no memory for that");
    }
}

}  // namespace portcullis
