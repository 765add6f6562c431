#include "flow/fragments.h"

#include <algorithm>
#include <cstring>

#include "packet/wire_order.h"

namespace portcullis {

namespace {

constexpr size_t unit = 8;  ///< Bytes; offsets count these (RFC 791 3.1).
constexpr size_t units_max = Fragments::datagram_max / unit;
constexpr size_t ipv4_size = 20, ipv6_size = 40;
constexpr size_t headers_max = 128;       ///< Link, tags and IP before the data.
constexpr size_t readable_past_end = 64;  ///< For pattern scanners.

size_t units(size_t bytes) noexcept { return (bytes + unit - 1) / unit; }

}  // namespace

struct Fragments::Datagram {
    bool used = false;
    bool foreign = false;  ///< Its first fragment is for no Service.
    bool spoilt = false;   ///< Contradicted itself: no more of it goes on.
    uint8_t protocol = 0;  ///< Of the first fragment.
    uint8_t version = 0;
    uint32_t id = 0;
    uint32_t size = 0;     ///< Of the whole; 0: the last fragment has not come.
    uint32_t highest = 0;  ///< End of what has come.
    Nanos latest{};        ///< When one of its fragments last went on.
    IpAddress source, destination;
    std::bitset<units_max> has;
    size_t have = 0;  ///< Bits of `has`.
    std::array<std::byte, headers_max + datagram_max + readable_past_end> memory;

    std::byte* data() noexcept { return memory.data() + headers_max; }
    const std::byte* data() const noexcept { return memory.data() + headers_max; }
    bool whole() const noexcept { return size > 0 && have == units(size); }
};

Fragments::Fragments(uint32_t capacity)
    : capacity_(capacity), datagrams_(std::make_unique<Datagram[]>(capacity)) {}

Fragments::~Fragments() = default;

Fragments::Fate Fragments::take(Packet& packet, bool foreign) noexcept {
    const std::optional<Fragment> fragment = read_fragment(packet);
    if (!fragment) return Fate::contradicts;
    if (fragment->offset + fragment->data.size() > datagram_max) {
        return foreign ? Fate::foreign : Fate::no_room;
    }
    Datagram* const datagram = place_for(packet, *fragment);
    if (datagram == nullptr) return foreign ? Fate::foreign : Fate::no_room;
    // Its first fragment says for whom it is; there is one, so a second one that names
    // somebody else is the datagram's end, whichever of them the receiver gets.
    const bool first = fragment->offset == 0;
    if (foreign && datagram->has[0]) datagram->spoilt = true;
    if (datagram->foreign && first && !foreign) datagram->spoilt = true;
    if (foreign) datagram->foreign = true;
    if (datagram->spoilt) return Fate::contradicts;
    if (datagram->foreign) return Fate::foreign;
    if (!agrees(*datagram, *fragment)) {
        datagram->spoilt = true;
        return Fate::contradicts;
    }
    keep(*datagram, *fragment);
    datagram->latest = packet.time;
    if (!datagram->whole()) return Fate::waits;
    rebuild(*datagram, packet);
    return Fate::whole;
}

Fragments::Datagram* Fragments::place_for(const Packet& packet, const Fragment& fragment) noexcept {
    Datagram* free = nullptr;
    for (Datagram* d = datagrams_.get(); d != datagrams_.get() + capacity_; ++d) {
        const bool living = d->used && packet.time - d->latest <= lifetime;
        // IPv6 names a datagram without its protocol (RFC 8200 4.5).
        if (living && d->id == fragment.id && d->version == packet.ip_version &&
            (packet.ip_version == 6 || d->protocol == fragment.protocol) &&
            d->source == packet.source.address && d->destination == packet.destination.address) {
            return d;
        }
        if (free == nullptr && (!living || (d->foreign && !d->spoilt))) free = d;
    }
    if (free == nullptr) return nullptr;
    free->used = true;
    free->foreign = free->spoilt = false;
    free->protocol = fragment.protocol;
    free->version = packet.ip_version;
    free->id = fragment.id;
    free->size = free->highest = 0;
    free->latest = packet.time;
    free->source = packet.source.address;
    free->destination = packet.destination.address;
    free->has.reset();
    free->have = 0;
    return free;
}

bool Fragments::agrees(Datagram& d, const Fragment& fragment) noexcept {
    const size_t end = fragment.offset + fragment.data.size();
    if (fragment.last) {
        if ((d.size > 0 && d.size != end) || d.highest > end) return false;
    } else if (d.size > 0 && end > d.size) {
        return false;
    }
    if (fragment.offset == 0 && d.protocol != fragment.protocol) {
        // Only the first one's word counts; it may not change.
        if (d.has[0]) return false;
        d.protocol = fragment.protocol;
    }
    for (size_t at = fragment.offset; at < end; at += unit) {
        if (!d.has[at / unit]) continue;
        const size_t size = std::min(unit, end - at);
        if (std::memcmp(d.data() + at, fragment.data.data() + (at - fragment.offset), size) != 0) {
            return false;
        }
    }
    return true;
}

void Fragments::keep(Datagram& d, const Fragment& fragment) noexcept {
    const size_t end = fragment.offset + fragment.data.size();
    std::memcpy(d.data() + fragment.offset, fragment.data.data(), fragment.data.size());
    for (size_t at = fragment.offset / unit; at < units(end); ++at) {
        d.have += d.has[at] ? 0 : 1;
        d.has[at] = true;
    }
    d.highest = std::max(d.highest, static_cast<uint32_t>(end));
    if (fragment.last) d.size = static_cast<uint32_t>(end);
}

/// A frame as if nobody had cut the datagram, before its data.
void Fragments::rebuild(const Datagram& d, Packet& packet) noexcept {
    const size_t ip_size = d.version == 4 ? ipv4_size : ipv6_size;
    std::byte* const ip = const_cast<std::byte*>(d.data()) - ip_size;
    std::byte* const frame = ip - packet.l3_offset;
    std::memcpy(frame, packet.frame, packet.l3_offset);
    std::memset(ip, 0, ip_size);
    if (d.version == 4) {
        ip[0] = std::byte{0x45};
        store_be16(ip + 2, static_cast<uint16_t>(ip_size + d.size));
        ip[9] = std::byte{d.protocol};
        std::memcpy(ip + 12, packet.frame + packet.l3_offset + 12, 8);
    } else {
        ip[0] = std::byte{0x60};
        store_be16(ip + 4, static_cast<uint16_t>(d.size));
        ip[6] = std::byte{d.protocol};
        std::memcpy(ip + 8, packet.frame + packet.l3_offset + 8, 32);
    }
    Packet whole;
    whole.mbuf = packet.mbuf;
    whole.time = packet.time;
    whole.side = packet.side;
    whole.wire = packet.wire;
    whole.frame = frame;
    whole.frame_size = static_cast<uint32_t>(packet.l3_offset + ip_size + d.size);
    read_headers(whole);
    whole.ip_sum_checked = true;  // Of each fragment, where sums are looked at.
    whole.put_together = true;
    packet = whole;
}

}  // namespace portcullis
