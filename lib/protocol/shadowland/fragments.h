#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/pool.h"
#include "base/reader.h"
#include "base/time.h"
#include "base/writer.h"
#include "protocol/shadowland/messages.h"

namespace portcullis::shadowland {

/// The incomplete sets of fragments of one direction of one session: a list in
/// the Worker's Fragments.
struct FragmentSets {
    static constexpr uint32_t none = UINT32_MAX;
    uint32_t first = none;
    uint8_t count = 0;
    uint16_t blocks = 0;
};

/// Puts fragmented payloads together again.  All bytes are kept in blocks that
/// the sessions of one Worker share, so a session that fragments nothing costs
/// nothing, and who sends fragments for ever gets no more than his sets.  A client gets a
/// share of what is free, so that all of them together leave something for the next one.
class Fragments {
public:
    static constexpr std::array<uint8_t, 2> sets_max = {4, 16};  ///< Of a session; c2s, s2c.
    static constexpr Nanos set_timeout = 10s;

    struct Limits {
        uint32_t sets = 4'096;
        uint32_t blocks = 16'384;  ///< 1,160 bytes of payload each.
    };

    enum class Result : uint8_t {
        kept,
        repeated,  ///< The same bytes again.
        complete,
        overlap,  ///< Other bytes at the same place.
        changed,  ///< Another size, channel or compression than its set.
        flood,    ///< One more set than a session may have.
        no_room,  ///< Our own memory is full: its set goes by unread.
    };
    struct Piece {
        Result result;
        Bytes whole;  ///< When complete; valid until the next call.
        bool compressed = false;
    };

    explicit Fragments(const Limits& limits);

    Piece add(FragmentSets& sets, Direction direction, Channel channel, bool compressed,
              const Fragment& fragment, Nanos now) noexcept;
    /// Drops the sets that are too old.  Returns how many.
    uint32_t expire(FragmentSets& sets, Nanos now) noexcept;
    /// Drops one of them, if it is there.
    void forget(FragmentSets& sets, uint16_t id) noexcept;
    /// Drops them all.
    void forget(FragmentSets& sets) noexcept;

    /// Whether `expire` would drop any.
    bool any_expired(const FragmentSets& sets, Nanos now) const noexcept;

    /// All that is kept of `sets`, for the same build to `take_up`; false: `out` is too small.
    bool put_down(const FragmentSets& sets, Writer& out) const noexcept;
    /// Into empty `sets`.  False: the bytes are not that, or there is no room.
    bool take_up(FragmentSets& sets, Reader& in) noexcept;

    uint32_t blocks_used() const noexcept { return blocks_.used(); }

private:
    struct Set {
        uint32_t next;
        uint32_t first_block = FragmentSets::none, last_block = FragmentSets::none;
        uint32_t total_size;
        uint32_t received = 0;  ///< Bytes.
        uint16_t id;
        Channel channel;
        bool compressed;
        bool unread = false;  ///< There was no room for all of it.
        Nanos since;
    };
    struct Block {
        uint32_t next;
        uint16_t offset;
        uint16_t size;
        std::array<std::byte, fragment_data_size> data;
        Bytes bytes() const noexcept { return {data.data(), size}; }
    };

    uint32_t find(const FragmentSets& sets, uint16_t id) const noexcept;
    void drop(FragmentSets& sets, uint32_t handle) noexcept;
    void drop_blocks(FragmentSets& sets, Set& set) noexcept;
    bool any_unread(const FragmentSets& sets) const noexcept;
    bool insert(Set& set, const Fragment& fragment, Result& result) noexcept;
    uint32_t room_for(const FragmentSets& sets, Direction direction) const noexcept;
    Bytes join(const Set& set) noexcept;

    Pool<Set> sets_;
    Pool<Block> blocks_;
    std::unique_ptr<std::byte[]> whole_;
};

}  // namespace portcullis::shadowland
