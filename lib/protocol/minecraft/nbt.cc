#include "protocol/minecraft/nbt.h"

#include <array>

namespace portcullis::minecraft {

namespace {

enum Tag : uint8_t {
    tag_end,
    tag_byte,
    tag_short,
    tag_int,
    tag_long,
    tag_float,
    tag_double,
    tag_byte_array,
    tag_string,
    tag_list,
    tag_compound,
    tag_int_array,
    tag_long_array,
    tag_count
};

/// Size of the tags whose payload has one.
constexpr std::array<uint8_t, tag_count> fixed_size = {0, 1, 2, 4, 8, 4, 8, 0, 0, 0, 0, 0, 0};

/// A list or compound that is not at its end.
struct Level {
    uint8_t tag;  ///< Of a list's members; tag_compound for a compound.
    bool is_list;
    int32_t left;  ///< Members a list still has.
};

class Skipper {
public:
    Skipper(Reader& in, protocol::Fault& fault) noexcept : in_(in), fault_(fault) {}

    bool run(NbtRoot root) noexcept {
        const uint8_t tag = in_.u8();
        if (!in_.ok()) return fail(protocol::Fault::short_packet);
        if (tag == tag_end) return true;
        if (root == NbtRoot::named) in_.skip(in_.u16());
        if (!enter(tag)) return false;
        while (depth_ > 0) {
            if (!step()) return false;
        }
        return in_.ok() || fail(protocol::Fault::short_packet);
    }

private:
    /// One member of the innermost level.
    bool step() noexcept {
        Level& level = levels_[depth_ - 1];
        if (!in_.ok()) return fail(protocol::Fault::short_packet);
        if (level.is_list) {
            if (level.left == 0) {
                --depth_;
                return true;
            }
            --level.left;
            return enter(level.tag);
        }
        const uint8_t tag = in_.u8();
        if (tag == tag_end) {
            --depth_;
            return in_.ok() || fail(protocol::Fault::short_packet);
        }
        in_.skip(in_.u16());
        return enter(tag);
    }

    /// The payload of `tag`: over it, or one level down.
    bool enter(uint8_t tag) noexcept {
        if (tag == tag_end || tag >= tag_count) return fail(protocol::Fault::bad_field);
        if (fixed_size[tag] > 0) {
            in_.skip(fixed_size[tag]);
            return true;
        }
        switch (tag) {
            case tag_byte_array:
                return array(1);
            case tag_int_array:
                return array(4);
            case tag_long_array:
                return array(8);
            case tag_string:
                in_.skip(in_.u16());
                return true;
            case tag_list:
                return list();
            default:
                return push({tag_compound, false, 0});
        }
    }

    bool array(size_t member_size) noexcept {
        const int32_t count = in_.i32();
        if (count < 0) return fail(protocol::Fault::bad_field);
        in_.skip(static_cast<size_t>(count) * member_size);
        return true;
    }

    bool list() noexcept {
        const uint8_t tag = in_.u8();
        const int32_t count = in_.i32();
        if (count <= 0) return true;
        if (tag == tag_end || tag >= tag_count) return fail(protocol::Fault::bad_field);
        if (fixed_size[tag] > 0) {
            in_.skip(static_cast<size_t>(count) * fixed_size[tag]);
            return true;
        }
        return push({tag, true, count});
    }

    bool push(Level level) noexcept {
        if (depth_ == levels_.size()) return fail(protocol::Fault::nested_too_deep);
        levels_[depth_++] = level;
        return true;
    }

    bool fail(protocol::Fault fault) noexcept {
        fault_ = fault;
        in_.fail();
        return false;
    }

    Reader& in_;
    protocol::Fault& fault_;
    std::array<Level, nbt_depth_max> levels_;
    size_t depth_ = 0;
};

}  // namespace

bool skip_nbt(Reader& in, NbtRoot root, protocol::Fault& fault) noexcept {
    return Skipper(in, fault).run(root);
}

}  // namespace portcullis::minecraft
