#pragma once

#include <array>
#include <cstdint>

#include "flow/flow.h"
#include "packet/burst.h"

namespace portcullis::stages {

/// Flows of the burst at hand that nobody remembers yet: those of datagrams that
/// belong to no session.  Whoever sends from ever new addresses fills no table;
/// decode asks for a real Flow when a session begins (WorkerContext::adopt).
class Strangers {
public:
    struct Place {
        Flow flow;
        FlowLinks links;
        uint64_t hash = 0;
    };

    /// Forgets those of the burst before.
    void clear() noexcept {
        size_ = 0;
        adopted = false;
    }
    /// One for each packet of a burst at most, so there is always room.
    Place& add(const HashedKey& key) noexcept {
        Place& place = places_[size_++];
        place.flow = Flow{};
        place.flow.key = key.key;
        place.hash = key.hash;
        return place;
    }
    bool contains(const Flow& flow) const noexcept { return place_of(flow) != nullptr; }
    const Place* place_of(const Flow& flow) const noexcept {
        const auto* bytes = reinterpret_cast<const std::byte*>(&flow);
        const auto* first = reinterpret_cast<const std::byte*>(places_.data());
        if (bytes < first || bytes >= first + sizeof places_) return nullptr;
        return &places_[static_cast<size_t>(bytes - first) / sizeof(Place)];
    }
    Place* place_of(const Flow& flow) noexcept {
        return const_cast<Place*>(static_cast<const Strangers*>(this)->place_of(flow));
    }

    bool adopted = false;  ///< One of this burst has become a Flow of the table.

private:
    std::array<Place, Burst::packets_max> places_;
    size_t size_ = 0;
};

}  // namespace portcullis::stages
