#include "evidence/reseal.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <string.h>

#include "evidence/file.h"
#include "packet/checksum.h"
#include "packet/headers.h"
#include "protocol/shadowland/cipher.h"

namespace portcullis::evidence {

namespace {

using protocol::Direction;
using shadowland::Cipher;
using shadowland::Epoch;
using shadowland::Header;
using shadowland::Key;
using stages::KeptFrame;
using stages::ShadowlandSnapshot;

constexpr size_t udp_sum_offset = 6;

/// The keys with which a packet of this part may have been sealed.
class Keys {
public:
    Keys(const ShadowlandSnapshot& from, uint32_t packet) {
        for (const Epoch* epoch : {&from.session.epoch, &from.session.previous}) {
            if (epoch->known) keys_[size_++] = epoch->keys;
        }
        // What came before the key did waits for it.
        if (from.next_at == ShadowlandSnapshot::never || packet > from.next_at) return;
        for (const Epoch& epoch : from.next) {
            if (epoch.known) keys_[size_++] = epoch.keys;
        }
    }
    /// Empty: by none of them.
    Bytes open(const Header& header, Bytes datagram, Direction direction, MutableBytes out) const {
        for (size_t i = 0; i < size_; ++i) {
            const Bytes opened = Cipher::open(header, datagram, keys_[i].of(direction), out);
            if (!opened.empty()) return opened;
        }
        return {};
    }
    ~Keys() { explicit_bzero(static_cast<void*>(keys_.data()), sizeof keys_); }
    Keys(const Keys&) = delete;
    Keys& operator=(const Keys&) = delete;

private:
    std::array<shadowland::EpochKeys, 4> keys_;
    size_t size_ = 0;
};

/// A right answer by the server's integrity table becomes the right one of a table that is
/// no secret.
void answer_by_open_table(MutableBytes payload, uint32_t build) {
    constexpr size_t key_at = 1 + 1 + 2 + 2;  // Type, phase, challenge, index.
    constexpr size_t size = key_at + shadowland::Authenticator::integrity_key_size;
    const auto type = static_cast<std::byte>(shadowland::ControlType::check_integrity);
    if (payload.size() != size || payload[0] != type) return;
    const auto index = static_cast<uint16_t>(std::to_integer<unsigned>(payload[4]) |
                                             std::to_integer<unsigned>(payload[5]) << 8);
    shadowland::Authenticator authenticator;
    const auto key = authenticator.integrity_key(open_integrity_secret, build, index);
    std::ranges::copy(key, payload.begin() + key_at);
}

void write_sum(Packet& packet) {
    MutableBytes frame(packet.frame, packet.frame_size);
    const MutableBytes l4 =
        frame.first(size_t{packet.payload_offset} + packet.payload_size).subspan(packet.l4_offset);
    std::ranges::fill(l4.subspan(udp_sum_offset, 2), std::byte{});
    uint16_t sum =
        l4_sum(packet.source.address, packet.destination.address, packet.ip_protocol, l4).field();
    if (sum == 0) sum = 0xffff;  // 0 says that there is none (RFC 768).
    std::memcpy(l4.data() + udp_sum_offset, &sum, sizeof sum);
}

}  // namespace

void reseal(stages::CapturePart& part) {
    ShadowlandSnapshot& from = part.snapshot.shadowland;
    uint32_t number = 0;
    part.each([&](const KeptFrame& kept, MutableBytes bytes) {
        const uint32_t at = number++;
        Packet packet;
        packet.frame = bytes.data();
        packet.frame_size = kept.size;
        read_headers(packet);
        if (kept.size < kept.original || !packet.is_udp() || !packet.has_ports) return;
        const MutableBytes datagram = MutableBytes(packet.frame, packet.frame_size)
                                          .subspan(packet.payload_offset, packet.payload_size);
        const shadowland::ReadHeader read = shadowland::read_header(datagram);
        if (read.error != shadowland::Error::none) return;
        const Header& header = read.header;
        if (datagram.size() > shadowland::datagram_size_max ||
            datagram.size() <= shadowland::header_size + header.trailer_size()) {
            return;
        }
        const MutableBytes payload =
            datagram.subspan(shadowland::header_size,
                             datagram.size() - shadowland::header_size - header.trailer_size());
        if (!header.encrypted()) {
            if (kept.answers_right == 0) return;
            answer_by_open_table(payload, from.session.build);
            shadowland::write_crc(datagram);
            return write_sum(packet);
        }
        std::array<std::byte, shadowland::datagram_size_max> plain;
        const Direction direction =
            kept.to_client != 0 ? Direction::to_client : Direction::to_server;
        const Bytes opened = Keys(from, at).open(header, datagram, direction, plain);
        if (opened.empty()) {
            // What nobody could open then, nobody shall open now.
            if (Cipher::open(header, datagram, open_key, plain).empty()) return;
            datagram.back() ^= std::byte{1};
            return write_sum(packet);
        }
        std::ranges::copy(opened, payload.begin());
        if (kept.answers_right != 0) answer_by_open_table(payload, from.session.build);
        Cipher::seal(header, datagram, open_key);
        write_sum(packet);
    });
    for (Epoch* epoch :
         {&from.session.epoch, &from.session.previous, &from.next[0], &from.next[1]}) {
        explicit_bzero(static_cast<void*>(&epoch->keys), sizeof epoch->keys);
        epoch->keys = {open_key, open_key};
    }
}

}  // namespace portcullis::evidence
