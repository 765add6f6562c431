#include "keys/shadowland_keys.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace portcullis::keys {

ShadowlandKeys::ShadowlandKeys(uint32_t keys_max)
    : keys_(std::make_unique<ShadowlandKey[]>(keys_max)),
      heads_(std::make_unique<uint32_t[]>(std::bit_ceil(keys_max + 1))),
      next_(std::make_unique<uint32_t[]>(keys_max)),
      keys_max_(keys_max),
      heads_mask_(std::bit_ceil(keys_max + 1) - 1),
      secrets_(std::make_unique<ServerSecrets[]>(services_max)) {
    std::fill_n(heads_.get(), heads_mask_ + 1, none);
}

ShadowlandKeys::~ShadowlandKeys() {
    // Whoever reads freed memory must find no key there.
    explicit_bzero(keys_.get(), keys_max_ * sizeof(ShadowlandKey));
    explicit_bzero(secrets_.get(), services_max * sizeof(ServerSecrets));
}

uint32_t ShadowlandKeys::place_of(uint32_t connection_id, uint32_t epoch) const noexcept {
    // Connection ids are random; a few epochs of one lie side by side.
    return (connection_id * 0x9e3779b1u + epoch) & heads_mask_;
}

void ShadowlandKeys::add(const ShadowlandKey& key) noexcept {
    if (keys_max_ == 0) return;
    uint32_t at = used_;
    if (used_ < keys_max_) {
        ++used_;
    } else {
        at = oldest_;
        oldest_ = (oldest_ + 1) % keys_max_;
        uint32_t* link = &heads_[place_of(keys_[at].connection_id, keys_[at].epoch)];
        while (*link != at) link = &next_[*link];
        *link = next_[at];
    }
    keys_[at] = key;
    uint32_t& head = heads_[place_of(key.connection_id, key.epoch)];
    next_[at] = head;
    head = at;
}

void ShadowlandKeys::add(const ShadowlandSecrets& secrets, Nanos now) noexcept {
    ServerSecrets* const end = secrets_.get() + secrets_size_;
    ServerSecrets* place = std::find_if(
        secrets_.get(), end, [&](const auto& known) { return known.server == secrets.server; });
    if (place == end) {
        if (secrets_size_ == services_max) return;
        ++secrets_size_;
        place->server = secrets.server;
    }
    if (secrets.has_cookie && (!place->has_cookie || place->cookie != secrets.cookie)) {
        if (place->has_cookie) {
            place->previous_cookie = place->cookie;
            place->previous_until = now + ServerSecrets::previous_life;
        }
        place->has_cookie = true;
        place->cookie = secrets.cookie;
    }
    if (secrets.integrity_size > 0) {
        place->integrity_size = secrets.integrity_size;
        place->integrity = secrets.integrity;
    }
}

const ShadowlandKey* ShadowlandKeys::find(const Endpoint& client, const Endpoint& server,
                                          uint32_t connection_id, uint32_t epoch) const noexcept {
    uint32_t at = heads_[place_of(connection_id, epoch)];
    for (; at != none; at = next_[at]) {
        const ShadowlandKey& key = keys_[at];
        if (key.connection_id == connection_id && key.epoch == epoch && key.client == client &&
            key.server == server) {
            return &key;
        }
    }
    return nullptr;
}

const ServerSecrets* ShadowlandKeys::secrets_of(const Endpoint& server) const noexcept {
    const ServerSecrets* of_any = nullptr;
    for (uint32_t i = 0; i < secrets_size_; ++i) {
        if (secrets_[i].server == server) return &secrets_[i];
        const bool any = secrets_[i].server.address == IpAddress{};
        if (any && secrets_[i].server.port == server.port) of_any = &secrets_[i];
    }
    return of_any;
}

}  // namespace portcullis::keys
