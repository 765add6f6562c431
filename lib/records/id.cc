#include "records/id.h"

#include <cerrno>
#include <cstring>

#include <sys/random.h>

#include "base/hex.h"
#include "base/setup_error.h"

namespace portcullis::verdicts {

namespace {

constexpr size_t text_size = 36;

constexpr bool dash_at(size_t i) noexcept { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

uint32_t random_run() {
    uint32_t run = 0;
    while (getrandom(&run, sizeof run, 0) != sizeof run) {
        if (errno != EINTR) {
            throw SetupError(std::string("no random numbers from the kernel: ") +
                             std::strerror(errno) + "; is getrandom(2) forbidden by a sandbox?");
        }
    }
    return run;
}

std::string to_string(const VerdictId& id) {
    std::string text;
    text.reserve(text_size);
    for (unsigned nibble = 0; nibble < 32; ++nibble) {
        if (dash_at(text.size())) text.push_back('-');
        const uint64_t half = nibble < 16 ? id.high : id.low;
        text.push_back(hex_digits[half >> (60 - 4 * (nibble % 16)) & 0xf]);
    }
    return text;
}

std::optional<VerdictId> parse_id(std::string_view text) {
    if (text.size() != text_size) return std::nullopt;
    VerdictId id;
    unsigned nibble = 0;
    for (size_t i = 0; i < text_size; ++i) {
        if (dash_at(i)) {
            if (text[i] != '-') return std::nullopt;
            continue;
        }
        const int value = hex_value(text[i]);
        if (value < 0) return std::nullopt;
        uint64_t& half = nibble++ < 16 ? id.high : id.low;
        half = half << 4 | static_cast<uint64_t>(value);
    }
    return id;
}

}  // namespace portcullis::verdicts
