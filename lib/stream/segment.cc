#include "stream/segment.h"

#include <algorithm>

#include "base/reader.h"

namespace portcullis::stream {

namespace {

// Kinds by the IANA registry of TCP parameters.
enum Kind : uint8_t {
    end_of_list = 0,
    no_operation = 1,
    maximum_segment_size = 2,
    window_scale = 3,
    sack_permitted = 4,
    timestamps = 8,
    fast_open = 34,
};

constexpr size_t timestamps_size = 10;

void read_timestamps(Reader value, TcpOptions& options) noexcept {
    options.timestamp = value.u32();
    options.timestamp_echo = value.u32();
    options.has_timestamps = true;
}

// A value of a length it may not have is ignored, as hosts do.
void read_value(uint8_t kind, Bytes value, TcpOptions& options) noexcept {
    Reader in(value);
    switch (kind) {
        case maximum_segment_size:
            if (value.size() == 2) options.mss = in.u16();
            break;
        case window_scale:
            if (value.size() != 1) break;
            options.window_scale = std::min(in.u8(), TcpOptions::scale_max);
            options.has_window_scale = true;
            break;
        case sack_permitted:
            if (value.empty()) options.sack_permitted = true;
            break;
        case timestamps:
            if (value.size() == timestamps_size - 2) read_timestamps(in, options);
            break;
        case fast_open:
            options.fast_open = true;
            break;
        case multipath_option:
            options.multipath = true;
            break;
        default:
            break;
    }
}

}  // namespace

TcpOptions parse_options(Bytes bytes) noexcept {
    TcpOptions options;
    Reader in(bytes);

    // Nearly every segment of a living connection carries exactly this.
    constexpr uint32_t only_timestamps = 0x0101080a;
    if (bytes.size() == timestamps_size + 2 && in.u32() == only_timestamps) {
        read_timestamps(in, options);
        return options;
    }

    in = Reader(bytes);
    while (!in.empty()) {
        const uint8_t kind = in.u8();
        if (kind == end_of_list) break;
        if (kind == no_operation) continue;
        const uint8_t size = in.u8();  // Counts the kind and itself.
        if (!in.ok() || size < 2 || in.left() < size - 2u) {
            options.malformed = true;
            break;
        }
        read_value(kind, in.bytes(size - 2u), options);
    }
    return options;
}

}  // namespace portcullis::stream
