#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>

#include "base/time.h"
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
/// A fixed number of datagrams, and nobody gives way before his time but those that
/// turned out to be for no Service: who could push out what a server still holds
/// could show it a whole that we never saw.
class Fragments {
public:
    static constexpr size_t datagram_max = 16'384;  ///< Bytes above IP; jumbo frames fit.
    /// After its latest fragment went on: as long as hosts keep one (RFC 8200 4.5).
    static constexpr Nanos lifetime = 60s;

    enum class Fate : uint8_t {
        waits,       ///< Goes on; the rest is missing.
        whole,       ///< The packet now says what the whole datagram says.
        foreign,     ///< For no Service.
        no_room,     ///< Can not be kept.
        contradicts  ///< Another fragment said otherwise, or no host would take it.
    };

    explicit Fragments(uint32_t capacity);
    ~Fragments();

    /// `packet` is a fragment without fault.  `foreign`: it has ports, and they are
    /// nobody's.  A whole packet's frame is memory of ours: valid for its burst.
    Fate take(Packet& packet, bool foreign) noexcept;

private:
    struct Datagram;
    Datagram* place_for(const Packet& packet, const Fragment& fragment) noexcept;
    static bool agrees(Datagram& datagram, const Fragment& fragment) noexcept;
    static void keep(Datagram& datagram, const Fragment& fragment) noexcept;
    static void rebuild(const Datagram& datagram, Packet& packet) noexcept;

    uint32_t capacity_;
    std::unique_ptr<Datagram[]> datagrams_;
};

}  // namespace portcullis
