#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "protocol/source_events.h"

namespace portcullis {

/// How often a source may do a thing, as a bucket: one an `interval`, and `room` of
/// them at once, both as the time that they take to leak.
struct SourceLimit {
    uint32_t interval_us = 0;
    uint64_t room_us = 0;

    static SourceLimit of(double per_second, double burst) noexcept {
        const double interval_us = 1e6 / per_second;
        return {static_cast<uint32_t>(interval_us), static_cast<uint64_t>(burst * interval_us)};
    }
    bool exceeded_by(uint64_t held_us) const noexcept { return held_us > room_us; }
    double count(uint64_t held_us) const noexcept {
        return interval_us == 0 ? 0 : static_cast<double>(held_us) / interval_us;
    }
};

}  // namespace portcullis

namespace portcullis::policy {

/// How often sources may do what they are counted for: one Worker's share of what the
/// policy allows in all, for each act and each width of prefix, the source itself first.
struct SourceLimits {
    static constexpr size_t widths = 3;
    static constexpr size_t acts = static_cast<size_t>(protocol::SourceAct::count);

    std::array<std::array<SourceLimit, widths>, acts> of{};
    std::array<bool, acts> counted{};  ///< Its check is enabled.
};

/// A Worker's share of a limit.  The ports of a source's connections spread them over
/// the Workers like dice: a share and three standard deviations of it is what chance
/// brings one of them, and the sustained rate gets a quarter more.
inline SourceLimit share_of(double per_second, double burst, uint32_t workers) noexcept {
    if (workers < 2) return SourceLimit::of(per_second, burst);
    const double part = burst / workers;
    return SourceLimit::of(per_second / workers * 1.25, part + 3 * std::sqrt(part) + 1);
}

}  // namespace portcullis::policy
