#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "base/huge_array.h"
#include "base/ip.h"
#include "base/spread.h"
#include "base/time.h"
#include "policy/source_limits.h"

namespace portcullis {

/// Under how many prefixes one address is counted: IPv4 as itself and with its /24;
/// IPv6 by its /64, which is the least that anybody is given, its /56 and its /48.
inline constexpr unsigned source_widths_max = 3;

/// Of the prefix at this width, over all 128 bits; 0: there is none so wide.
constexpr uint8_t source_bits(bool is_v4, unsigned width) noexcept {
    constexpr std::array<uint8_t, source_widths_max> v4 = {128, 120, 0}, v6 = {64, 56, 48};
    return is_v4 ? v4[width] : v6[width];
}

/// What an address's prefixes are called in the tables, narrowest first.
struct SourceNames {
    std::array<uint64_t, source_widths_max> of;
    uint8_t count = 0;
    bool is_v4 = true;
};

/// Names by a keyed hash: who does not know the secret can not choose addresses that
/// fall on one another.
class SourceNamer {
public:
    constexpr explicit SourceNamer(uint64_t secret) noexcept
        : secret_(spread(secret ^ 0x2545f4914f6cdd1du)) {}

    /// The same source toward two services is two sources.
    SourceNames operator()(const IpAddress& address, uint8_t service) const noexcept {
        const auto words = std::bit_cast<std::array<uint64_t, 2>>(address.octets);
        SourceNames names;
        names.is_v4 = words[0] == 0 && (words[1] & mapped_mask) == mapped;
        const auto& masks = names.is_v4 ? masks_v4 : masks_v6;
        names.count = names.is_v4 ? 2 : 3;
        for (unsigned width = 0; width < names.count; ++width) {
            const uint64_t salt = uint64_t{service} << 8 | width;
            const uint64_t folded = fold((words[0] & masks[width][0]) ^ secret_,
                                         (words[1] & masks[width][1]) ^ spread(salt ^ secret_));
            names.of[width] = spread(folded);
        }
        return names;
    }

private:
    using Words = std::array<uint64_t, 2>;

    // An address as two words of memory, its first octet the lowest.
    static_assert(std::endian::native == std::endian::little);
    static constexpr uint64_t all = UINT64_MAX;
    static constexpr uint64_t six = all >> 16, seven = all >> 8;  ///< Octets kept of eight.
    static constexpr uint64_t mapped_mask = 0xffff'ffff, mapped = 0xffff'0000;
    static constexpr std::array<Words, source_widths_max> masks_v4 = {
        {{all, all}, {all, seven}, {0, 0}}};
    static constexpr std::array<Words, source_widths_max> masks_v6 = {
        {{all, 0}, {seven, 0}, {six, 0}}};

    static uint64_t fold(uint64_t a, uint64_t b) noexcept {
        __extension__ using Wide = unsigned __int128;
        const Wide product = Wide{a | 1} * (b | 1);
        return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64) ^ a;
    }
    uint64_t secret_;
};

/// How often each source has done one thing of late.
///
/// A fixed number of buckets that leak with time, in sets of four that lie in one cache
/// line.  A bucket is kept as the moment at which it will be empty, so nothing must be
/// done to let it leak.  In a full set the one that will be empty first gives way: a
/// flood of sources that come once can not drive out one that comes often.
class SourceRates {
public:
    /// Of a whole table, swept once in so many calls of keep_house.
    static constexpr uint32_t sweep_calls = 1024;

    explicit SourceRates(uint32_t sources);

    /// Asks for the memory that `charge` will look at.
    void fetch(uint64_t name) const noexcept { __builtin_prefetch(&set_of(name), 1); }
    /// One more of a source; what its bucket holds with it, as the time it takes to leak.
    uint64_t charge(uint64_t name, Nanos at, const SourceLimit& limit) noexcept {
        Set& set = set_of(name);
        const uint64_t now = moment(at);
        const uint64_t tag = tag_of(name);
        uint64_t* mine = &set[0];
        uint64_t least = UINT64_MAX;
        bool known = false;
        for (uint64_t& bucket : set) {  // Few: this is what a forged SYN costs.
            known = (bucket ^ tag) <= moment_mask;
            if (known) {
                mine = &bucket;
                break;
            }
            const uint64_t weight = bucket == 0 ? 0 : held(bucket, now) + 1;
            mine = weight < least ? &bucket : mine;
            least = weight < least ? weight : least;
        }
        used_ += *mine == 0 ? 1 : 0;
        const uint64_t most = limit.room_us + limit.interval_us + beyond_us;
        const uint64_t before = known ? held(*mine, now) : 0;
        const uint64_t holds = std::min(before + limit.interval_us, most);
        *mine = tag | ((now + holds) & moment_mask);
        return holds;
    }
    /// Forgets empty buckets, a few sets a call.
    void keep_house(Nanos at) noexcept;

    uint32_t capacity() const noexcept { return set_count_ * set_size; }
    uint32_t used() const noexcept { return used_; }

private:
    static constexpr uint32_t set_size = 4;
    struct alignas(32) Set : std::array<uint64_t, set_size> {
        Set() noexcept : array{} {}  // 0: free.
    };

    // A bucket is one word: which source's, and when it will be empty.
    static constexpr unsigned moment_bits = 40;  ///< Microseconds: 12 days until they repeat.
    static constexpr uint64_t moment_mask = (uint64_t{1} << moment_bits) - 1;
    /// What a bucket may hold beyond its room: how long a flood outlasts its end.
    static constexpr uint64_t beyond_us = 1'000'000;
    /// More than any bucket holds, and little beside what a moment can tell: who is said
    /// to be empty only later than this was there before the moments began anew.
    static constexpr uint64_t held_max_us = 200'000'000'000;

    static uint64_t moment(Nanos at) noexcept {
        return (static_cast<uint64_t>(at.count()) / 1000) & moment_mask;
    }
    /// Which of those in a set it is: bits of the name that did not choose the set.
    static uint64_t tag_of(uint64_t name) noexcept {
        const uint64_t tag = name << moment_bits;
        return tag == 0 ? uint64_t{1} << moment_bits : tag;
    }
    /// How long from `now` until the bucket is empty; 0 when it is.
    static uint64_t held(uint64_t bucket, uint64_t now) noexcept {
        const uint64_t ahead = (bucket - now) & moment_mask;
        return ahead > held_max_us ? 0 : ahead;
    }
    Set& set_of(uint64_t name) const noexcept { return sets_[(name >> 32) * set_count_ >> 32]; }

    uint32_t set_count_;
    uint32_t hand_ = 0;
    uint32_t used_ = 0;
    HugeArray<Set> sets_;
};

}  // namespace portcullis
