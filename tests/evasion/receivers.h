#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace portcullis::evasion {

/// Which copy a host believes when one sequence number comes with two values.
/// Real stacks lie between these two (PYROLYSE, RAID 2025).
enum class Believes : uint8_t { first, last };

/// A server's TCP, reduced to what it reads: bytes at their places, a FIN as
/// one more place, and the number below which it overwrites nothing, since it
/// acknowledged that much.
class Receiver {
public:
    static constexpr int16_t nothing = -1;
    static constexpr int16_t fin = 256;

    Receiver(Believes believes, size_t places) : believes_(believes), places_(places, nothing) {}

    void take(size_t at, int16_t value) {
        if (at < acked_ || at >= places_.size()) return;
        if (places_[at] == nothing || believes_ == Believes::last) places_[at] = value;
    }
    /// The end of what it could hand to its reader now.
    size_t in_order() const {
        size_t end = acked_;
        while (end < places_.size() && places_[end] != nothing) {
            if (places_[end++] == fin) break;
        }
        return end;
    }
    /// Acknowledges all that came in order, and returns up to where.
    size_t acknowledge() { return acked_ = in_order(); }
    size_t acked() const { return acked_; }
    int16_t at(size_t place) const { return places_[place]; }

    /// What its reader gets, a FIN as its last place.
    std::vector<int16_t> read() const {
        return {places_.begin(), places_.begin() + static_cast<std::ptrdiff_t>(in_order())};
    }

private:
    Believes believes_;
    std::vector<int16_t> places_;
    size_t acked_ = 0;
};

}  // namespace portcullis::evasion
