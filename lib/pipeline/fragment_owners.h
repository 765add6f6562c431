#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/ip.h"
#include "base/time.h"

namespace portcullis::pipeline {

/// By which hash the fragments of a datagram are handed over, so that all of them come to one
/// Worker: the one that has the flow, if the first to come is the one that names the ports.
///
/// Whatever comes first decides, for as long as `Fragments` keeps a part; only so one Worker
/// sees all that its receiver will put together.  A fixed number of datagrams, and none gives
/// way before its time.  While one had no place, all that are new go by their addresses.
class FragmentOwners {
public:
    explicit FragmentOwners(uint32_t capacity) : datagrams_(capacity) {}

    /// For a frame with an IP fragment; `by_addresses` is its symmetric hash.
    uint32_t hash_of(Bytes frame, uint32_t by_addresses, Nanos now) noexcept;

private:
    struct Datagram {
        IpAddress source, destination;
        uint32_t id = 0;
        uint8_t version = 0;   ///< Of IP; 0: never used.
        uint8_t protocol = 0;  ///< 0 with IPv6, which names a datagram without it.
        uint32_t hash = 0;
        Nanos latest{};
    };

    std::vector<Datagram> datagrams_;
    Nanos full_until_{};
};

}  // namespace portcullis::pipeline
