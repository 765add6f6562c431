#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "protocol/event.h"

namespace portcullis::protocol {

/// The value of one field; bytes are shown as hexadecimal digits.
using FieldValue =
    std::variant<bool, int64_t, uint64_t, double, std::string_view, BlockPosition, Uuid, Bytes>;

/// Hears the fields of a game packet in the order they stand on the wire, for
/// people and for `inspect --packets`.  What nests is opened and closed around
/// its fields; the members of an array have empty names.
class FieldVisitor {
public:
    virtual ~FieldVisitor() = default;
    virtual void field(std::string_view name, const FieldValue& value) = 0;
    virtual void open(std::string_view name, bool array) = 0;
    virtual void close() = 0;
};

}  // namespace portcullis::protocol
