#pragma once

#include <span>

#include "base/reader.h"
#include "protocol/minecraft/nbt.h"
#include "protocol/minecraft/tables.h"
#include "protocol/minecraft/values.h"

namespace portcullis::minecraft {

/// Runs a field program over a packet's bytes: leaves what slots name in Values and
/// tells a Sink what passes by.
///
///     static constexpr bool hears_values;                 // put, open, close are called
///     void put(uint16_t name, const Value&);
///     void open(uint16_t name, bool array);
///     void close();
///     bool member(Slot array);   // an array's member is in Values; false: enough read
///
/// Bounded by the bytes: a count in the packet can not make it spin.
template <class Sink>
class Walk {
public:
    Walk(Bytes body, Values& values, Sink& sink) noexcept
        : in_(body), values_(values), sink_(sink) {}

    /// False when the bytes are not what the layout says; see `fault`.
    bool run(const Program& program) noexcept {
        const auto list = ops().subspan(program.first, program.size);
        const bool whole = block(list.data(), list.data() + list.size());
        if (faulty_ || !in_.ok()) return false;
        at_end_ = whole && program.complete;
        return true;
    }

    protocol::Fault fault() const noexcept { return fault_; }
    double observed() const noexcept { return observed_; }
    double limit() const noexcept { return limit_; }
    /// Bytes that the layout does not know of; 0 when it ended before the packet did.
    size_t trailing() const noexcept { return at_end_ ? in_.left() : 0; }

private:
    using Code = Op::Code;
    using How = Op::How;
    using Kind = Value::Kind;

    /// False: nothing more is read (a fault, a stop, or the sink had enough).
    bool block(const Op* op, const Op* end) noexcept {
        while (op < end) {
            if (op->code < Code::open) {
                value(*op);
                if (!in_.ok()) return false;
                ++op;
            } else {
                if (!nested(op)) return false;
                op += 1 + op->size;
            }
        }
        return true;
    }

    void put(const Op& op, const Value& v) noexcept { put(op.name, op.slot, v); }
    void put(uint16_t name, Slot slot, const Value& v) noexcept {
        if (slot != Slot::none) values_.set(slot, v);
        if constexpr (Sink::hears_values) {
            if (in_.ok()) sink_.put(name, v);
        }
    }
    void open(uint16_t name, bool array) noexcept {
        if constexpr (Sink::hears_values) sink_.open(name, array);
    }
    void close() noexcept {
        if constexpr (Sink::hears_values) sink_.close();
    }

    void value(const Op& op) noexcept {
        switch (op.code) {
            case Code::boolean:
                put(op, Value::of_integer(in_.u8() != 0, Kind::boolean));
                return;
            case Code::i8:
                put(op, Value::of_integer(in_.i8()));
                return;
            case Code::u8:
                put(op, Value::of_integer(in_.u8()));
                return;
            case Code::i16:
                put(op, Value::of_integer(in_.i16()));
                return;
            case Code::u16:
                put(op, Value::of_integer(in_.u16()));
                return;
            case Code::i32:
                put(op, Value::of_integer(in_.i32()));
                return;
            case Code::u32:
                put(op, Value::of_integer(in_.u32()));
                return;
            case Code::i64:
                put(op, Value::of_integer(in_.i64()));
                return;
            case Code::u64:
                put(op, Value::of_integer(in_.i64(), Kind::unsigned_integer));
                return;
            case Code::f32:
                put(op, Value::of_real(static_cast<double>(in_.f32())));
                return;
            case Code::f64:
                put(op, Value::of_real(in_.f64()));
                return;
            case Code::varint:
                put(op, Value::of_integer(varint()));
                return;
            case Code::varlong:
                put(op, Value::of_integer(varlong()));
                return;
            case Code::uuid:
                put(op, Value::of_bytes(in_.bytes(16), Kind::uuid));
                return;
            case Code::position:
            case Code::position_before_477:
                put(op, position(op.code));
                return;
            default:
                other_value(op);
        }
    }

    void other_value(const Op& op) noexcept {
        switch (op.code) {
            case Code::string:
                put(op, string(op));
                return;
            case Code::bytes:
                put(op, Value::of_bytes(in_.bytes(limited(op, count(op))), Kind::bytes));
                return;
            case Code::rest:
                put(op, Value::of_bytes(in_.bytes(in_.left()), Kind::bytes));
                return;
            case Code::bits:
                bits(op);
                return;
            case Code::flags:
                flags(op);
                return;
            case Code::packed_vector:
                packed_vector(op);
                return;
            case Code::nbt:
                nbt(op, NbtRoot::nameless);
                return;
            case Code::named_nbt:
                nbt(op, NbtRoot::named);
                return;
            // Absent is a lone end tag, which reads as an empty value.
            case Code::optional_nbt:
                nbt(op, NbtRoot::nameless);
                return;
            case Code::optional_named_nbt:
                nbt(op, NbtRoot::named);
                return;
            case Code::compressed_nbt: {
                const int16_t size = in_.i16();
                in_.skip(size < 0 ? 0 : static_cast<size_t>(size));
                return;
            }
            default:
                fail(protocol::Fault::bad_field);
        }
    }

