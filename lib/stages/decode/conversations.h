#pragma once

#include <array>
#include <utility>

#include "base/pool.h"
#include "flow/flow.h"
#include "protocol/minecraft/session.h"
#include "stages/decode/front.h"

namespace portcullis::stages {

/// What is remembered of a TCP Flow's game.
struct Conversation {
    /// How much its memory is worth when there is none left.
    enum class Row : uint8_t {
        arriving,  ///< Has not said who wants to play: a ping, or nothing yet.
        staying,
        leaving,  ///< The connection is over; late segments still come.
    };

    minecraft::Session session;
    Front front;
    Row row = Row::arriving;
    bool key_asked = false;  ///< For its session key, since it is enciphered.
    Flow* flow = nullptr;
    uint32_t before = Flow::none, after = Flow::none;  ///< In its row.
};

/// The Conversations of one Worker, in a fixed number of places.
///
/// A place is held for as long as its Flow is remembered, which a connection that was reset is
/// for a minute.  So that nobody can fill all of them with what he opens and resets, or opens
/// and leaves alone, such a one gives its place to a newcomer.
class Conversations {
public:
    using Handle = Pool<Conversation>::Handle;
    static constexpr Handle none = Pool<Conversation>::none;
    /// A reset that did not arrive is seen by what the other side goes on to say.
    static constexpr Nanos leaving_min = 2s;
    /// Who wants to play says so with the first bytes, and a ping is over in two round trips.
    static constexpr Nanos arriving_min = 5s;
    /// Nobody gives way who has a packet in the burst at hand.
    static constexpr Nanos silent_min = 100ms;

    explicit Conversations(uint32_t capacity) : pool_(capacity) {}

    /// `none`: all places are taken.
    Handle make(Flow& flow) noexcept {
        const Handle handle = pool_.make();
        if (handle == none) return none;
        pool_[handle].flow = &flow;
        append(handle, Conversation::Row::arriving);
        return handle;
    }
    void unmake(Handle handle) noexcept {
        unlink(handle);
        pool_.unmake(handle);
    }
    void move(Handle handle, Conversation::Row row) noexcept {
        if (pool_[handle].row == row) return;
        unlink(handle);
        append(handle, row);
    }
    /// Whose place may go to another; null: nobody's.
    Flow* gives_way(Nanos now) noexcept {
        const Handle leaver = first_of(Conversation::Row::leaving);
        if (leaver != none && now - pool_[leaver].flow->last_seen >= leaving_min) {
            return pool_[leaver].flow;
        }
        constexpr int looked_at_max = 8;
        Handle at = first_of(Conversation::Row::arriving);
        for (int i = 0; i < looked_at_max && at != none; ++i, at = pool_[at].after) {
            Flow& flow = *pool_[at].flow;
            if (flow.age(now) < arriving_min) break;
            if (now - flow.last_seen >= silent_min) return &flow;
        }
        return nullptr;
    }

    Conversation& operator[](Handle handle) noexcept { return pool_[handle]; }
    const Conversation& operator[](Handle handle) const noexcept { return pool_[handle]; }
    uint32_t used() const noexcept { return pool_.used(); }

private:
    struct Ends {
        Handle first = none, last = none;
    };
    Handle first_of(Conversation::Row row) const noexcept {
        return rows_[static_cast<size_t>(row)].first;
    }
    void append(Handle handle, Conversation::Row row) noexcept {
        Ends& ends = rows_[static_cast<size_t>(row)];
        Conversation& conversation = pool_[handle];
        conversation.row = row;
        conversation.before = ends.last;
        conversation.after = none;
        (ends.last == none ? ends.first : pool_[ends.last].after) = handle;
        ends.last = handle;
    }
    void unlink(Handle handle) noexcept {
        const Conversation& conversation = pool_[handle];
        Ends& ends = rows_[static_cast<size_t>(conversation.row)];
        const auto [before, after] = std::pair(conversation.before, conversation.after);
        (before == none ? ends.first : pool_[before].after) = after;
        (after == none ? ends.last : pool_[after].before) = before;
    }

    Pool<Conversation> pool_;
    std::array<Ends, 3> rows_;
};

}  // namespace portcullis::stages
