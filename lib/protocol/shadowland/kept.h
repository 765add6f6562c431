#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/pool.h"
#include "base/time.h"
#include "protocol/shadowland/wire.h"

namespace portcullis::shadowland {

/// Sealed datagrams that wait for a key on its way to us, as they were sent: a list for each
/// session, in places that all sessions of a Worker share.
///
/// Only what a server says on channels 1 and 2 is kept, for that is never said again once it
/// was acknowledged.  A client fills nobody's list, not even its own.
class Kept {
public:
    static constexpr uint32_t none = UINT32_MAX;
    static constexpr uint16_t of_session_max = 128;
    /// A key that is later than this comes for nothing.
    static constexpr Nanos wait_max = 10s;

    explicit Kept(uint32_t datagrams_max) : places_(datagrams_max) {}

    /// Puts one more at the end of the list that begins at `first`.  False: there is no room.
    bool add(uint32_t& first, Bytes datagram, Nanos now) noexcept {
        if (first != none && places_[first].list.count == of_session_max) return false;
        const uint32_t handle = places_.make();
        if (handle == none) return false;
        Place& place = places_[handle];
        place.size = static_cast<uint16_t>(datagram.size());
        std::ranges::copy(datagram, place.bytes.begin());
        if (first == none) {
            first = handle;
            place.list.since = now;
        } else {
            places_[places_[first].list.last].next = handle;
        }
        places_[first].list.last = handle;
        ++places_[first].list.count;
        return true;
    }
    /// The first of them; valid until it is dropped.
    Bytes front(uint32_t first) const noexcept {
        return Bytes(places_[first].bytes).first(places_[first].size);
    }
    void drop_front(uint32_t& first) noexcept {
        List list = places_[first].list;
        --list.count;
        const uint32_t next = places_[first].next;
        places_.unmake(first);
        first = next;
        if (first != none) places_[first].list = list;
    }
    void drop_all(uint32_t& first) noexcept {
        while (first != none) drop_front(first);
    }
    /// Since when the list waits.
    Nanos since(uint32_t first) const noexcept { return places_[first].list.since; }

    uint32_t used() const noexcept { return places_.used(); }

private:
    /// What the first of a list knows of all of it.
    struct List {
        uint32_t last = none;
        uint16_t count = 0;
        Nanos since{};
    };
    struct Place {
        List list;
        uint32_t next = none;
        uint16_t size = 0;
        std::array<std::byte, datagram_size_max> bytes;
    };
    Pool<Place> places_;
};

}  // namespace portcullis::shadowland
