#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include <time.h>

namespace portcullis::chaos {

/// What every numbered packet carries.
struct Number {
    uint32_t phase = 0;   ///< What was going on when it left.
    uint32_t stream = 0;  ///< Whose numbers these are.
    uint64_t count = 0;   ///< From 0, without a gap.
    int64_t sent_at = 0;  ///< CLOCK_REALTIME, as the kernel's receive stamps are.
};

inline int64_t wall_clock() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// Every packet of one kind in one direction that arrived: which are missing, which
/// came twice, and how long they were on their way in each phase.
class Tally {
public:
    void take(const Number& number, int64_t arrived_at) {
        std::vector<bool>& seen = seen_[number.stream];
        if (number.count >= seen.size()) seen.resize(number.count + 1024);
        if (seen[number.count]) {
            ++twice_;
            return;
        }
        seen[number.count] = true;
        ++unique_;
        us_[number.phase].push_back(static_cast<float>(arrived_at - number.sent_at) / 1000.0f);
    }

    /// {"event":"tally","kind":…,"arrived":…,"twice":…,"phases":{"0":{"count":…,"p50":…,…}}}
    void print(const char* kind) {
        std::string line = "{\"event\":\"tally\",\"kind\":\"" + std::string(kind) +
                           "\",\"arrived\":" + std::to_string(unique_) +
                           ",\"twice\":" + std::to_string(twice_) + ",\"phases\":{";
        for (auto& [phase, times] : us_) {
            std::ranges::sort(times);
            if (line.back() != '{') line += ',';
            line += '"' + std::to_string(phase) + "\":{\"count\":" + std::to_string(times.size());
            for (const auto& [name, share] : {std::pair{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}}) {
                const auto at = static_cast<size_t>(share * static_cast<double>(times.size() - 1));
                char text[64];
                std::snprintf(text, sizeof text, ",\"%s\":%.2f", name,
                              static_cast<double>(times[at]));
                line += text;
            }
            line += '}';
        }
        std::printf("%s}}\n", line.c_str());
    }

private:
    std::map<uint32_t, std::vector<bool>> seen_;
    std::map<uint32_t, std::vector<float>> us_;
    uint64_t unique_ = 0, twice_ = 0;
};

}  // namespace portcullis::chaos
