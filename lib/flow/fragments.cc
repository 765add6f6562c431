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

using Standing = DatagramIndex::Standing;

struct Fragments::Datagram {
    bool foreign = false;  ///< Its first fragment is for no Service.
    bool spoilt = false;   ///< Contradicted itself: no more of it goes on.
    uint8_t protocol = 0;  ///< Of the first fragment.
    uint8_t version = 0;
    uint32_t size = 0;     ///< Of the whole; 0: the last fragment has not come.
    uint32_t highest = 0;  ///< End of what has come.
    std::bitset<units_max> has;
    size_t have = 0;  ///< Bits of `has`.
    std::array<std::byte, headers_max + datagram_max + readable_past_end> memory;

    std::byte* data() noexcept { return memory.data() + headers_max; }
    const std::byte* data() const noexcept { return memory.data() + headers_max; }
    bool whole() const noexcept { return size > 0 && have == units(size); }
};

Fragments::Fragments(uint32_t capacity, uint64_t secret)
    : index_(capacity, secret),
      gone_(capacity > 0),
      share_max_(std::max(capacity / share, 1u)),
      datagrams_(std::make_unique<Datagram[]>(capacity)) {}

Fragments::~Fragments() = default;

Fragments::Fate Fragments::take(Packet& packet, bool foreign) noexcept {
    const std::optional<Fragment> fragment = read_fragment(packet);
    if (!fragment) return Fate::contradicts;
    if (fragment->offset + fragment->data.size() > datagram_max) {
        return foreign ? Fate::foreign : Fate::no_room;
    }
    const uint32_t place = place_for(packet, *fragment);
    if (place == DatagramIndex::none) return foreign ? Fate::foreign : Fate::no_room;
    Datagram& datagram = datagrams_[place];
    if (datagram.spoilt) return Fate::contradicts;
    // Its first fragment says for whom it is; there is one, so a second one that names
    // somebody else is the datagram's end, whichever of them the receiver gets.
    const bool first = fragment->offset == 0;
    if (foreign && datagram.has[0]) return spoil(place);
    if (datagram.foreign && first && !foreign) return spoil(place);
    if (foreign) datagram.foreign = true;
    if (datagram.foreign) {
        index_.stand(place, Standing::foreign);
        return Fate::foreign;
    }
    if (!agrees(datagram, *fragment)) return spoil(place);
    keep(datagram, *fragment);
    index_.touch(place, packet.time);
    if (!datagram.whole()) return Fate::waits;
    index_.stand(place, Standing::whole);
    rebuild(datagram, packet);
    return Fate::whole;
}

/// Its receiver may hold any part of it; that it is spoilt must not be forgotten easily.
Fragments::Fate Fragments::spoil(uint32_t place) noexcept {
    datagrams_[place].spoilt = true;
    index_.stand(place, Standing::waiting);
    return Fate::contradicts;
}

uint32_t Fragments::place_for(const Packet& packet, const Fragment& fragment) noexcept {
    const DatagramName name = DatagramName::of(packet, fragment);
    const uint64_t hash = index_.hash(name);
    uint32_t place = index_.find(name, hash);
    if (place != DatagramIndex::none && !expired(place, packet.time)) return place;
    if (place != DatagramIndex::none) index_.remove(place);
    if (gone_.has(hash, packet.time)) return DatagramIndex::none;
    if (!make_room(index_.source_of(name), packet.time)) return DatagramIndex::none;
    place = index_.add(name, hash, packet.time);
    Datagram& fresh = datagrams_[place];
    fresh.foreign = fresh.spoilt = false;
    fresh.protocol = fragment.protocol;
    fresh.version = packet.ip_version;
    fresh.size = fresh.highest = 0;
    fresh.has.reset();
    fresh.have = 0;
    return place;
}

/// Sees to it that there is a place for one more datagram of `source`.  False: there are none
/// at all.
bool Fragments::make_room(uint32_t source, Nanos now) noexcept {
    if (index_.held_by(source) >= share_max_) {
        give_away(index_.oldest_of(source), now);
        return true;
    }
    if (index_.any_free()) return true;
    constexpr Standing standings[] = {Standing::foreign, Standing::whole, Standing::waiting};
    for (const Standing standing : standings) {
        const uint32_t oldest = index_.oldest(standing);
        if (oldest != DatagramIndex::none && expired(oldest, now)) {
            index_.remove(oldest);
            return true;
        }
    }
    for (const Standing standing : standings) {
        const uint32_t oldest = index_.oldest(standing);
        if (oldest == DatagramIndex::none) continue;
        give_away(oldest, now);
        return true;
    }
    return false;
}

void Fragments::give_away(uint32_t place, Nanos now) noexcept {
    const Datagram& datagram = datagrams_[place];
    if ((!datagram.foreign || datagram.spoilt) && !expired(place, now)) {
        gone_.add(index_.hash_at(place), now);
    }
    index_.remove(place);
}

void Fragments::Gone::add(uint64_t hash, Nanos now) noexcept {
    const auto until = static_cast<uint32_t>(to_seconds(now + lifetime)) + 1;
    until_s_[first(hash)] = until_s_[second(hash)] = until;
}

bool Fragments::Gone::has(uint64_t hash, Nanos now) const noexcept {
    const auto now_s = static_cast<uint32_t>(to_seconds(now));
    return now_s < until_s_[first(hash)] && now_s < until_s_[second(hash)];
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