    int32_t varint() noexcept {
        const size_t left = in_.left();
        const int32_t v = in_.signed_varint();
        if (!in_.ok() && left >= 5) fail(protocol::Fault::bad_varint);
        return v;
    }
    int64_t varlong() noexcept {
        const size_t left = in_.left();
        const uint64_t v = in_.varlong();
        if (!in_.ok() && left >= 10) fail(protocol::Fault::bad_varint);
        return static_cast<int64_t>(v);
    }

    /// Both packings end as x26 z26 y12.
    Value position(Code code) noexcept {
        uint64_t v = in_.u64();
        if (code == Code::position_before_477) {
            const uint64_t y = v >> 26 & 0xfff, z = v & 0x3ffffff;
            v = (v >> 38 << 38) | z << 12 | y;
        }
        return Value::of_integer(static_cast<int64_t>(v), Kind::block);
    }

    Value string(const Op& op) noexcept {
        const size_t size = count(op);
        const auto units_max = static_cast<size_t>(op.arg);
        // Vanilla counts UTF-16 units; one takes at most three bytes of UTF-8.
        if (size > units_max * 3) return too_long(size, units_max);
        const Bytes text = in_.bytes(size);
        if (size > units_max) {
            const size_t units = utf16_units(text);
            if (units > units_max) return too_long(units, units_max);
        }
        return Value::of_bytes(text, Kind::text);
    }
    Value too_long(size_t observed, size_t units_max) noexcept {
        observed_ = static_cast<double>(observed);
        limit_ = static_cast<double>(units_max);
        fail(protocol::Fault::string_too_long);
        return Value::of_bytes({}, Kind::text);
    }
    static size_t utf16_units(Bytes text) noexcept {
        size_t units = 0;
        for (const std::byte b : text) {
            const auto c = static_cast<uint8_t>(b);
            if ((c & 0xc0) != 0x80) units += c >= 0xf0 ? 2 : 1;
        }
        return units;
    }

    void nbt(const Op& op, NbtRoot root) noexcept {
        const Bytes rest = in_.rest();
        protocol::Fault fault{};
        if (!skip_nbt(in_, root, fault)) {
            fail(fault);
            return;
        }
        put(op, Value::of_bytes(rest.first(rest.size() - in_.left()), Kind::bytes));
    }

    void bits(const Op& op) noexcept {
        const auto members = parts().subspan(static_cast<size_t>(op.arg), op.size);
        unsigned total = 0;
        for (const Part& part : members) total += part.bits;
        uint64_t word = 0;
        for (unsigned i = 0; i < total / 8; ++i) word = word << 8 | in_.u8();
        if (op.name != 0) open(op.name, false);
        for (const Part& part : members) {
            total -= part.bits;
            uint64_t v = word >> total & ((uint64_t{1} << part.bits) - 1);
            if (part.is_signed && (v >> (part.bits - 1)) != 0) v |= ~uint64_t{0} << part.bits;
            put(part.name, part.slot, Value::of_integer(static_cast<int64_t>(v)));
        }
        if (op.name != 0) close();
    }

    /// Each flag under its own name; the whole in the operation's slot.
    void flags(const Op& op) noexcept {
        const auto word = static_cast<uint32_t>(integer(op.how));
        if (op.slot != Slot::none) values_.set(op.slot, Value::of_integer(word));
        const auto members = parts().subspan(static_cast<size_t>(op.arg), op.size);
        for (size_t i = 0; i < members.size(); ++i) {
            if (members[i].name == 0) continue;
            put(members[i].name, members[i].slot, Value::of_integer(word >> i & 1, Kind::boolean));
        }
    }

