#pragma once

#include <cstdint>
#include <memory>

#include "base/time.h"
#include "keys/key.h"

namespace portcullis::keys {

/// A server's secrets, and the cookie secret before that one: servers that change it
/// take cookies of the old one for as long as a cookie lives.
struct ServerSecrets : ShadowlandSecrets {
    static constexpr Nanos previous_life = 10s;
    std::array<std::byte, 32> previous_cookie{};
    Nanos previous_until = Nanos::min();
};

/// The Shadowland keys and secrets that one Worker has been given, in a table of
/// fixed size; a new key takes the place of the oldest.  A session asks for its
/// key again with each epoch, so unlike a Minecraft key it is not taken away.
class ShadowlandKeys {
public:
    static constexpr uint32_t services_max = 64;

    explicit ShadowlandKeys(uint32_t keys_max);
    ShadowlandKeys(const ShadowlandKeys&) = delete;
    ShadowlandKeys& operator=(const ShadowlandKeys&) = delete;
    ~ShadowlandKeys();

    /// 0: none will come.
    uint32_t capacity() const noexcept { return keys_max_; }

    void add(const ShadowlandKey& key) noexcept;
    /// Each secret that is given replaces the one given for the same server before.
    void add(const ShadowlandSecrets& secrets, Nanos now = {}) noexcept;

    const ShadowlandKey* find(const Endpoint& client, const Endpoint& server,
                              uint32_t connection_id, uint32_t epoch) const noexcept;
    /// Those of the server's own address go before those of any address at its port.
    const ServerSecrets* secrets_of(const Endpoint& server) const noexcept;

private:
    static constexpr uint32_t none = UINT32_MAX;
    uint32_t place_of(uint32_t connection_id, uint32_t epoch) const noexcept;

    std::unique_ptr<ShadowlandKey[]> keys_;
    std::unique_ptr<uint32_t[]> heads_;  ///< By hash: the first key of a chain.
    std::unique_ptr<uint32_t[]> next_;
    uint32_t keys_max_;
    uint32_t heads_mask_;
    uint32_t used_ = 0, oldest_ = 0;
    std::unique_ptr<ServerSecrets[]> secrets_;
    uint32_t secrets_size_ = 0;
};

}  // namespace portcullis::keys
