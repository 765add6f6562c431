#pragma once

#include <bit>
#include <cmath>
#include <cstring>
#include <string_view>

#include "protocol/shadowland/wire.h"

namespace portcullis::shadowland {

/// Whether `text` is UTF-8 in its shortest form without surrogates (RFC 3629).
bool valid_utf8(std::string_view text) noexcept;

/// Reads a body field by field.  The first field that fails names the error of
/// the whole; reads after it give zero.  Never reads outside its bytes.
class BodyReader {
public:
    explicit BodyReader(Bytes in) noexcept : in_(in) {}

    Error error() const noexcept { return error_; }
    bool ok() const noexcept { return error_ == Error::none; }
    size_t left() const noexcept { return in_.size() - at_; }
    size_t position() const noexcept { return at_; }

    void fail(Error error) noexcept {
        if (error_ == Error::none) error_ = error;
    }
    /// Fails with `value` unless it holds.
    void expect(bool holds) noexcept {
        if (!holds) fail(Error::value);
    }
    /// Nothing may stand behind the last field.
    void finish() noexcept {
        if (left() > 0) fail(Error::trailing);
    }

    uint8_t u8() noexcept { return integer<uint8_t>(); }
    uint16_t u16() noexcept { return integer<uint16_t>(); }
    uint32_t u32() noexcept { return integer<uint32_t>(); }
    uint64_t u64() noexcept { return integer<uint64_t>(); }
    int16_t i16() noexcept { return static_cast<int16_t>(u16()); }
    float f32() noexcept {
        const float v = std::bit_cast<float>(u32());
        expect(std::isfinite(v));
        return std::isfinite(v) ? v : 0;
    }
    /// Up to 8 booleans, the first in bit 0.
    uint8_t bits(unsigned n) noexcept {
        const uint8_t v = u8();
        expect(v >> n == 0);
        return v;
    }
    Bytes bytes(size_t size) noexcept {
        if (!ok()) return {};
        if (size > left()) {
            fail(Error::truncated);
            return {};
        }
        const Bytes taken = in_.subspan(at_, size);
        at_ += size;
        return taken;
    }
    std::string_view text(size_t size) noexcept {
        const std::string_view v = as_text(bytes(size));
        expect(valid_utf8(v));
        return ok() ? v : std::string_view{};
    }
    /// ZigZag in the shortest form.
    int32_t varint() noexcept;
    /// An id, a count or a length.
    uint32_t natural() noexcept {
        const int32_t v = varint();
        expect(v >= 0);
        return v >= 0 ? static_cast<uint32_t>(v) : 0;
    }
    uint32_t entity() noexcept {
        const uint32_t v = natural();
        expect(v >= 1);
        return v;
    }

private:
    template <class Integer>
    Integer integer() noexcept {
        const Bytes raw = bytes(sizeof(Integer));
        if (raw.empty()) return 0;
        Integer v;
        std::memcpy(&v, raw.data(), sizeof v);
        if constexpr (sizeof v > 1 && std::endian::native == std::endian::big) v = std::byteswap(v);
        return v;
    }

    Bytes in_;
    size_t at_ = 0;
    Error error_ = Error::none;
};

}  // namespace portcullis::shadowland
