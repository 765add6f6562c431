#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/ip.h"
#include "base/time.h"

namespace portcullis::shadowland {

/// A sustained rate and a burst, as a bucket that leaks.
struct Bucket {
    float level = 0;
    Nanos at{};

    float level_now(Nanos now, double per_second) const noexcept {
        const double leaked = to_seconds(now - at) * per_second;
        if (leaked <= 0) return level;
        return static_cast<float>(level > leaked ? level - leaked : 0.0);
    }
    /// Counts one more.  False when it does not fit: then it is not counted.
    bool take(Nanos now, double per_second, double burst) noexcept {
        level = level_now(now, per_second);
        if (now > at) at = now;
        if (level + 1 > burst) return false;
        level += 1;
        return true;
    }
};

/// How much each source sends, of those that send most: a fixed table, in which a new
/// source takes the place of the one that sent least.  So a flood from ever new addresses
/// pushes out its own, and blames nobody who shares a place with it.
///
/// A source is an IPv4 address, or the 64 bits that a host of IPv6 can not choose.
class SourceRates {
public:
    SourceRates(uint32_t sources_max, double per_second, double burst, uint64_t secret)
        : sets_mask_(sources_max / uint32_t{ways} - 1),
          sets_(std::make_unique<Set[]>(sources_max / ways)),
          per_second_(per_second),
          burst_(burst),
          secret_(secret) {}

    /// Counts one more of this source.  False: one too many.
    bool take(const IpAddress& source, Nanos now) noexcept {
        const uint64_t hash = hash_of(source);
        Set& set = sets_[hash & sets_mask_];
        const auto tag = static_cast<uint32_t>(hash >> 32);
        size_t least = 0;
        for (size_t i = 0; i < ways; ++i) {
            if (set.tags[i] == tag) return set.buckets[i].take(now, per_second_, burst_);
            const auto level = [&](size_t n) { return set.buckets[n].level_now(now, per_second_); };
            if (level(i) < level(least)) least = i;
        }
        set.tags[least] = tag;
        set.buckets[least] = {};
        return set.buckets[least].take(now, per_second_, burst_);
    }

private:
    static constexpr uint8_t ways = 4;
    struct Set {
        std::array<uint32_t, ways> tags{};
        std::array<Bucket, ways> buckets;
    };

    /// Keyed, so that nobody can choose whose place he takes.
    uint64_t hash_of(const IpAddress& source) const noexcept {
        uint64_t hash = secret_ ^ 0x9e3779b97f4a7c15u;
        const size_t first = source.is_v4() ? 12 : 0, size = source.is_v4() ? 4 : 8;
        for (size_t i = first; i < first + size; ++i) {
            hash = (hash ^ source.octets[i]) * 0xd6e8feb86659fd93u;
            hash ^= hash >> 32;
        }
        return hash;
    }

    uint32_t sets_mask_;
    std::unique_ptr<Set[]> sets_;
    double per_second_, burst_;
    uint64_t secret_;
};

}  // namespace portcullis::shadowland
