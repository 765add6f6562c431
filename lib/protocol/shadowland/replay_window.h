#pragma once

#include <bit>
#include <cstdint>

namespace portcullis::shadowland {

/// The last 64 sequences of one direction and channel.
class ReplayWindow {
public:
    static constexpr uint64_t size = 64;
    /// Further ahead than this no receiver follows.
    static constexpr uint64_t jump_max = 65'536;
    /// Nor do we, when nothing proves who sent the packet: one forged sequence
    /// must not make all honest ones look old.
    static constexpr uint64_t unproven_jump_max = 1'024;

    enum class Place : uint8_t { fresh, repeat, too_old, too_far };

    Place look(uint64_t sequence, bool proven) const noexcept {
        if (sequence > highest_) {
            const uint64_t far = proven ? jump_max : unproven_jump_max;
            return sequence - highest_ > far ? Place::too_far : Place::fresh;
        }
        const uint64_t behind = highest_ - sequence;
        if (behind >= size) return Place::too_old;
        return (seen_ >> behind & 1) != 0 ? Place::repeat : Place::fresh;
    }
    /// How many that never came the window leaves behind when it moves to a sequence.
    uint64_t lost_by(uint64_t sequence) const noexcept {
        if (sequence <= highest_) return 0;
        const uint64_t by = sequence - highest_;
        const uint64_t real = highest_ < size ? (uint64_t{1} << highest_) - 1 : ~uint64_t{0};
        const uint64_t leaving = by < size ? ~uint64_t{0} << (size - by) : ~uint64_t{0};
        const auto unseen = static_cast<uint64_t>(std::popcount(~seen_ & real & leaving));
        return unseen + (by > size ? by - size : 0);
    }
    /// Whether a sequence is so far ahead that one which never came would be left behind.  On
    /// reliable channels nobody honest sends it: his oldest unacknowledged and his newest
    /// both fit a window.
    bool leaves_gap(uint64_t sequence) const noexcept { return lost_by(sequence) > 0; }
    /// Only of a sequence that is fresh.  Returns by how much the window moved.
    uint64_t accept(uint64_t sequence) noexcept {
        ++received_;
        if (sequence <= highest_) {
            seen_ |= uint64_t{1} << (highest_ - sequence);
            return 0;
        }
        const uint64_t by = sequence - highest_;
        seen_ = (by < size ? seen_ << by : 0) | 1;
        highest_ = sequence;
        return by;
    }
    /// Whether one before a sequence that was accepted has not come yet.
    bool gap_before(uint64_t sequence) const noexcept {
        const uint64_t behind = highest_ - sequence + 1;
        const uint64_t real = highest_ < size ? (uint64_t{1} << highest_) - 1 : ~uint64_t{0};
        const uint64_t older = behind < size ? ~uint64_t{0} << behind : 0;
        return (~seen_ & real & older) != 0;
    }
    uint64_t highest() const noexcept { return highest_; }
    /// How many sequences up to the highest were never seen: lost, or still to come.
    uint64_t missing() const noexcept { return highest_ - received_; }

private:
    uint64_t highest_ = 0;
    uint64_t received_ = 0;
    uint64_t seen_ = 0;  ///< Bit n: highest - n.
};

}  // namespace portcullis::shadowland
