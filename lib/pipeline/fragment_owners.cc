#include "pipeline/fragment_owners.h"

#include "flow/fragments.h"
#include "packet/headers.h"
#include "port/symmetric_hash.h"

namespace portcullis::pipeline {

uint32_t FragmentOwners::hash_of(Bytes frame, uint32_t by_addresses, Nanos now) noexcept {
    Packet packet;
    packet.frame = const_cast<std::byte*>(frame.data());  // Only read.
    packet.frame_size = static_cast<uint32_t>(frame.size());
    read_headers(packet);
    if (packet.fault != DropReason::none || !packet.fragment) return by_addresses;
    const std::optional<Fragment> fragment = read_fragment(packet);
    if (!fragment) return by_addresses;

    const uint8_t protocol = packet.ip_version == 4 ? fragment->protocol : uint8_t{0};
    Datagram* free = nullptr;
    for (Datagram& d : datagrams_) {
        const bool living = d.version != 0 && now - d.latest <= Fragments::lifetime;
        if (!living) {
            if (free == nullptr) free = &d;
            continue;
        }
        if (d.id == fragment->id && d.version == packet.ip_version && d.protocol == protocol &&
            d.source == packet.source.address && d.destination == packet.destination.address) {
            d.latest = now;
            return d.hash;
        }
    }
    if (free == nullptr) full_until_ = now + Fragments::lifetime;
    if (now < full_until_) return by_addresses;
    const uint32_t hash =
        packet.has_ports ? port::symmetric_hash(packet.source, packet.destination) : by_addresses;
    *free = {packet.source.address,
             packet.destination.address,
             fragment->id,
             packet.ip_version,
             protocol,
             hash,
             now};
    return hash;
}

}  // namespace portcullis::pipeline
