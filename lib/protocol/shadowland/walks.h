#pragma once

#include <string_view>

#include "base/writer.h"
#include "protocol/shadowland/layouts.h"

namespace portcullis::shadowland {

/// Reads a message's fields from its body.
class ReadWalk {
public:
    explicit ReadWalk(Bytes body) noexcept : in_(body) {}
    BodyReader& reader() noexcept { return in_; }

    void expect(bool holds, Error error = Error::value) noexcept {
        if (!holds) in_.fail(error);
    }
    void told(std::string_view, bool) noexcept {}
    void u8(std::string_view, uint8_t& v) noexcept { v = in_.u8(); }
    void u16(std::string_view, uint16_t& v) noexcept { v = in_.u16(); }
    void u32(std::string_view, uint32_t& v) noexcept { v = in_.u32(); }
    void u64(std::string_view, uint64_t& v) noexcept { v = in_.u64(); }
    void bits(std::string_view, unsigned n, uint8_t& v) noexcept { v = in_.bits(n); }
    void boolean(std::string_view, bool& v) noexcept { v = in_.bits(1) != 0; }
    void natural(std::string_view, uint32_t& v) noexcept { v = in_.natural(); }
    void entity(std::string_view, uint32_t& v) noexcept { v = in_.entity(); }
    void bytes(std::string_view, size_t size, Bytes& v) noexcept { v = in_.bytes(size); }
    void blob(std::string_view, size_t size, Bytes& v) noexcept { v = in_.bytes(size); }
    void rest(std::string_view, Bytes& v) noexcept { v = in_.bytes(in_.left()); }
    void text(std::string_view, size_t size, std::string_view& v) noexcept { v = in_.text(size); }
    void vec(std::string_view, Triple& v) noexcept {
        for (float& x : v) x = in_.f32();
    }
    void qvec(std::string_view, Quantised& v) noexcept {
        for (int16_t& x : v) x = in_.i16();
    }
    void qrot(std::string_view name, bool yaw_only, Quantised& v) noexcept {
        if (yaw_only) {
            v = {0, in_.i16(), 0};
        } else {
            qvec(name, v);
        }
    }
    void sequences(std::string_view, Ack& m) noexcept;
    void entities(std::string_view, DeltaSync& m) noexcept;

private:
    BodyReader in_;
};

/// Writes a message's fields.
class WriteWalk {
public:
    explicit WriteWalk(Writer& out) noexcept : out_(out) {}

    void expect(bool, Error = Error::value) noexcept {}
    void told(std::string_view, bool) noexcept {}
    void u8(std::string_view, uint8_t v) noexcept { out_.u8(v); }
    void u16(std::string_view, uint16_t v) noexcept { out_.le_u16(v); }
    void u32(std::string_view, uint32_t v) noexcept { out_.le_u32(v); }
    void u64(std::string_view, uint64_t v) noexcept { out_.le_u64(v); }
    void bits(std::string_view, unsigned, uint8_t v) noexcept { out_.u8(v); }
    void boolean(std::string_view, bool v) noexcept { out_.u8(v ? 1 : 0); }
    void natural(std::string_view, uint32_t v) noexcept { out_.varint(v << 1); }
    void entity(std::string_view, uint32_t v) noexcept { out_.varint(v << 1); }
    void bytes(std::string_view, size_t, Bytes v) noexcept { out_.bytes(v); }
    void blob(std::string_view, size_t, Bytes v) noexcept { out_.bytes(v); }
    void rest(std::string_view, Bytes v) noexcept { out_.bytes(v); }
    void text(std::string_view, size_t, std::string_view v) noexcept { out_.text(v); }
    void vec(std::string_view, const Triple& v) noexcept {
        for (const float x : v) out_.le_u32(std::bit_cast<uint32_t>(x));
    }
    void qvec(std::string_view, const Quantised& v) noexcept {
        for (const int16_t x : v) out_.le_u16(static_cast<uint16_t>(x));
    }
    void qrot(std::string_view name, bool yaw_only, const Quantised& v) noexcept {
        if (yaw_only) {
            out_.le_u16(static_cast<uint16_t>(v[1]));
        } else {
            qvec(name, v);
        }
    }
    void sequences(std::string_view, const Ack& m) noexcept { out_.bytes(m.raw); }
    void entities(std::string_view, const DeltaSync& m) noexcept { out_.bytes(m.raw); }

private:
    Writer& out_;
};

/// Reads `body` as an M.  Error::none if it is one to the last byte.
template <class M>
Error read_body(Bytes body, Direction direction, M& message) noexcept {
    ReadWalk read(body);
    walk(read, message, direction);
    read.reader().finish();
    return read.reader().error();
}

template <class M>
void write_body(Writer& out, M message, Direction direction) noexcept {
    WriteWalk write(out);
    walk(write, message, direction);
}

}  // namespace portcullis::shadowland
