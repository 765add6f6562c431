#pragma once

#include <cstdint>
#include <memory>

#include "keys/key.h"

namespace portcullis::keys {

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

    void add(const ShadowlandKey& key) noexcept;
    /// Replaces what was given for the same server before.
    void add(const ShadowlandSecrets& secrets) noexcept;

    const ShadowlandKey* find(const Endpoint& client, const Endpoint& server,
                              uint32_t connection_id, uint32_t epoch) const noexcept;
    const ShadowlandSecrets* secrets_of(const Endpoint& server) const noexcept;

private:
    static constexpr uint32_t none = UINT32_MAX;
    uint32_t place_of(uint32_t connection_id, uint32_t epoch) const noexcept;

    std::unique_ptr<ShadowlandKey[]> keys_;
    std::unique_ptr<uint32_t[]> heads_;  ///< By hash: the first key of a chain.
    std::unique_ptr<uint32_t[]> next_;
    uint32_t keys_max_;
    uint32_t heads_mask_;
    uint32_t used_ = 0, oldest_ = 0;
    std::unique_ptr<ShadowlandSecrets[]> secrets_;
    uint32_t secrets_size_ = 0;
};

}  // namespace portcullis::keys
