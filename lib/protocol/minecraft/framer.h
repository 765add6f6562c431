#pragma once

#include "base/bytes.h"
#include "protocol/event.h"

namespace portcullis::minecraft {

/// Cuts an ordered byte stream into the game's frames: a VarInt length of at most
/// three bytes, then that many bytes.  Keeps no bytes: what is not consumed, the
/// Stream offers again, longer, when more arrive.
class Framer {
public:
    static constexpr uint32_t frame_size_max = (1u << 21) - 1;  ///< Bytes; what three carry.

    /// The number in front of a frame.
    struct Length {
        enum class Status : uint8_t { whole, need_more, malformed };
        Status status;
        uint8_t width = 0;   ///< Bytes that the number itself takes.
        uint32_t value = 0;  ///< Bytes that follow it.
        protocol::Fault fault{};
        double observed = 0;  ///< What was found instead.
    };

    static Length read_length(Bytes in) noexcept {
        if (in.empty()) return {Length::Status::need_more};
        const auto first = static_cast<uint8_t>(in[0]);
        if (first < 0x80) return {Length::Status::whole, 1, first};
        return read_long_length(in);
    }

    enum class Status : uint8_t { need_more, malformed };
    struct Progress {
        size_t consumed;  ///< Bytes of `in` that whole frames used up.
        Status status;    ///< Why it stopped there.
    };

    /// Calls `on_frame(Bytes)` once per whole frame, in order.
    /// Never throws, allocates, or reads past `in`; bounded by `in.size()`.
    template <class OnFrame>
    static Progress cut(Bytes in, OnFrame&& on_frame) noexcept {
        size_t at = 0;
        while (true) {
            const Length length = read_length(in.subspan(at));
            if (length.status == Length::Status::malformed) return {at, Status::malformed};
            if (length.status == Length::Status::need_more) return {at, Status::need_more};
            const size_t body = at + length.width;
            if (in.size() - body < length.value) return {at, Status::need_more};
            on_frame(in.subspan(body, length.value));
            at = body + length.value;
        }
    }

private:
    static Length read_long_length(Bytes in) noexcept;
};

}  // namespace portcullis::minecraft
