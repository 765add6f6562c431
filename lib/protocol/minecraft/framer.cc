#include "protocol/minecraft/framer.h"

namespace portcullis::minecraft {

/// Two bytes and more.  A fourth is already too many, but what was meant is read to
/// its end, so that a negative length and an endless one have their own names.
Framer::Length Framer::read_long_length(Bytes in) noexcept {
    constexpr unsigned width_max = 5;  // Of any VarInt of 32 bits.
    uint32_t value = 0;
    for (unsigned i = 0; i < width_max; ++i) {
        if (i == in.size()) return {Length::Status::need_more};
        const auto byte = static_cast<uint8_t>(in[i]);
        value |= static_cast<uint32_t>(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) != 0) continue;
        const auto meant = static_cast<int32_t>(value);
        const auto width = static_cast<uint8_t>(i + 1);
        if (width <= 3) return {Length::Status::whole, width, value};
        const auto fault =
            meant < 0 ? protocol::Fault::bad_varint : protocol::Fault::frame_too_long;
        return {Length::Status::malformed, width, value, fault, static_cast<double>(meant)};
    }
    return {Length::Status::malformed, width_max, value, protocol::Fault::bad_varint, 0};
}

}  // namespace portcullis::minecraft
