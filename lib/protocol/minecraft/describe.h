#pragma once

#include "protocol/field_visitor.h"
#include "protocol/minecraft/frame.h"

namespace portcullis::minecraft {

using protocol::FieldValue;
using protocol::FieldVisitor;

/// Tells the fields of `frame` as far as its layout goes and its bytes hold.  Names are
/// minecraft-data's in snake_case ("onGround" is "on_ground"); bit flags are told one by
/// one under their own names.
/// Returns false when no layout is kept for it or its body was not read.
bool describe(const Frame& frame, FieldVisitor& visitor);

}  // namespace portcullis::minecraft
