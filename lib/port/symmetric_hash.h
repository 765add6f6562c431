#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/ip.h"

namespace portcullis::port {

struct SymmetricHash {
    uint32_t value = 0;
    bool fragment = false;  ///< Of IP: the ports are not in it.
    bool cut = false;       ///< The frame ended before all of it was found.
};

/// The hash that brings both directions of a flow to one Worker when the port
/// has none: of addresses and ports of TCP and UDP, of the addresses alone for
/// everything else (fragments too: their ports are only in the first), and 0
/// for what is not IP.  VLAN tags and extension headers are looked through, as many as
/// `read_headers` does.
///
/// Takes any bytes; never reads outside them.
SymmetricHash symmetric_hash_of(Bytes frame) noexcept;
inline uint32_t symmetric_hash(Bytes frame) noexcept { return symmetric_hash_of(frame).value; }
/// Of a packet of TCP or UDP between these two.
uint32_t symmetric_hash(const Endpoint& one, const Endpoint& other) noexcept;

/// The Worker of a hash: the high bits decide, without a division.
constexpr uint16_t worker_of(uint32_t hash, uint16_t workers) noexcept {
    return static_cast<uint16_t>(uint64_t{hash} * workers >> 32);
}

}  // namespace portcullis::port
