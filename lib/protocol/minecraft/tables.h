#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/event.h"
#include "protocol/minecraft/packets.h"
#include "protocol/minecraft/slots.h"

/// What tables.cc, which a generator writes, consists of: for every protocol number
/// the packet of each id, and for packets that a layout is kept for a field program,
/// a short list of operations that walk.h runs over the packet's bytes.  Equal
/// layouts of different versions share one program.
namespace portcullis::minecraft {

struct Op {
    enum class Code : uint8_t {
        // One value each.
        boolean,
        i8,
        u8,
        i16,
        u16,
        i32,
        u32,
        i64,
        u64,
        f32,
        f64,
        varint,
        varlong,
        uuid,
        string,               ///< `how` counts its bytes, `arg` is the limit in UTF-16 units.
        bytes,                ///< As many as `how` says; counted, at most `arg` unless it is 0.
        rest,                 ///< All that is left.
        position,             ///< x26 z26 y12, protocol 477 on.
        position_before_477,  ///< x26 y12 z26.
        // Several values: `size` Parts from number `arg` on.
        bits,           ///< Members of a bit field, highest first.
        flags,          ///< Single bits of the integer that `how` names, lowest first.
        packed_vector,  ///< "LpVec3": three numbers in 1 or 6 and more bytes, 773 on.
        // Skipped.
        nbt,
        named_nbt,
        optional_nbt,
        optional_named_nbt,
        compressed_nbt,
        // Blocks: `size` operations after this one belong to it.
        open,           ///< A container, for those who print.
        array,          ///< As often as `how` says.
        top_bit_array,  ///< While the byte that starts a member has its top bit set.
        until_byte,     ///< Until a member would start with byte `arg`.
        option,         ///< After a boolean that is true.
        holder,         ///< A VarInt: 0 and the block, or an id plus one.
        match,          ///< The first of these that the value in the slot `arg` meets:
        when,           ///< It is `arg`.
        when_below,     ///< It is less than `arg`.
        otherwise,
        stop,  ///< The layout is not kept from here on.
    };
    /// How many: counted in front, by `arg`, or by what the slot `arg` holds.
    enum class How : uint8_t { none, varint, i8, u8, i16, i32, u32, fixed, slot };

    Code code;
    uint16_t name = 0;  ///< Index of field_names(); 0 is the empty name.
    Slot slot = Slot::none;
    How how = How::none;
    uint16_t size = 0;
    int32_t arg = 0;
};

struct Part {
    uint16_t name;
    Slot slot = Slot::none;
    uint8_t bits = 1;
    bool is_signed = false;
};

struct Program {
    uint16_t first;  ///< Index of ops().
    uint16_t size;
    bool complete;  ///< It reaches the packet's end: bytes after it are too many.
};

struct Row {
    static constexpr uint16_t no_program = 0xffff;
    Packet packet;
    uint16_t program;
};

/// All that differs between protocol numbers.
struct Tables {
    static constexpr size_t states = 5;  ///< handshake to play, as State counts them.

    int32_t version;
    int32_t player_type;  ///< Of `spawn_entity` for a player; -1: players have their own packet.
    uint8_t pose_key;     ///< Of the pose in a player's metadata; 255: none.
    uint8_t living_key;   ///< Of the living entity's flags; 255: none.
    std::span<const protocol::Attribute> attributes;  ///< By registry number; empty: texts.
    std::array<std::array<std::span<const Row>, 2>, states> rows;
};

struct Generated {
    std::span<const std::string_view> names;
    std::span<const Part> parts;
    std::span<const Op> ops;
    std::span<const Program> programs;
    std::span<const Tables> tables;
};
extern const Generated generated;

inline std::span<const std::string_view> field_names() noexcept { return generated.names; }
inline std::span<const Part> parts() noexcept { return generated.parts; }
inline std::span<const Op> ops() noexcept { return generated.ops; }
inline std::span<const Program> programs() noexcept { return generated.programs; }
/// Ascending by version.
inline std::span<const Tables> all_tables() noexcept { return generated.tables; }

/// Index of all_tables(), or -1 for a protocol number that there is no table for.
int find_tables(int32_t version) noexcept;

}  // namespace portcullis::minecraft
