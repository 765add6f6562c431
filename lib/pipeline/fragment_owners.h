#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/side.h"
#include "base/time.h"
#include "flow/datagram_index.h"

namespace portcullis::pipeline {

/// By which hash the fragments of a datagram are handed over, so that all of them come to one
/// Worker: the one that has the flow, if the first to come is the one that names the ports.
///
/// Whatever comes first decides, for as long as `Fragments` keeps a part; only so one Worker
/// sees all that its receiver will put together.  A fixed number of datagrams, and none gives
/// way before its time.  While one had no place, be it that its sender has his share of them
/// already, all new ones of that sender go by their addresses.
class FragmentOwners {
public:
    /// Of all places, what one source's datagrams may hold, and one at least.
    static constexpr uint32_t share = 8;

    /// `secret`: nobody outside knows which names share a place in tables.
    FragmentOwners(uint32_t capacity, uint64_t secret);

    /// For a frame with an IP fragment that came in on `side`; `by_addresses` is its symmetric
    /// hash.
    uint32_t hash_of(Bytes frame, Side side, uint32_t by_addresses, Nanos now) noexcept;

private:
    bool has_room(uint32_t source, Nanos now) noexcept;

    DatagramIndex index_;
    uint32_t share_max_;
    std::vector<uint32_t> hashes_;   ///< By place.
    std::vector<Nanos> full_until_;  ///< By source.
};

}  // namespace portcullis::pipeline
