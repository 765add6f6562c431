#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "protocol/event.h"
#include "protocol/minecraft/slots.h"

namespace portcullis::minecraft {

/// One field's value as it was read.
struct Value {
    enum class Kind : uint8_t {
        none,
        boolean,
        integer,
        unsigned_integer,
        real,
        text,
        bytes,
        uuid,
        block
    };

    static Value of_integer(int64_t v, Kind kind = Kind::integer) noexcept {
        return {.integer = v, .size = 0, .kind = kind};
    }
    static Value of_real(double v) noexcept { return {.real = v, .size = 0, .kind = Kind::real}; }
    static Value of_bytes(Bytes v, Kind kind) noexcept {
        return {.data = v.data(), .size = static_cast<uint32_t>(v.size()), .kind = kind};
    }

    Bytes bytes() const noexcept { return {data, size}; }
    /// Block positions are kept as x26 z26 y12, whatever the wire had.
    protocol::BlockPosition block() const noexcept {
        return {
            static_cast<int32_t>(integer >> 38),
            static_cast<int32_t>(static_cast<int64_t>(static_cast<uint64_t>(integer) << 52) >> 52),
            static_cast<int32_t>(static_cast<int64_t>(static_cast<uint64_t>(integer) << 26) >> 38)};
    }

    union {
        int64_t integer;
        double real;
        const std::byte* data;
    };
    uint32_t size;
    Kind kind;
};

/// The values that one packet left in its slots.  What a layout does not have reads
/// as zero or empty, so that one reader serves every version.
class Values {
public:
    /// Forgets everything, in constant time.
    void clear() noexcept {
        if (++round_ == 0) {
            rounds_.fill(0);
            round_ = 1;
        }
    }
    void set(Slot slot, const Value& value) noexcept {
        values_[index(slot)] = value;
        rounds_[index(slot)] = round_;
    }
    bool has(Slot slot) const noexcept { return rounds_[index(slot)] == round_; }

    int64_t integer(Slot slot) const noexcept {
        if (!has(slot)) return 0;
        const Value& v = values_[index(slot)];
        return v.kind == Value::Kind::real ? static_cast<int64_t>(v.real) : v.integer;
    }
    int32_t i32(Slot slot) const noexcept { return static_cast<int32_t>(integer(slot)); }
    bool boolean(Slot slot) const noexcept { return integer(slot) != 0; }
    double real(Slot slot) const noexcept {
        if (!has(slot)) return 0;
        const Value& v = values_[index(slot)];
        return v.kind == Value::Kind::real ? v.real : static_cast<double>(v.integer);
    }
    float f32(Slot slot) const noexcept { return static_cast<float>(real(slot)); }
    bool is_real(Slot slot) const noexcept {
        return has(slot) && values_[index(slot)].kind == Value::Kind::real;
    }
    Bytes bytes(Slot slot) const noexcept {
        if (!has(slot)) return {};
        const Value& v = values_[index(slot)];
        return v.kind >= Value::Kind::text && v.kind <= Value::Kind::uuid ? v.bytes() : Bytes{};
    }
    std::string_view text(Slot slot) const noexcept { return as_text(bytes(slot)); }
    protocol::BlockPosition block(Slot slot) const noexcept {
        if (!has(slot) || values_[index(slot)].kind != Value::Kind::block) return {};
        return values_[index(slot)].block();
    }

private:
    static constexpr size_t index(Slot slot) noexcept { return static_cast<size_t>(slot); }

    std::array<Value, static_cast<size_t>(Slot::count)> values_;
    std::array<uint32_t, static_cast<size_t>(Slot::count)> rounds_{};
    uint32_t round_ = 0;
};

}  // namespace portcullis::minecraft
