#pragma once

#include <bit>
#include <cstring>
#include <type_traits>

#include "base/bytes.h"

namespace portcullis {

/// Reads fields one after another from bytes that may be hostile.
///
/// A read past the end yields zero and marks the reader failed; so a decoder
/// reads a whole message first and asks `ok()` once.  Never throws, never reads
/// outside its bytes.  Integers are big-endian unless the name says `le`.
class Reader {
public:
    constexpr explicit Reader(Bytes in) noexcept : in_(in) {}

    bool ok() const noexcept { return ok_; }
    bool empty() const noexcept { return at_ == in_.size(); }
    size_t position() const noexcept { return at_; }
    size_t left() const noexcept { return in_.size() - at_; }
    Bytes rest() const noexcept { return in_.subspan(at_); }

    uint8_t u8() noexcept { return integer<uint8_t>(); }
    int8_t i8() noexcept { return integer<int8_t>(); }
    uint16_t u16() noexcept { return integer<uint16_t>(); }
    int16_t i16() noexcept { return integer<int16_t>(); }
    uint32_t u32() noexcept { return integer<uint32_t>(); }
    int32_t i32() noexcept { return integer<int32_t>(); }
    uint64_t u64() noexcept { return integer<uint64_t>(); }
    int64_t i64() noexcept { return integer<int64_t>(); }
    float f32() noexcept { return std::bit_cast<float>(u32()); }
    double f64() noexcept { return std::bit_cast<double>(u64()); }
    bool boolean() noexcept { return u8() != 0; }

    uint16_t le_u16() noexcept { return integer<uint16_t, std::endian::little>(); }
    uint32_t le_u32() noexcept { return integer<uint32_t, std::endian::little>(); }
    uint64_t le_u64() noexcept { return integer<uint64_t, std::endian::little>(); }

    /// LEB128 of at most 5 bytes; a sixth, or the end within it, fails.
    uint32_t varint() noexcept {
        uint32_t value = 0;
        for (unsigned shift = 0; shift < 35; shift += 7) {
            const uint8_t byte = u8();
            value |= static_cast<uint32_t>(byte & 0x7f) << shift;
            if ((byte & 0x80) == 0) return ok_ ? value : 0;
        }
        fail();
        return 0;
    }
    int32_t signed_varint() noexcept { return static_cast<int32_t>(varint()); }

    /// LEB128 of at most 10 bytes.
    uint64_t varlong() noexcept {
        uint64_t value = 0;
        for (unsigned shift = 0; shift < 70; shift += 7) {
            const uint8_t byte = u8();
            value |= static_cast<uint64_t>(byte & 0x7f) << shift;
            if ((byte & 0x80) == 0) return ok_ ? value : 0;
        }
        fail();
        return 0;
    }

    Bytes bytes(size_t size) noexcept {
        if (size > left()) {
            fail();
            return {};
        }
        const Bytes taken = in_.subspan(at_, size);
        at_ += size;
        return taken;
    }
    void skip(size_t size) noexcept { (void)bytes(size); }
    void fail() noexcept {
        ok_ = false;
        at_ = in_.size();
    }

private:
    template <class Integer, std::endian Order = std::endian::big>
    Integer integer() noexcept {
        using Raw = std::make_unsigned_t<Integer>;
        if (sizeof(Raw) > left()) {
            fail();
            return 0;
        }
        Raw raw;
        std::memcpy(&raw, in_.data() + at_, sizeof raw);
        at_ += sizeof raw;
        if constexpr (sizeof(Raw) > 1 && Order != std::endian::native) raw = std::byteswap(raw);
        return static_cast<Integer>(raw);
    }

    Bytes in_;
    size_t at_ = 0;
    bool ok_ = true;
};

}  // namespace portcullis
