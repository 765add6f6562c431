#include <algorithm>
#include <cstring>

#include <string.h>

#include "evidence/file.h"
#include "evidence/reseal.h"
#include "packet/checksum.h"
#include "packet/headers.h"

namespace portcullis::evidence {

namespace {

using protocol::Direction;
using stages::CapturePart;
using stages::KeptFrame;

constexpr size_t stream_span_max = 64u << 20;
constexpr size_t tcp_sum_offset = 16;

/// One direction's bytes from where the decoder stood on, ciphertext and then plain.
class Stretch {
public:
    Stretch(Seq first, size_t size) : first_(first), bytes_(std::min(size, stream_span_max)) {}

    void put(Seq at, Bytes bytes) noexcept {
        each(at, bytes.size(), [&](size_t place, size_t from, size_t size) {
            std::memcpy(bytes_.data() + place, bytes.data() + from, size);
        });
    }
    /// What stands before the first byte becomes zeroes.
    void get(Seq at, MutableBytes bytes) const noexcept {
        std::ranges::fill(bytes, std::byte{});
        each(at, bytes.size(), [&](size_t place, size_t from, size_t size) {
            std::memcpy(bytes.data() + from, bytes_.data() + place, size);
        });
    }
    void decipher(const minecraft::Cfb8& cipher, minecraft::Cfb8::Register last) {
        std::vector<std::byte> plain(bytes_.size());
        cipher.decrypt(bytes_, last, plain);
        bytes_ = std::move(plain);
    }

private:
    template <class Visit>
    void each(Seq at, size_t size, Visit visit) const noexcept {
        const int32_t place = at - first_;
        const size_t from = place < 0 ? static_cast<size_t>(-int64_t{place}) : 0;
        const size_t begin = place < 0 ? 0 : static_cast<size_t>(place);
        if (from >= size || begin >= bytes_.size()) return;
        visit(begin, from, std::min(size - from, bytes_.size() - begin));
    }

    Seq first_;
    std::vector<std::byte> bytes_;
};

/// Calls `visit(Packet&)` for each frame of one direction that is whole.
template <class Visit>
void each_segment(const CapturePart& part, Direction direction, Visit visit) {
    const bool to_client = direction == Direction::to_client;
    part.each([&](const KeptFrame& kept, MutableBytes bytes) {
        if ((kept.to_client != 0) != to_client || kept.size < kept.original) return;
        Packet packet;
        packet.frame = bytes.data();
        packet.frame_size = kept.size;
        read_headers(packet);
        if (packet.is_tcp() && packet.has_ports && packet.payload_size > 0) visit(packet);
    });
}

void write_payload(Packet& packet, const Stretch& stretch) {
    MutableBytes frame(packet.frame, packet.frame_size);
    stretch.get(packet.tcp.seq, frame.subspan(packet.payload_offset, packet.payload_size));
    const MutableBytes l4 =
        frame.first(size_t{packet.payload_offset} + packet.payload_size).subspan(packet.l4_offset);
    std::ranges::fill(l4.subspan(tcp_sum_offset, 2), std::byte{});
    const uint16_t sum =
        l4_sum(packet.source.address, packet.destination.address, packet.ip_protocol, l4).field();
    std::memcpy(l4.data() + tcp_sum_offset, &sum, sizeof sum);
}

void decipher(CapturePart& part, Direction direction) {
    stages::Snapshot& snapshot = part.snapshot;
    minecraft::Session::Half& half = snapshot.session.half(direction);
    const Seq first = snapshot.connection.offered_seq(direction);
    const MutableBytes undecoded = part.undecoded(direction);
    Seq end = first + static_cast<uint32_t>(undecoded.size());
    each_segment(part, direction,
                 [&](const Packet& packet) { end = later(end, packet.segment().end()); });

    Stretch stretch(first, static_cast<uint32_t>(end - first));
    stretch.put(first, undecoded);
    each_segment(part, direction,
                 [&](const Packet& packet) { stretch.put(packet.tcp.seq, packet.payload()); });
    stretch.decipher(snapshot.session.cipher, half.last);
    stretch.get(first, undecoded);
    each_segment(part, direction, [&](Packet& packet) { write_payload(packet, stretch); });

    // What the decoder was to pass over for the register alone, it passes over unread.
    uint32_t done = half.passing;
    if (direction == Direction::to_server) done += snapshot.decoded_front;
    part.pass_over(direction, done);
    half.passing = 0;
    half.front_needs = 0;
    half.waits = false;
    half.last = {};
}

}  // namespace

void decipher(stages::Capture& capture) {
    using Encryption = minecraft::Session::Encryption;
    for (CapturePart& part : capture.parts) {
        minecraft::Session& session = part.snapshot.session;
        if (part.begun() && part.snapshot.protocol == protocol::Protocol::shadowland) {
            reseal(part);
            continue;
        }
        if (!part.begun() || session.encryption == Encryption::none) continue;
        if (session.encryption == Encryption::known) {
            decipher(part, Direction::to_server);
            decipher(part, Direction::to_client);
            part.snapshot.decoded_front = 0;
            session.encryption = Encryption::none;
        }
        explicit_bzero(static_cast<void*>(&session.cipher), sizeof session.cipher);
    }
}

}  // namespace portcullis::evidence
