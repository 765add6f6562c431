#include "protocol/minecraft/write_move.h"

#include <bit>

#include "base/writer.h"

namespace portcullis::minecraft {

namespace {

constexpr size_t flags_size = 1;
constexpr size_t position_size = 3 * sizeof(double);
constexpr size_t rotation_size = 2 * sizeof(float);
constexpr size_t eyes_size = sizeof(double);  ///< Up to 1.7 the height of the eyes is said too.
constexpr double eye_height = 1.62;           ///< Blocks above the feet.

bool same_bits(double a, double b) noexcept {
    return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
}

double real_at(Bytes body, size_t at) noexcept {
    uint64_t bits = 0;
    for (size_t i = 0; i < sizeof bits; ++i)
        bits = bits << 8 | std::to_integer<uint64_t>(body[at + i]);
    return std::bit_cast<double>(bits);
}

}  // namespace

size_t write_move(const Frame& frame, const protocol::Move& claimed, const protocol::Move& instead,
                  MutableBytes out) noexcept {
    const size_t fields =
        (claimed.has_position ? position_size : 0) + (claimed.has_rotation ? rotation_size : 0);
    const bool moves = frame.packet == Packet::position || frame.packet == Packet::position_look ||
                       frame.packet == Packet::look;
    if (!moves || fields == 0) return 0;
    const bool with_eyes =
        claimed.has_position && frame.body.size() == fields + eyes_size + flags_size;
    if (!with_eyes && frame.body.size() != fields + flags_size) return 0;

    Writer writer(out);
    if (claimed.has_position) {
        writer.f64(instead.position.x);
        const double eyes = instead.position.y + eye_height;
        // The table's word on which of the two numbers is the feet's.
        const bool feet_first =
            !with_eyes || same_bits(real_at(frame.body, sizeof(double)), claimed.position.y);
        if (with_eyes && !feet_first) writer.f64(eyes);
        writer.f64(instead.position.y);
        if (with_eyes && feet_first) writer.f64(eyes);
        writer.f64(instead.position.z);
    }
    if (claimed.has_rotation) {
        writer.f32(instead.rotation.yaw);
        writer.f32(instead.rotation.pitch);
    }
    return writer.size();
}

}  // namespace portcullis::minecraft
