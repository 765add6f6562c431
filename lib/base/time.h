#pragma once

#include <chrono>

namespace portcullis {

/// Time is data: a span of time, or a moment as the span since the Unix epoch.
/// Live it comes from the TSC, replayed from the capture; hot code never asks
/// a clock.
using Nanos = std::chrono::nanoseconds;

using namespace std::chrono_literals;

constexpr double to_seconds(Nanos n) noexcept { return std::chrono::duration<double>(n).count(); }
constexpr double to_milliseconds(Nanos n) noexcept {
    return std::chrono::duration<double, std::milli>(n).count();
}

/// One step of the game's clock at its usual rate of 20 a second.
inline constexpr Nanos game_tick = 50ms;

}  // namespace portcullis
