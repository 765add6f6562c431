#pragma once

#include <bit>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "base/bytes.h"

namespace portcullis {

/// Writes fields one after another into bytes of a fixed size.  A write past
/// the end writes nothing and marks the writer failed.  Integers are
/// big-endian unless the name says `le`.
class Writer {
public:
    constexpr explicit Writer(MutableBytes out) noexcept : out_(out) {}

    bool ok() const noexcept { return ok_; }
    size_t size() const noexcept { return at_; }
    Bytes written() const noexcept { return out_.first(at_); }

    void u8(uint8_t v) noexcept { integer(v); }
    void u16(uint16_t v) noexcept { integer(v); }
    void u32(uint32_t v) noexcept { integer(v); }
    void u64(uint64_t v) noexcept { integer(v); }
    void f32(float v) noexcept { u32(std::bit_cast<uint32_t>(v)); }
    void f64(double v) noexcept { u64(std::bit_cast<uint64_t>(v)); }
    void boolean(bool v) noexcept { u8(v ? 1 : 0); }
    void le_u16(uint16_t v) noexcept { integer<uint16_t, std::endian::little>(v); }
    void le_u32(uint32_t v) noexcept { integer<uint32_t, std::endian::little>(v); }
    void le_u64(uint64_t v) noexcept { integer<uint64_t, std::endian::little>(v); }

    void varint(uint32_t v) noexcept {
        while (v >= 0x80) {
            u8(static_cast<uint8_t>(v | 0x80));
            v >>= 7;
        }
        u8(static_cast<uint8_t>(v));
    }

    void bytes(Bytes in) noexcept {
        if (in.size() > out_.size() - at_) {
            ok_ = false;
            return;
        }
        if (!in.empty()) std::memcpy(out_.data() + at_, in.data(), in.size());
        at_ += in.size();
    }
    void text(std::string_view in) noexcept { bytes(as_bytes(in)); }

private:
    template <class Integer, std::endian Order = std::endian::big>
    void integer(Integer v) noexcept {
        if constexpr (sizeof(Integer) > 1 && Order != std::endian::native) v = std::byteswap(v);
        bytes(as_bytes(&v, sizeof v));
    }

    MutableBytes out_;
    size_t at_ = 0;
    bool ok_ = true;
};

}  // namespace portcullis
