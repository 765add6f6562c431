#include "pipeline/fragment_owners.h"

#include <algorithm>

#include "flow/fragments.h"
#include "packet/headers.h"
#include "port/symmetric_hash.h"

namespace portcullis::pipeline {

FragmentOwners::FragmentOwners(uint32_t capacity, uint64_t secret)
    : index_(capacity, secret),
      share_max_(std::max(capacity / share, 1u)),
      hashes_(capacity),
      full_until_(DatagramIndex::sources) {}

uint32_t FragmentOwners::hash_of(Bytes frame, Side side, uint32_t by_addresses,
                                 Nanos now) noexcept {
    Packet packet;
    packet.frame = const_cast<std::byte*>(frame.data());  // Only read.
    packet.frame_size = static_cast<uint32_t>(frame.size());
    packet.side = side;
    read_headers(packet);
    if (packet.fault != DropReason::none || !packet.fragment) return by_addresses;
    const std::optional<Fragment> fragment = read_fragment(packet);
    if (!fragment) return by_addresses;

    const DatagramName name = DatagramName::of(packet, *fragment);
    const uint64_t hash = index_.hash(name);
    const uint32_t known = index_.find(name, hash);
    if (known != DatagramIndex::none && now - index_.latest(known) <= Fragments::lifetime) {
        index_.touch(known, now);
        return hashes_[known];
    }
    if (known != DatagramIndex::none) index_.remove(known);
    const uint32_t source = index_.source_of(name);
    if (!has_room(source, now)) full_until_[source] = now + Fragments::lifetime;
    if (now < full_until_[source]) return by_addresses;
    const uint32_t place = index_.add(name, hash, now);
    hashes_[place] =
        packet.has_ports ? port::symmetric_hash(packet.source, packet.destination) : by_addresses;
    return hashes_[place];
}

/// Also frees what is too old, of the source first.
bool FragmentOwners::has_room(uint32_t source, Nanos now) noexcept {
    const auto free_oldest = [&](uint32_t oldest) noexcept {
        const bool old =
            oldest != DatagramIndex::none && now - index_.latest(oldest) > Fragments::lifetime;
        if (old) index_.remove(oldest);
        return old;
    };
    if (index_.held_by(source) >= share_max_ && !free_oldest(index_.oldest_of(source))) {
        return false;
    }
    return index_.any_free() || free_oldest(index_.oldest(DatagramIndex::Standing::waiting));
}

}  // namespace portcullis::pipeline
