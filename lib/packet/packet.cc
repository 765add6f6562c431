#include "packet/packet.h"

#include <algorithm>
#include <cstring>

#include <rte_mbuf.h>

namespace portcullis {

void Packet::write(size_t offset, Bytes bytes) noexcept {
    std::memcpy(frame + offset, bytes.data(), bytes.size());
    if (!copied) return;
    // `frame` is a copy: the same into the segments that leave.
    for (rte_mbuf* segment = mbuf; segment != nullptr && !bytes.empty(); segment = segment->next) {
        if (offset >= segment->data_len) {
            offset -= segment->data_len;
            continue;
        }
        const size_t part = std::min<size_t>(bytes.size(), segment->data_len - offset);
        std::memcpy(rte_pktmbuf_mtod_offset(segment, std::byte*, offset), bytes.data(), part);
        bytes = bytes.subspan(part);
        offset = 0;
    }
}

}  // namespace portcullis
