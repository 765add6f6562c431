#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace portcullis::stream {

/// Where one Worker's connections keep bytes: a fixed amount of memory, taken
/// at start, cut into blocks of 256 B, 512 B and so on up to twice the most that
/// a stream may keep.  A block is one piece, so kept bytes are contiguous.
///
/// Slabs of equal size are cut up for one size of block when that is asked for,
/// and are free for any size again when their last block came back.
///
/// What a sender can pile up without being acknowledged must not starve the
/// others: the last eighth of the slabs goes only to small blocks, and bytes
/// behind a hole get none of the second half.
class StreamPool {
public:
    using Block = uint32_t;
    static constexpr Block none = 0;
    static constexpr size_t block_size_min = 256;
    static constexpr size_t small_block_size_max = 4096;
    /// A scanner may read this far past the end of what it scans.
    static constexpr size_t readable_past_end = 64;

    enum class Use : uint8_t { in_order, out_of_order };

    /// At least one slab for each size of block, whatever `bytes_total` says.
    StreamPool(uint64_t bytes_total, uint32_t stream_bytes);

    /// The most that a stream may keep.
    uint32_t stream_bytes() const noexcept { return stream_bytes_; }

    /// A block of at least `size` bytes, or `none` when there is no room.
    Block take(size_t size, Use use) noexcept;
    void give_back(Block block) noexcept;

    std::byte* data(Block block) const noexcept {
        return memory_.get() + (size_t{block >> class_bits} - 1) * block_size_min;
    }
    static size_t size(Block block) noexcept { return block_size_min << (block & class_mask); }

    uint64_t bytes_used() const noexcept { return bytes_used_; }
    uint64_t bytes_total() const noexcept { return slabs_.size() * slab_size_; }

private:
    // A Block names its place in units of the smallest, counted from 1, and its
    // size class below that.
    static constexpr unsigned class_bits = 4;
    static constexpr uint32_t class_mask = (1u << class_bits) - 1;
    static constexpr uint32_t nowhere = UINT32_MAX;

    struct Slab {
        uint32_t used = 0;            ///< Blocks out.
        uint32_t fresh = 0;           ///< Blocks never taken since it was cut.
        Block free = none;            ///< Came back; the next one stands in its first bytes.
        uint32_t previous = nowhere;  ///< In the list of its class with room,
        uint32_t next = nowhere;      ///< or in the list of uncut slabs.
    };

    uint32_t slab_of(Block block) const noexcept {
        return static_cast<uint32_t>(size_t{(block >> class_bits) - 1} >> slab_shift_);
    }
    uint32_t blocks_in_slab(unsigned size_class) const noexcept {
        return static_cast<uint32_t>(slab_size_ / (block_size_min << size_class));
    }
    Block take_from(uint32_t slab, unsigned size_class) noexcept;
    bool may_cut(unsigned size_class, Use use) const noexcept;
    uint32_t uncut_slab() noexcept;
    void link(uint32_t slab, unsigned size_class) noexcept;
    void unlink(uint32_t slab, unsigned size_class) noexcept;

    uint32_t stream_bytes_;
    unsigned classes_;
    size_t slab_size_;
    unsigned slab_shift_;  ///< Of smallest blocks in a slab.
    std::unique_ptr<std::byte[]> memory_;
    std::vector<Slab> slabs_;
    std::vector<uint32_t> with_room_;  ///< First slab of each class that has room.
    uint32_t uncut_ = nowhere;
    uint32_t uncut_count_ = 0;
    uint64_t bytes_used_ = 0;
};

}  // namespace portcullis::stream
