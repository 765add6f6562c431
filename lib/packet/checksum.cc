#include "packet/checksum.h"

#include <bit>

namespace portcullis {
ChecksumSum l4_sum(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                   Bytes l4) noexcept {
    ChecksumSum sum;
    const size_t skip = source.is_v4() ? 12 : 0;  // Only the last four octets are on the wire.
    sum.add(as_bytes(source.octets.data() + skip, source.octets.size() - skip));
    sum.add(as_bytes(destination.octets.data() + skip, destination.octets.size() - skip));
    sum.add_be16(protocol);
    sum.add_be16(static_cast<uint16_t>(l4.size()));
    sum.add(l4);
    return sum;
}

uint16_t adjusted_checksum(uint16_t field, Bytes before, Bytes after, bool odd) noexcept {
    // HC' = ~(~HC + ~m + m'), RFC 1624 eq. 3.  At an odd place the bytes of a
    // word change roles, and the sum of exchanged bytes is the exchanged sum.
    ChecksumSum removed, added;
    removed.add(before);
    added.add(after);
    uint16_t minus = removed.folded(), plus = added.folded();
    if (odd) {
        minus = std::byteswap(minus);
        plus = std::byteswap(plus);
    }
    ChecksumSum sum;
    sum.add_word(static_cast<uint16_t>(~field));
    sum.add_word(static_cast<uint16_t>(~minus));
    sum.add_word(plus);
    return sum.field();
}

}  // namespace portcullis
