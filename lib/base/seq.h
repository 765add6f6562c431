#pragma once

#include <compare>
#include <cstdint>

namespace portcullis {

/// A TCP sequence number: 32 bits that wrap (RFC 9293 3.4).  Comparisons hold
/// for numbers less than 2^31 apart; a difference is a signed distance.
class Seq {
public:
    constexpr Seq() noexcept = default;
    constexpr explicit Seq(uint32_t value) noexcept : value_(value) {}

    constexpr uint32_t value() const noexcept { return value_; }

    constexpr Seq operator+(uint32_t bytes) const noexcept { return Seq(value_ + bytes); }
    constexpr Seq operator-(uint32_t bytes) const noexcept { return Seq(value_ - bytes); }
    constexpr Seq& operator+=(uint32_t bytes) noexcept {
        value_ += bytes;
        return *this;
    }
    /// How far this one lies after `other`; negative when before.
    constexpr int32_t operator-(Seq other) const noexcept {
        return static_cast<int32_t>(value_ - other.value_);
    }

    constexpr bool operator==(const Seq&) const noexcept = default;
    constexpr bool operator<(Seq other) const noexcept { return *this - other < 0; }
    constexpr bool operator<=(Seq other) const noexcept { return *this - other <= 0; }
    constexpr bool operator>(Seq other) const noexcept { return *this - other > 0; }
    constexpr bool operator>=(Seq other) const noexcept { return *this - other >= 0; }

private:
    uint32_t value_ = 0;
};

constexpr Seq later(Seq a, Seq b) noexcept { return a < b ? b : a; }
constexpr Seq earlier(Seq a, Seq b) noexcept { return a < b ? a : b; }

}  // namespace portcullis
