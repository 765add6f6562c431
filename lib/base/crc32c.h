#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace portcullis {

/// CRC32C (Castagnoli) of `in`.
/// By the processor's own instruction where the build asks for one that has it (`-march`).
uint32_t crc32c(Bytes in) noexcept;

/// The same by table, for processors without the instruction, and to test it by.
uint32_t crc32c_by_table(Bytes in) noexcept;

}  // namespace portcullis
