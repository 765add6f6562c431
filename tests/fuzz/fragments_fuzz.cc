// Goal: no sequence of IP fragments lets a place of a datagram go by with two values,
// or lets a receiver have a whole that was not told.
// Method: the input chooses fragments of few datagrams, overlapping, lying, tiny; a
// receiver that keeps all that went on is held against what was said.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>

#include "flow/fragments.h"
#include "packet/packet_builder.h"
#include "packet/testing/fragmenting.h"

namespace portcullis {
namespace {

void must(bool holds) {
    if (!holds) std::abort();
}

/// One datagram as the most patient receiver has it.
struct Received {
    std::map<size_t, std::byte> bytes;
    std::optional<size_t> size;
    Nanos latest{};

    bool whole() const { return size && bytes.size() >= *size; }
};

class Line {
public:
    void run(Bytes ops) {
        for (; ops.size() >= 4; ops = ops.subspan(4)) {
            const auto at = [&](size_t i) { return std::to_integer<uint8_t>(ops[i]); };
            const bool v4 = (at(0) & 0x80) == 0;
            const uint32_t id = at(0) & 3u;
            const size_t begin = (at(1) & 15u) * 8;
            const size_t size = std::min<size_t>(1 + at(2) % 40u, room - begin);
            show(v4, id, {begin, begin + size, (at(3) & 1) != 0}, (at(3) >> 1) & 1u);
            if ((at(3) & 0xf0) == 0xf0) now_ += 7s;
        }
    }

private:
    static constexpr size_t room = 20 + 180;

    void show(bool v4, uint32_t id, const testing::Piece& piece, unsigned story) {
        std::array<std::byte, room - 20> text;
        text.fill(std::byte{static_cast<uint8_t>('a' + story)});
        const auto whole = testing::built(
            PacketBuilder{}
                .from(*parse_endpoint(v4 ? "198.51.100.7:50122" : "[2001:db8::7]:50122"))
                .to(*parse_endpoint(v4 ? "10.0.0.2:25565" : "[2001:db8::2]:25565"))
                .tcp(Seq(1), Seq(2), stream::tcp::ack)
                .payload(text));
        const testing::Frame frame = testing::piece_of(whole, piece, id);
        const auto exact = std::make_unique<std::byte[]>(frame.size());
        std::ranges::copy(frame, exact.get());
        Packet packet;
        packet.frame = exact.get();
        packet.frame_size = static_cast<uint32_t>(frame.size());
        packet.time = now_;
        read_headers(packet);
        if (!packet.fragment || packet.fault != DropReason::none) return;
        const auto fragment = read_fragment(packet);
        const Fragments::Fate fate = fragments_.take(packet, false);
        if (fate != Fragments::Fate::waits && fate != Fragments::Fate::whole) return;
        must(fragment.has_value());
        arrives(received_[{v4, id}], *fragment, fate);
    }

    void arrives(Received& r, const Fragment& fragment, Fragments::Fate fate) {
        if (now_ - r.latest > Fragments::lifetime) r = {};
        r.latest = now_;
        for (size_t i = 0; i < fragment.data.size(); ++i) {
            const auto [at, fresh] = r.bytes.try_emplace(fragment.offset + i, fragment.data[i]);
            must(fresh || at->second == fragment.data[i]);
        }
        if (fragment.last) {
            const size_t end = fragment.offset + fragment.data.size();
            must(!r.size || *r.size == end);
            r.size = end;
        }
        must(!r.size || r.bytes.empty() || r.bytes.rbegin()->first < *r.size);
        must(r.whole() == (fate == Fragments::Fate::whole));
    }

    Fragments fragments_{3, 1};
    std::map<std::pair<bool, uint32_t>, Received> received_;
    Nanos now_ = 1000s;
};

}  // namespace
}  // namespace portcullis

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    portcullis::Line().run(portcullis::as_bytes(data, size));
    return 0;
}
