#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "verdicts/entry.h"

/// Where things stand in the log's database; shared by the one that writes and
/// those that read.
///
///     records   id                      → entry       ids sort by time
///     index     prefix, id              →             one row for each way to ask
///     outcomes  id, target, place       → outcome
///     about     "floor_ms"              → nothing older than this is kept
///
/// An index prefix is 'p' and the player's name in lower case and 0; 'u' and his
/// UUID; 'c' and the check's name and 0; 'a' and the client's address, once more with
/// the player's own where a proxy stands between.
namespace portcullis::verdicts {

enum class Family : uint8_t { records, index, outcomes, about, count };
inline constexpr NameTable<Family> family_names = {"default", "index", "outcomes", "about"};
static_assert(complete(family_names));

inline constexpr std::string_view floor_key = "floor_ms";
inline constexpr size_t id_size = 16;

inline void append_big_endian(std::string& out, uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

inline uint64_t big_endian_at(std::string_view in, size_t at) noexcept {
    uint64_t value = 0;
    for (const char c : in.substr(at, 8)) value = value << 8 | static_cast<uint8_t>(c);
    return value;
}

inline void append_id(std::string& out, const VerdictId& id) {
    append_big_endian(out, id.high);
    append_big_endian(out, id.low);
}

/// The id whose bytes start at `at`; empty when they are not all there.
inline VerdictId id_at(std::string_view key, size_t at) noexcept {
    if (key.size() < at + id_size) return {};
    return {big_endian_at(key, at), big_endian_at(key, at + 8)};
}

/// The first id that a moment can have.
constexpr VerdictId first_id_at(Nanos time) noexcept {
    const int64_t ms = time.count() / 1'000'000;
    return {ms <= 0 ? 0 : static_cast<uint64_t>(ms) << 16, 0};
}

inline std::string player_prefix(std::string_view name) {
    std::string prefix = "p";
    for (const char c : name) {
        prefix.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c);
    }
    prefix.push_back('\0');
    return prefix;
}

inline std::string uuid_prefix(const protocol::Uuid& uuid) {
    std::string prefix = "u";
    prefix.append(as_text(as_bytes(uuid.data(), uuid.size())));
    return prefix;
}

inline std::string check_prefix(std::string_view check) {
    std::string prefix = "c";
    prefix.append(check);
    prefix.push_back('\0');
    return prefix;
}

inline std::string address_prefix(const IpAddress& address) {
    std::string prefix = "a";
    prefix.append(as_text(as_bytes(address.octets.data(), address.octets.size())));
    return prefix;
}

}  // namespace portcullis::verdicts
