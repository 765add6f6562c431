#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

/// ChaCha20-Poly1305 (RFC 8439) for packets: short, each under another nonce and
/// often under another key.  OpenSSL's costs three times as much for these, nearly
/// all of it before the first byte; a test holds this one against it.
///
/// Takes the same time for the same sizes, whatever key and bytes are.
namespace portcullis::shadowland {

inline constexpr size_t aead_key_size = 32, aead_nonce_size = 12, aead_tag_size = 16;

using AeadNonce = std::array<std::byte, aead_nonce_size>;

/// Opens `sealed` into `out`, which has as much room.  False: the tag is wrong, and
/// `out` was not written.
bool aead_open(Bytes key, const AeadNonce& nonce, Bytes additional, Bytes sealed, Bytes tag,
               MutableBytes out) noexcept;

/// Seals `text` in place and writes the tag.
void aead_seal(Bytes key, const AeadNonce& nonce, Bytes additional, MutableBytes text,
               MutableBytes tag) noexcept;

}  // namespace portcullis::shadowland
