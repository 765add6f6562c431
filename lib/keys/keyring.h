#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>

#include "base/time.h"
#include "keys/key.h"

namespace portcullis::keys {

/// The session keys that a Worker has been given and nobody has used yet.
///
/// Its size is fixed.  A key waits in one of a few places that its connection's two
/// endpoints name, until it is taken, expires, or the newest key for the same places
/// finds none free and the oldest gives way.
class Keyring {
public:
    static constexpr size_t ways = 8;
    /// How long a key of a live feed waits for its connection to ask.
    static constexpr Nanos lifetime = 30s;
    /// Until when a key of a file serves.
    static constexpr Nanos forever = Nanos::max();

    /// `secret` decides who shares places, so that nobody can choose to.
    explicit Keyring(uint32_t capacity, uint64_t secret = 0)
        : buckets_(capacity == 0 ? 0 : std::bit_ceil((capacity + ways - 1) / ways)),
          places_(std::make_unique<Place[]>(buckets_ * ways)),
          secret_(secret) {}

    size_t capacity() const noexcept { return buckets_ * ways; }

    /// The newest of its connection, and the only one: a key that was never used is of
    /// an earlier connection with the same ports.
    void replace(const MinecraftKey& key, Nanos until) noexcept {
        while (take(key.client, key.server, Nanos::min()) != nullptr) {
        }
        add(key, until);
    }

    /// Behind others of its connection, as in a file that tells of a whole day.
    void add(const MinecraftKey& key, Nanos until) noexcept {
        if (buckets_ == 0) return;
        Place* const bucket = bucket_of(key.client, key.server);
        Place& place = *std::ranges::min_element(
            bucket, bucket + ways, {}, [](const Place& p) { return p.used ? p.order : 0; });
        place = {key, until, ++order_, true};
    }

    /// Forgets what a live feed told for this connection's endpoints; a file's keys stay.
    void forget_live(const Endpoint& client, const Endpoint& server) noexcept {
        if (buckets_ == 0) return;
        Place* const bucket = bucket_of(client, server);
        for (Place* place = bucket; place < bucket + ways; ++place) {
            if (place->until == forever || !place->is_of(client, server)) continue;
            place->used = false;
            place->key.secret = {};
        }
    }

    /// The oldest for this connection that has not expired, once; null: none.  Valid
    /// until the next call.
    const std::array<std::byte, 16>* take(const Endpoint& client, const Endpoint& server,
                                          Nanos now) noexcept {
        if (buckets_ == 0) return nullptr;
        Place* const bucket = bucket_of(client, server);
        Place* found = nullptr;
        for (Place* place = bucket; place < bucket + ways; ++place) {
            if (place->used && place->until < now) place->used = false;
            if (!place->is_of(client, server)) continue;
            if (found == nullptr || place->order < found->order) found = place;
        }
        if (found == nullptr) return nullptr;
        found->used = false;
        taken_ = found->key.secret;
        found->key.secret = {};
        return &taken_;
    }

private:
    struct Place {
        MinecraftKey key;
        Nanos until{};
        uint64_t order = 0;  ///< Of arrival.
        bool used = false;

        bool is_of(const Endpoint& client, const Endpoint& server) const noexcept {
            return used && key.client == client && key.server == server;
        }
    };

    Place* bucket_of(const Endpoint& client, const Endpoint& server) const noexcept {
        uint64_t hash = secret_;
        for (const Endpoint* end : {&client, &server}) {
            std::array<uint64_t, 2> halves;
            std::memcpy(halves.data(), end->address.octets.data(), sizeof halves);
            for (const uint64_t part : {halves[0], halves[1], uint64_t{end->port}}) {
                hash = (std::rotl(hash, 23) ^ part) * 0x9e3779b97f4a7c15u;
                hash ^= hash >> 32;
            }
        }
        return places_.get() + (hash & (buckets_ - 1)) * ways;
    }

    size_t buckets_;
    std::unique_ptr<Place[]> places_;
    uint64_t secret_;
    uint64_t order_ = 0;
    std::array<std::byte, 16> taken_{};
};

}  // namespace portcullis::keys
