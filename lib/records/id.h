#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

/// Names for records: sortable by time, unique over workers and restarts, and
/// readable by everything that knows UUIDs (RFC 9562 5.7, version 7).
namespace portcullis::verdicts {

/// 48 bits of milliseconds, version, 12 bits of worker; variant, 30 bits of the
/// run, 32 bits of count.
struct VerdictId {
    uint64_t high = 0;
    uint64_t low = 0;

    constexpr auto operator<=>(const VerdictId&) const noexcept = default;
    constexpr bool empty() const noexcept { return high == 0 && low == 0; }
    constexpr uint64_t milliseconds() const noexcept { return high >> 16; }
};

/// Gives one Worker's records their ids.  The run tells restarts within one
/// millisecond apart; `random_run` draws it, a replay may give a constant.
class IdSource {
public:
    static constexpr uint16_t workers_max = 1u << 12;
    /// Control's own place among the workers.
    static constexpr uint16_t control = workers_max - 1;

    constexpr IdSource(uint16_t worker, uint32_t run) noexcept
        : worker_(worker % workers_max), run_(run & 0x3fffffffu) {}

    constexpr VerdictId next(Nanos time) noexcept {
        const auto ms = static_cast<uint64_t>(time.count() / 1'000'000);
        return {ms << 16 | uint64_t{7} << 12 | worker_,
                uint64_t{2} << 62 | uint64_t{run_} << 32 | count_++};
    }

private:
    uint16_t worker_;
    uint32_t run_;
    uint32_t count_ = 0;
};

/// For the start of a live run; reads the kernel's random numbers.
uint32_t random_run();

/// "0190a6c2-5d3f-7001-9c41-2f0000000007"
std::string to_string(const VerdictId& id);
/// The same back; nothing for any other text.
std::optional<VerdictId> parse_id(std::string_view text);

}  // namespace portcullis::verdicts
