#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "protocol/event.h"
#include "protocol/minecraft/frame.h"

namespace portcullis::minecraft {

/// The value of one field, for people and for `inspect --packets`.
using FieldValue = std::variant<bool, int64_t, uint64_t, double, std::string_view,
                                protocol::BlockPosition, protocol::Uuid, Bytes>;

/// Hears the fields of a packet in the order of its layout.  Names are
/// minecraft-data's in snake_case ("onGround" is "on_ground"); bit flags are told one by
/// one under their own names.  What nests is opened and closed around its fields; the
/// members of an array have empty names.
class FieldVisitor {
public:
    virtual ~FieldVisitor() = default;
    virtual void field(std::string_view name, const FieldValue& value) = 0;
    virtual void open(std::string_view name, bool array) = 0;
    virtual void close() = 0;
};

/// Tells the fields of `frame` as far as its layout goes and its bytes hold.
/// Returns false when no layout is kept for it or its body was not read.
bool describe(const Frame& frame, FieldVisitor& visitor);

}  // namespace portcullis::minecraft
