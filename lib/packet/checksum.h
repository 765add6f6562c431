#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/ip.h"

namespace portcullis {

/// The Internet checksum (RFC 1071).  A sum is kept unfolded and in the
/// machine's byte order, which gives the same result (RFC 1071 2.B).
class ChecksumSum {
public:
    /// `bytes` must start at an even place of what is summed.
    void add(Bytes bytes) noexcept;
    void add_be16(uint16_t value) noexcept;
    /// All ones when what was added holds its own correct checksum.
    uint16_t folded() const noexcept;
    /// What goes into the checksum field, ready to be copied there.
    uint16_t field() const noexcept { return static_cast<uint16_t>(~folded()); }

private:
    uint64_t sum_ = 0;
};

/// The sum of `l4` with the pseudo header of RFC 9293 3.1 and RFC 8200 8.1.
ChecksumSum l4_sum(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                   Bytes l4) noexcept;

/// The checksum field after bytes it covers changed from `before` to `after`,
/// which have the same size; `odd` when they start at an odd place (RFC 1624).
uint16_t adjusted_checksum(uint16_t field, Bytes before, Bytes after, bool odd) noexcept;

}  // namespace portcullis