    /// A zero byte alone is no movement.  Else 48 bits, the first two bytes lowest: two of
    /// scale, one that more of the scale follows, three times 15 of a number in -1..1.
    void packed_vector(const Op& op) noexcept {
        const auto members = parts().subspan(static_cast<size_t>(op.arg), op.size);
        double xyz[3] = {};
        const uint64_t first = in_.u8();
        if (first != 0) {
            const uint64_t second = in_.u8();
            const uint64_t word = uint64_t{in_.u32()} << 16 | second << 8 | first;
            uint64_t scale = first & 3;
            if ((first & 4) != 0) scale |= uint64_t{static_cast<uint32_t>(varint())} << 2;
            for (unsigned i = 0; i < 3; ++i) {
                const auto raw = static_cast<double>(word >> (3 + 15 * i) & 0x7fff);
                xyz[i] =
                    (std::min(raw, 32766.0) * 2.0 / 32766.0 - 1.0) * static_cast<double>(scale);
            }
        }
        if (op.name != 0) open(op.name, false);
        for (size_t i = 0; i < 3 && i < members.size(); ++i) {
            put(members[i].name, members[i].slot, Value::of_real(xyz[i]));
        }
        if (op.name != 0) close();
    }

    int64_t integer(How how) noexcept {
        switch (how) {
            case How::varint:
                return varint();
            case How::i8:
                return in_.i8();
            case How::u8:
                return in_.u8();
            case How::i16:
                return in_.i16();
            case How::i32:
                return in_.i32();
            case How::u32:
                return in_.u32();
            default:
                return 0;
        }
    }
    size_t count(const Op& op) noexcept {
        int64_t n = 0;
        if (op.how == How::fixed) {
            n = op.arg;
        } else if (op.how == How::slot) {
            n = values_.integer(static_cast<Slot>(op.arg));
        } else {
            n = integer(op.how);
        }
        if (n < 0) {
            observed_ = static_cast<double>(n);
            fail(protocol::Fault::bad_field);
            return 0;
        }
        return static_cast<size_t>(n);
    }

    size_t limited(const Op& op, size_t n) noexcept {
        const bool counted = op.how != How::fixed && op.how != How::slot;
        if (!counted || op.arg == 0 || n <= static_cast<size_t>(op.arg)) return n;
        observed_ = static_cast<double>(n);
        limit_ = static_cast<double>(op.arg);
        fail(protocol::Fault::bad_field);
        return 0;
    }

    bool nested(const Op* op) noexcept {
        const Op* body = op + 1;
        const Op* end = body + op->size;
        switch (op->code) {
            case Code::open: {
                open(op->name, false);
                const bool on = block(body, end);
                close();
                return on;
            }
            case Code::array:
                return array(*op, body, end);
            case Code::top_bit_array:
            case Code::until_byte:
                return marked_array(*op, body, end);
            case Code::option:
                return in_.u8() == 0 ? in_.ok() : block(body, end);
            case Code::holder: {
                const int32_t id = varint();
                if (!in_.ok()) return false;
                if (id == 0) return block(body, end);
                put(*op, Value::of_integer(id - 1));
                return true;
            }
            case Code::match:
                return match(*op, body, end);
            default:
                return false;  // stop
        }
    }

    bool array(const Op& op, const Op* body, const Op* end) noexcept {
        const size_t members = count(op);
        bool on = in_.ok();
        open(op.name, true);
        for (size_t i = 0; on && i < members; ++i) {
            const size_t before = in_.left();
            on = block(body, end) && member(op);
            // Members without bytes would let a count alone keep us busy.
            if (on && in_.left() == before) on = fail(protocol::Fault::bad_field);
        }
        close();
        return on;
    }

    bool marked_array(const Op& op, const Op* body, const Op* end) noexcept {
        bool on = true;
        bool more = true;
        open(op.name, true);
        while (on && more) {
            const Bytes rest = in_.rest();
            if (rest.empty()) {
                in_.fail();
                on = false;
                break;
            }
            const auto first = static_cast<uint8_t>(rest[0]);
            if (op.code == Code::until_byte) {
                if (first == static_cast<uint8_t>(op.arg)) {
                    in_.skip(1);
                    break;
                }
            } else {
                more = (first & 0x80) != 0;
            }
            on = block(body, end) && member(op) && in_.left() < rest.size();
        }
        close();
        return on;
    }

    bool member(const Op& op) noexcept { return sink_.member(op); }

    bool match(const Op& op, const Op* at, const Op* end) noexcept {
        const int64_t held = values_.integer(static_cast<Slot>(op.arg));
        for (; at < end; at += 1 + at->size) {
            const bool met = at->code == Code::when_below ? held < at->arg : held == at->arg;
            if (met || at->code == Code::otherwise) {
                return block(at + 1, at + 1 + at->size);
            }
        }
        return true;
    }

    bool fail(protocol::Fault fault) noexcept {
        if (!faulty_) fault_ = fault;
        faulty_ = true;
        in_.fail();
        return false;
    }

    Reader in_;
    Values& values_;
    Sink& sink_;
    protocol::Fault fault_ = protocol::Fault::short_packet;
    double observed_ = 0;
    double limit_ = 0;
    bool faulty_ = false;
    bool at_end_ = false;
};

}  // namespace portcullis::minecraft
