#pragma once

#include <cstring>
#include <vector>

#include "packet/checksum.h"
#include "packet/packet_builder.h"
#include "packet/wire_order.h"

/// For tests: frames of IPv4 or IPv6 in fragments.
namespace portcullis::testing {

using Frame = std::vector<std::byte>;

struct Piece {
    size_t begin = 0, end = 0;  ///< Of what follows the IP header.
    bool last = false;
};

inline Frame built(const PacketBuilder& builder) {
    Frame frame(builder.size());
    builder.build(frame);
    return frame;
}

/// One fragment of a frame without tags, IP options or extension headers.
inline Frame piece_of(const Frame& whole, const Piece& piece, uint32_t id = 7) {
    constexpr size_t ip_at = ethernet_size;
    const bool v4 = load_be16(whole.data() + 12) == 0x0800;
    const size_t l4_at = ip_at + (v4 ? 20 : 40);
    const size_t header = v4 ? 0 : 8;
    Frame frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(l4_at));
    frame.resize(l4_at + header + piece.end - piece.begin);
    std::memcpy(frame.data() + l4_at + header, whole.data() + l4_at + piece.begin,
                piece.end - piece.begin);
    std::byte* const ip = frame.data() + ip_at;
    const auto units = static_cast<uint16_t>(piece.begin / 8);
    if (v4) {
        store_be16(ip + 2, static_cast<uint16_t>(frame.size() - ip_at));
        store_be16(ip + 4, static_cast<uint16_t>(id));
        store_be16(ip + 6, static_cast<uint16_t>(units | (piece.last ? 0 : 0x2000)));
        store_be16(ip + 10, 0);
        ChecksumSum sum;
        sum.add({ip, 20});
        const uint16_t field = sum.field();
        std::memcpy(ip + 10, &field, sizeof field);
    } else {
        store_be16(ip + 4, static_cast<uint16_t>(frame.size() - l4_at));
        std::byte* const own = frame.data() + l4_at;
        own[0] = ip[6];
        ip[6] = std::byte{44};
        store_be16(own + 2, static_cast<uint16_t>(units * 8 | (piece.last ? 0 : 1)));
        store_be32(own + 4, id);
    }
    return frame;
}

/// All of it, in pieces of `size` bytes, a multiple of 8.
inline std::vector<Frame> in_pieces(const PacketBuilder& builder, size_t size, uint32_t id = 7) {
    const Frame whole = built(builder);
    const bool v4 = load_be16(whole.data() + 12) == 0x0800;
    const size_t data = whole.size() - ethernet_size - (v4 ? 20 : 40);
    std::vector<Frame> pieces;
    for (size_t at = 0; at < data; at += size) {
        const size_t end = std::min(data, at + size);
        pieces.push_back(piece_of(whole, {at, end, end == data}, id));
    }
    return pieces;
}

}  // namespace portcullis::testing
