#pragma once

#include <vector>

#include <gtest/gtest.h>

#include <rte_mbuf.h>

#include "packet/burst.h"
#include "packet/headers.h"

namespace portcullis::stages::testing {

/// A frame of ours, taken apart again.
struct Sent {
    std::vector<std::byte> bytes;
    Packet packet;
    Side out{};
};

/// What the stages injected into this burst, which must be right in every header and sum.
inline std::vector<Sent> take_injected(Burst& burst) {
    std::vector<Sent> all;
    for (const Burst::Injected& frame : burst.injected()) {
        Sent& sent = all.emplace_back();
        const auto* data = rte_pktmbuf_mtod(frame.mbuf, const std::byte*);
        sent.bytes.assign(data, data + rte_pktmbuf_data_len(frame.mbuf));
        sent.out = frame.out;
        sent.packet.frame = sent.bytes.data();
        sent.packet.frame_size = static_cast<uint32_t>(sent.bytes.size());
        read_headers(sent.packet);
        EXPECT_EQ(sent.packet.fault, DropReason::none);
        EXPECT_TRUE(checksums_hold(sent.packet));
        rte_pktmbuf_free(frame.mbuf);
    }
    return all;
}

}  // namespace portcullis::stages::testing
