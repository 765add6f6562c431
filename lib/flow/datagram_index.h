#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/ip.h"
#include "base/side.h"
#include "base/time.h"
#include "flow/flow_key.h"
#include "packet/headers.h"
#include "packet/packet.h"

namespace portcullis {

/// What its receiver tells an IP datagram from others by, while fragments of it are missing;
/// and the side that they come in on, since nobody outside brings a part to what comes from
/// inside.
struct alignas(8) DatagramName {
    IpAddress source, destination;
    uint32_t id = 0;
    uint8_t version = 0;
    uint8_t protocol = 0;  ///< 0 with IPv6, which names a datagram without it (RFC 8200 4.5).
    Side side = Side::outside;
    uint8_t zero = 0;

    static DatagramName of(const Packet& packet, const Fragment& fragment) noexcept {
        return {packet.source.address,
                packet.destination.address,
                fragment.id,
                packet.ip_version,
                packet.ip_version == 4 ? fragment.protocol : uint8_t{0},
                packet.side};
    }
    FlowKey::Words words() const noexcept { return std::bit_cast<FlowKey::Words>(*this); }
    bool operator==(const DatagramName&) const noexcept = default;
};

/// Places for datagrams that come in fragments, found by name: a fixed number, in the order
/// of their age, and counted by who sends them.
///
/// Each place has a standing, which says how easily it is given away; who gives way is the
/// owner's to choose.  All calls take the same time however many places there are.
class DatagramIndex {
public:
    static constexpr uint32_t none = UINT32_MAX;

    enum class Standing : uint8_t {
        waiting,  ///< Some of it is missing.
        whole,    ///< All has come; kept to compare what still comes.
        foreign,  ///< Nobody needs it.
        count
    };

    /// Who does not know `secret` can not choose names that are found one behind the other.
    DatagramIndex(uint32_t capacity, uint64_t secret);

    uint64_t hash(const DatagramName& name) const noexcept { return hash_(name.words()); }
    /// Its place, or `none`.
    uint32_t find(const DatagramName& name, uint64_t hash) const noexcept;
    /// A place for a name that has none, `waiting`; `none` when all are taken.
    uint32_t add(const DatagramName& name, uint64_t hash, Nanos now) noexcept;
    void remove(uint32_t place) noexcept;
    /// Something of it has come: it is the youngest of its standing.
    void touch(uint32_t place, Nanos now) noexcept;
    void stand(uint32_t place, Standing standing) noexcept;

    bool any_free() const noexcept { return free_ != none; }
    uint32_t oldest(Standing standing) const noexcept {
        return by_standing_[static_cast<size_t>(standing)].oldest;
    }
    Nanos latest(uint32_t place) const noexcept { return places_[place].latest; }
    uint64_t hash_at(uint32_t place) const noexcept { return places_[place].hash; }

    /// Who sends it: an IPv4 address, or the 64 bits before an IPv6 interface's; with the few
    /// others that share its number.
    uint32_t source_of(const DatagramName& name) const noexcept;
    /// Places that are waiting or whole, and the oldest of them.
    uint32_t held_by(uint32_t source) const noexcept { return by_source_[source].size; }
    uint32_t oldest_of(uint32_t source) const noexcept { return by_source_[source].oldest; }

    static constexpr uint32_t sources = 1024;

private:
    struct Queue {
        uint32_t oldest = none, youngest = none, size = 0;
    };
    struct Links {
        uint32_t older = none, younger = none;
    };
    struct Place {
        DatagramName name;
        uint64_t hash = 0;
        Nanos latest{};
        uint32_t next = none;  ///< Of the same bucket, or free.
        uint32_t source = 0;
        Links in_standing, in_source;
        Standing standing = Standing::waiting;
    };

    uint32_t& bucket(uint64_t hash) noexcept { return buckets_[hash & (buckets_.size() - 1)]; }
    void join(Queue& queue, Links Place::* links, uint32_t place) noexcept;
    void leave(Queue& queue, Links Place::* links, uint32_t place) noexcept;
    Queue& queue_of(Standing standing) noexcept {
        return by_standing_[static_cast<size_t>(standing)];
    }

    FlowHash hash_;
    std::vector<Place> places_;
    std::vector<uint32_t> buckets_;
    std::vector<Queue> by_source_;
    std::array<Queue, static_cast<size_t>(Standing::count)> by_standing_;
    uint32_t free_ = none;
};

}  // namespace portcullis
