#pragma once

#include "protocol/field_visitor.h"
#include "protocol/shadowland/header.h"
#include "protocol/shadowland/walks.h"

namespace portcullis::shadowland {

/// Tells a message's fields to people, under the names of the wire document.
/// Long bytes are told as their length and SHA-256.  Slow.
class TellWalk {
public:
    explicit TellWalk(protocol::FieldVisitor& out) noexcept : out_(out) {}

    void expect(bool, Error = Error::value) noexcept {}
    void told(std::string_view name, bool v) noexcept { out_.field(name, v); }
    void u8(std::string_view name, uint8_t v) noexcept { number(name, v); }
    void u16(std::string_view name, uint16_t v) noexcept { number(name, v); }
    void u32(std::string_view name, uint32_t v) noexcept { number(name, v); }
    void u64(std::string_view name, uint64_t v) noexcept { number(name, v); }
    void bits(std::string_view name, unsigned, uint8_t v) noexcept { number(name, v); }
    void boolean(std::string_view name, bool v) noexcept { out_.field(name, v); }
    void natural(std::string_view name, uint32_t v) noexcept { number(name, v); }
    void entity(std::string_view name, uint32_t v) noexcept { number(name, v); }
    void bytes(std::string_view name, size_t, Bytes v) noexcept { out_.field(name, v); }
    void blob(std::string_view name, size_t, Bytes v) noexcept { rest(name, v); }
    void rest(std::string_view name, Bytes v) noexcept;
    void text(std::string_view name, size_t, std::string_view v) noexcept { out_.field(name, v); }
    void vec(std::string_view name, const Triple& v) noexcept {
        out_.open(name, true);
        for (const float x : v) out_.field({}, double{x});
        out_.close();
    }
    void qvec(std::string_view name, const Quantised& v) noexcept {
        out_.open(name, true);
        for (const int16_t x : v) out_.field({}, int64_t{x});
        out_.close();
    }
    void qrot(std::string_view name, bool yaw_only, const Quantised& v) noexcept;
    void sequences(std::string_view name, const Ack& m) noexcept;
    void entities(std::string_view name, const DeltaSync& m) noexcept;

private:
    /// A field without a name is told by what it leads in.
    void number(std::string_view name, uint64_t v) noexcept {
        if (!name.empty()) out_.field(name, v);
    }

    protocol::FieldVisitor& out_;
};

template <class M>
void describe(const M& message, Direction direction, protocol::FieldVisitor& out) noexcept {
    TellWalk tell(out);
    M copy = message;
    walk(tell, copy, direction);
}

/// The fields of a packet's header.
void describe(const Header& header, protocol::FieldVisitor& out) noexcept;

}  // namespace portcullis::shadowland
