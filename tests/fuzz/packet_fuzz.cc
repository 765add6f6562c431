// Goal: no frame makes the header reader read past it, or say of it what is not there.
// Method: any bytes are a frame, in a buffer of just their size; what is read must lie
// inside, and rewriting a payload keeps a sum that held.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "packet/headers.h"

namespace portcullis {
namespace {

void must(bool holds) {
    if (!holds) std::abort();
}

void judge(Packet& packet) {
    must(packet.l3_offset <= packet.frame_size);
    if (packet.ip_version != 0 && packet.fault == DropReason::none) {
        must(packet.l4_offset <= packet.frame_size);
    }
    if (packet.fragment && packet.fault == DropReason::none) {
        if (const auto fragment = read_fragment(packet)) {
            must(fragment->data.data() >= packet.frame);
            must(fragment->data.data() + fragment->data.size() <= packet.frame + packet.frame_size);
            must(fragment->offset + fragment->data.size() <= UINT16_MAX);
        }
    }
    (void)link_header(packet);
    if (!packet.has_ports || packet.fault != DropReason::none || packet.fragment) return;

    must(size_t{packet.payload_offset} + packet.payload_size <= packet.frame_size);
    must(packet.l4_offset < packet.payload_offset);
    const bool held = checksums_hold(packet);
    if (packet.payload_size > 0) {
        const std::array<std::byte, 3> mark = {std::byte{0xa5}, std::byte{0}, std::byte{0xff}};
        const size_t size = std::min<size_t>(mark.size(), packet.payload_size);
        rewrite_payload(packet, packet.payload_size - size, Bytes(mark).first(size));
        must(!held || checksums_hold(packet));
    }
    if (packet.is_tcp()) {
        clear_urgent(packet);
        must(!held || checksums_hold(packet));
    }
}

}  // namespace
}  // namespace portcullis

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace portcullis;
    constexpr size_t frame_max = 65'000;  // Larger ones are no mbuf's.
    if (size < 1 || size > frame_max) return 0;
    const auto exact = std::make_unique<std::byte[]>(size);
    std::copy_n(reinterpret_cast<const std::byte*>(data), size, exact.get());
    Packet packet;
    packet.frame = exact.get();
    packet.frame_size = static_cast<uint32_t>(size);
    read_headers(packet);
    if (size >= ethernet_size) judge(packet);
    return 0;
}
