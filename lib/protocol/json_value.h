#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <variant>

#include "base/hex.h"
#include "protocol/field_visitor.h"

namespace portcullis::protocol {

/// Writes a field's value as JSON, so that it reads the same wherever game packets are
/// shown.  An `Out` has
///
///     void put(char c);                     // or a piece of text, as it is
///     void put(std::string_view text);
///     void put_text(std::string_view text)  // a text in quotes, escaped
///     Bytes shown(Bytes bytes);             // so many of them as there is room for
template <class Out>
class JsonValue {
public:
    explicit JsonValue(Out& out) noexcept : out_(out) {}

    void operator()(bool v) const { out_.put(v ? "true" : "false"); }
    void operator()(int64_t v) const { number(v); }
    void operator()(uint64_t v) const { number(v); }
    void operator()(double v) const {
        if (std::isfinite(v)) {
            number(v);
        } else {
            out_.put("null");
        }
    }
    void operator()(std::string_view v) const { out_.put_text(v); }
    void operator()(const BlockPosition& v) const {
        out_.put("{\"x\":");
        number(v.x);
        out_.put(",\"y\":");
        number(v.y);
        out_.put(",\"z\":");
        number(v.z);
        out_.put('}');
    }
    void operator()(const Uuid& v) const {
        out_.put('"');
        for (size_t i = 0; i < v.size(); ++i) {
            if (i == 4 || i == 6 || i == 8 || i == 10) out_.put('-');
            put_hex(v[i], [this](char digit) { out_.put(digit); });
        }
        out_.put('"');
    }
    void operator()(Bytes v) const {
        out_.put('"');
        for (const std::byte b : out_.shown(v)) {
            put_hex(std::to_integer<uint8_t>(b), [this](char digit) { out_.put(digit); });
        }
        out_.put('"');
    }

private:
    template <class Number>
    void number(Number value) const {
        std::array<char, 32> text;
        const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
        out_.put(std::string_view(text.data(), static_cast<size_t>(end - text.data())));
    }

    Out& out_;
};

}  // namespace portcullis::protocol
