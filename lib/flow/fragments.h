#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/time.h"
#include "flow/datagram_index.h"
#include "packet/headers.h"
#include "packet/packet.h"

namespace portcullis {

/// IP datagrams that come in fragments, put together without holding one back.
///
/// Fragments go on as they come, and their bytes are copied; the one that makes a
/// datagram whole is read as that datagram, so refusing it refuses all.  As with
/// TCP, a place in a datagram goes by with one value only, also after it was whole,
/// for as long as a receiver may still hold a part of it: what says otherwise is
/// refused, and with it all that follows (RFC 5722).
///
/// A fixed number of datagrams.  For a new one, what is too old gives way, then what turned out
/// to be for no Service, then the oldest whole one, then the oldest.  Who sends so many that
/// they would fill a share of the places pushes out his own.  Of what gave way before its time
/// no more goes on, since its receiver may hold a part that we do not; so who pushes out can
/// not show a server a whole that we never saw, and keeps from it a few by accident.
class Fragments {
public:
    static constexpr size_t datagram_max = 16'384;  ///< Bytes above IP; jumbo frames fit.
    /// After its latest fragment went on: as long as hosts keep one (RFC 8200 4.5).
    static constexpr Nanos lifetime = 60s;
    /// Of all places, what one source's datagrams may hold, and one at least.
    static constexpr uint32_t share = 8;

    enum class Fate : uint8_t {
        waits,       ///< Goes on; the rest is missing.
        whole,       ///< The packet now says what the whole datagram says.
        foreign,     ///< For no Service.
        no_room,     ///< Can not be kept, or gave way.
        contradicts  ///< Another fragment said otherwise, or no host would take it.
    };

    /// `secret`: nobody outside knows which names share a place in tables.
    Fragments(uint32_t capacity, uint64_t secret);
    ~Fragments();

    /// `packet` is a fragment without fault.  `foreign`: it has ports, and they are
    /// nobody's.  A whole packet's frame is memory of ours: valid for its burst.
    Fate take(Packet& packet, bool foreign) noexcept;

private:
    struct Datagram;
    uint32_t place_for(const Packet& packet, const Fragment& fragment) noexcept;
    bool make_room(uint32_t source, Nanos now) noexcept;
    void give_away(uint32_t place, Nanos now) noexcept;
    bool expired(uint32_t place, Nanos now) const noexcept {
        return now - index_.latest(place) > lifetime;
    }
    Fate spoil(uint32_t place) noexcept;
    static bool agrees(Datagram& datagram, const Fragment& fragment) noexcept;
    static void keep(Datagram& datagram, const Fragment& fragment) noexcept;
    static void rebuild(const Datagram& datagram, Packet& packet) noexcept;

    /// Until when the names of what gave way are refused, each at two places that it shares
    /// with others: with a thousand of them in a minute one in 17,000 new ones is refused too,
    /// with ten thousand one in 180.
    class Gone {
    public:
        explicit Gone(bool any) : until_s_(any ? size_t{1} << bits : 1) {}
        void add(uint64_t hash, Nanos now) noexcept;
        bool has(uint64_t hash, Nanos now) const noexcept;

    private:
        static constexpr unsigned bits = 18;
        size_t first(uint64_t hash) const noexcept { return (hash >> 20) & (until_s_.size() - 1); }
        size_t second(uint64_t hash) const noexcept { return (hash >> 42) & (until_s_.size() - 1); }
        std::vector<uint32_t> until_s_;
    };

    DatagramIndex index_;
    Gone gone_;
    uint32_t share_max_;
    std::unique_ptr<Datagram[]> datagrams_;  ///< By place.
};

}  // namespace portcullis
