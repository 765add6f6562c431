// Whatever segments come in whatever order: no crash, no read or write outside,
// no memory kept, and toward the server no sequence number with two values.
//
// The input is a script: each step names a direction, a place, flags, bytes, and
// what the consumer does with what it is offered.

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/reader.h"
#include "stream/connection.h"

namespace portcullis::stream {
namespace {

using protocol::Direction;
using protocol::Progress;

constexpr uint32_t places = 1 << 14;
constexpr Seq server_isn{0xffffff00};

void require(bool held) {
    if (!held) __builtin_trap();
}

class Script {
public:
    explicit Script(Bytes in) : in_(in), client_isn_(in_.u32()), out_(places, nothing) {
        const uint8_t kind = in_.u8();
        if ((kind & 1) != 0) {
            connection_ = Connection::midstream();
        } else {
            connection_ = Connection::from_handshake({.client_isn = client_isn_,
                                                      .server_isn = server_isn,
                                                      .client_window = 4000,
                                                      .server_window = in_.u16(),
                                                      .server_scale = uint8_t(in_.u8() % 15),
                                                      .timestamps = (kind & 2) != 0});
        }
    }

    void play() {
        while (!in_.empty()) step();
        connection_.release(pool());
        require(pool().bytes_used() == 0);
    }

private:
    static constexpr int16_t nothing = -1;

    static StreamPool& pool() {
        static StreamPool one(0, 700);
        return one;
    }

    void step() {
        const uint8_t kind = in_.u8();
        const auto direction = static_cast<Direction>(kind & 1);
        Segment segment;
        segment.flags = in_.u8();
        if ((kind & 2) != 0) segment.flags = tcp::ack;
        const uint16_t place = in_.u16() % places;
        segment.seq = isn(direction) + 1 + place;
        segment.ack = isn(opposite(direction)) + 1 + in_.u16() % places;
        segment.window = in_.u16();
        segment.payload = in_.bytes(std::min<size_t>(in_.u8() * 2u, in_.left()));
        segment.options.has_timestamps = (kind & 4) != 0;
        segment.options.timestamp = place;

        rewritten_at_ = Seq(0);
        rewritten_ = {};
        const Outcome outcome = connection_.accept(
            direction, segment, pool(), [&](Direction d, Bytes b) { return consume(d, b); });
        if (outcome.gap || outcome.over_limit) watching_ = false;
        if (direction == Direction::to_client) return;
        if (!watching_ || !connection_.inspected(direction)) return;
        if (outcome.drop == DropReason::none && !segment.has_any(tcp::syn | tcp::rst)) {
            came_out(place, segment, outcome);
        }
    }

    Progress consume(Direction direction, Bytes offered) noexcept {
        require(!offered.empty());
        // Touch both ends: the sanitizer sees to the rest.
        require((offered.front() == offered.back()) || offered.size() > 1);
        const uint8_t habit = in_.u8();
        const size_t consumed = std::min<size_t>(offered.size(), in_.u8() * 4u);
        const SeqRange fresh = connection_.going_by();
        if ((habit & 1) != 0 && !fresh.empty() && direction == Direction::to_server) {
            static constexpr std::array<std::byte, 4> mark{std::byte{'!'}, std::byte{'!'},
                                                           std::byte{'!'}, std::byte{'!'}};
            const auto size = std::min<size_t>(mark.size(), uint32_t(fresh.end - fresh.begin));
            if (connection_.rewrite(direction, fresh.begin, Bytes(mark).first(size), pool())) {
                rewritten_at_ = fresh.begin;
                rewritten_ = Bytes(mark).first(size);
            }
        }
        return {.consumed = consumed,
                .skip = (habit & 2) != 0 ? size_t{in_.u16()} : 0,
                .finished = (habit & 0xfc) == 0xf8};
    }

    // What is below the acknowledgement, or was never inspected, may say anything.
    void came_out(uint32_t place, const Segment& segment, const Outcome& outcome) {
        std::vector<std::byte> bytes(segment.payload.begin(), segment.payload.end());
        std::copy(outcome.patch.begin(), outcome.patch.end(), bytes.begin() + outcome.patch_offset);
        if (!rewritten_.empty()) {
            std::copy(rewritten_.begin(), rewritten_.end(),
                      bytes.begin() + (rewritten_at_ - segment.seq));
        }
        const int32_t acked = connection_.acked(Direction::to_server) - (client_isn_ + 1);
        for (size_t i = 0; i < bytes.size() && place + i < places; ++i) {
            int16_t& before = out_[place + i];
            const auto value = std::to_integer<int16_t>(bytes[i]);
            require(int32_t(place + i) < acked || before == nothing || before == value);
            before = value;
        }
    }

    Seq isn(Direction d) const { return d == Direction::to_server ? client_isn_ : server_isn; }

    Reader in_;
    Seq client_isn_;
    Connection connection_;
    std::vector<int16_t> out_;
    Seq rewritten_at_;
    Bytes rewritten_;
    bool watching_ = true;
};

}  // namespace
}  // namespace portcullis::stream

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    portcullis::stream::parse_options(portcullis::as_bytes(data, std::min<size_t>(size, 40)));
    portcullis::stream::Script(portcullis::as_bytes(data, size)).play();
    return 0;
}
