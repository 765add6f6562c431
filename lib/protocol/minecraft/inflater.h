#pragma once

#include <cstddef>
#include <memory>

#include "base/bytes.h"

namespace portcullis::minecraft {

/// Uncompresses the zlib streams of compressed frames into a room of its own, made
/// at construction.
///
/// Each part by what measured fastest (README.md has the figures): a packet to be
/// skipped is asked for its id only, which DeflateHead finds, and zlib where that
/// does not; ISA-L inflates whole packets.
class Inflater {
public:
    /// Room for `size_max` bytes, and 64 readable ones behind them for scanners that
    /// look ahead.
    explicit Inflater(size_t size_max);
    ~Inflater();
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    size_t size_max() const noexcept { return size_max_; }

    enum class Status : uint8_t {
        done,
        need_more,    ///< `in` ends before the bytes asked for.
        bad_deflate,  ///< Not a zlib stream, or its checksum is wrong.
        /// It holds more or fewer bytes than was said, has none of its checksum, or goes on
        /// behind it.
        other_size,
    };
    struct Result {
        Status status;
        Bytes out;  ///< Valid until the next call.
    };

    /// A whole packet of `size` bytes, at most size_max().  With other_size too `out` has so
    /// many: the first ones, as servers take them, with zeroes for those that are not there.
    Result whole(Bytes in, size_t size) noexcept;
    /// The VarInt at the front, from however much of the stream is there: its bytes,
    /// or up to `size` (at most head_size_max) when they are anything but an ordinary one.
    Result first(Bytes in, size_t size) noexcept;

    static constexpr size_t head_size_max = 16;
    /// The first head_size_max bytes, or as many as there are.
    Result head(Bytes in) noexcept { return first_by_zlib(in, head_size_max); }

    /// How many bytes the stream holds, or `limit` when they are at least so many.  Takes
    /// the room of the last Result.
    size_t measure(Bytes in, size_t limit) noexcept;

private:
    Result first_by_zlib(Bytes in, size_t size) noexcept;

    struct State;
    std::unique_ptr<State> state_;
    size_t size_max_;
};

}  // namespace portcullis::minecraft
