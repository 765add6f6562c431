#pragma once

#include "base/bytes.h"
#include "protocol/event.h"
#include "protocol/minecraft/frame.h"

namespace portcullis::minecraft {

inline constexpr size_t move_fields_size_max = 40;  ///< Four numbers of 8 bytes, two of 4.

/// The fields with which a client's movement packet begins, saying `instead` in
/// place of `claimed`, which is what `frame` says.  They have the size of those in
/// the frame; what stands behind them (on the ground or not) stays.  Returns their
/// size; 0 when this is no movement packet, or of no layout that is known.
size_t write_move(const Frame& frame, const protocol::Move& claimed, const protocol::Move& instead,
                  MutableBytes out) noexcept;

}  // namespace portcullis::minecraft
