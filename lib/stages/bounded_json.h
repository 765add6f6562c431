#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/hex.h"
#include "protocol/field_visitor.h"
#include "protocol/json_value.h"

namespace portcullis::stages {

/// The fields of a game packet as the inside of a JSON object, in room of a fixed size.
///
/// A field that has no room is left out with all that follow, and what is open is closed:
/// so it is JSON however little fits.  Long texts and bytes are cut.
class BoundedJson final : public protocol::FieldVisitor {
public:
    static constexpr size_t text_max = 256;  ///< Bytes of one text.
    static constexpr size_t bytes_max = 64;  ///< Of one row of bytes, two digits each.
    static constexpr size_t depth_max = 12;

    explicit BoundedJson(std::span<char> room) noexcept : room_(room) {}

    void field(std::string_view name, const protocol::FieldValue& value) override {
        if (full_) return;
        const size_t before = size_;
        begin(name);
        std::visit(protocol::JsonValue(*this), value);
        settle(before);
    }
    void open(std::string_view name, bool array) override {
        if (full_ || depth_ == depth_max) {
            full_ = cut_ = true;
            ++ignored_;
            return;
        }
        const size_t before = size_;
        begin(name);
        put(array ? '[' : '{');
        closing_[depth_++] = array ? ']' : '}';  // Its sign is reserved from here on.
        settle(before);
        if (full_) {
            --depth_;
            ++ignored_;
            return;
        }
        first_ = true;
    }
    void close() override {
        if (ignored_ > 0) {
            --ignored_;
            return;
        }
        if (depth_ == 0) return;
        room_[size_++] = closing_[--depth_];
        first_ = false;
    }

    /// Closes what a walk left open; the size of it all.
    size_t finish() noexcept {
        while (depth_ > 0) room_[size_++] = closing_[--depth_];
        return size_;
    }
    /// Something is not there.
    bool cut() const noexcept { return cut_; }

private:
    friend class protocol::JsonValue<BoundedJson>;

    /// What did not fit whole goes again.
    void settle(size_t before) noexcept {
        if (!overflowed_) return;
        size_ = before;
        full_ = cut_ = true;
    }
    void begin(std::string_view name) noexcept {
        if (!first_) put(',');
        first_ = false;
        if (depth_ > 0 && closing_[depth_ - 1] == ']') return;
        put_text(name);
        put(':');
    }
    /// Room for what closes is kept free.
    void put(char c) noexcept {
        if (size_ + depth_ + 1 >= room_.size()) {
            overflowed_ = true;
        } else {
            room_[size_++] = c;
        }
    }
    void put(std::string_view text) noexcept {
        for (const char c : text) put(c);
    }
    /// Bytes that are no ASCII pass as they are: Control mends what is no UTF-8.
    void put_text(std::string_view v) noexcept {
        cut_ |= v.size() > text_max;
        put('"');
        for (const char c : v.substr(0, text_max)) {
            if (c == '"' || c == '\\') {
                put('\\');
                put(c);
            } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) {
                put("\\u00");
                put_hex(static_cast<uint8_t>(c), [this](char digit) { put(digit); });
            } else {
                put(c);
            }
        }
        put('"');
    }
    Bytes shown(Bytes v) noexcept {
        cut_ |= v.size() > bytes_max;
        return v.first(std::min(v.size(), bytes_max));
    }

    std::span<char> room_;
    size_t size_ = 0;
    std::array<char, depth_max> closing_{};
    size_t depth_ = 0;
    size_t ignored_ = 0;  ///< Opened without room, not yet closed.
    bool first_ = true;
    bool overflowed_ = false;
    bool full_ = false;
    bool cut_ = false;
};

}  // namespace portcullis::stages
