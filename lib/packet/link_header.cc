#include "packet/link_header.h"

#include <algorithm>
#include <cstring>

#include "packet/wire_order.h"

namespace portcullis {

LinkHeader LinkHeader::read(Bytes frame, uint8_t tags) noexcept {
    LinkHeader link;
    std::memcpy(link.addresses.data(), frame.data(), link.addresses.size());
    link.tag_count = tags & 3;
    for (size_t i = 0; i < tags; ++i) {
        const std::byte* tag = frame.data() + link.addresses.size() + i * vlan_tag_size;
        const auto type = std::ranges::find(vlan_types, load_be16(tag)) - vlan_types.begin();
        link.tag_types = static_cast<uint8_t>(link.tag_types | type << (2 * i)) & 0x3f;
        std::memcpy(link.tag_controls[i].data(), tag + 2, 2);
    }
    return link;
}

size_t LinkHeader::write(std::byte* out, uint16_t ether_type) const noexcept {
    std::memcpy(out, addresses.data(), addresses.size());
    size_t at = addresses.size();
    for (size_t i = 0; i < tag_count; ++i) {
        store_be16(out + at, vlan_types[(tag_types >> (2 * i)) & 3]);
        std::memcpy(out + at + 2, tag_controls[i].data(), 2);
        at += vlan_tag_size;
    }
    store_be16(out + at, ether_type);
    return at + 2;
}

LinkHeader LinkHeader::reversed() const noexcept {
    LinkHeader other = *this;
    std::ranges::rotate(other.addresses, other.addresses.begin() + 6);
    return other;
}

}  // namespace portcullis
