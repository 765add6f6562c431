#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/inline_text.h"
#include "base/names.h"
#include "records/id.h"
#include "records/record.h"

/// What the verdict log keeps, and how it is written there.  A log outlives
/// builds and configurations, so what a record says by index stands here by
/// name, and the encoding is one that older and newer builds both read.
namespace portcullis::verdicts {

/// Who was asked to do something about a verdict.
enum class Target : uint8_t { rcon, webhook, blocklist, wire, count };
inline constexpr NameTable<Target> target_names = {"rcon", "webhook", "blocklist", "wire"};
static_assert(complete(target_names));

/// One of those.
struct Asked {
    Target target{};
    uint8_t place = 0;      ///< Which of the configured ones, from 0.
    InlineText<63> name{};  ///< And how it is called, wherever it stands in a later configuration.
};

struct Entry {
    VerdictRecord record;  ///< `check` and `service` in it mean nothing here.
    std::string check;
    std::string service;
    /// In the log alone; nobody where an older build wrote it.
    std::vector<Asked> asked{};

    VerdictId id() const noexcept { return {record.id_high, record.id_low}; }
};

/// Where the player is, as far as anybody told: before a proxy's address goes his own.
inline IpAddress own_address(const VerdictRecord& record) noexcept {
    return record.player.address_told() ? record.player.address : record.client.address;
}
/// A verdict on who says a name but is not in the game under it: it may be another's.
inline bool only_claimed(const VerdictRecord& record) noexcept {
    return record.kind == VerdictRecord::Kind::verdict && !record.in_game &&
           !record.player.name.empty();
}

struct Outcome {
    VerdictId verdict;
    Target target{};
    Result result{};
    uint8_t place = 0;      ///< As of who was asked.
    uint32_t attempts = 0;  ///< 0: it never came to one.
    Nanos time{};
    InlineText<111> detail;
    InlineText<63> name{};  ///< As of who was asked; empty where an older build wrote it.
};

/// The encoding is a version byte, then fields: tag, length, that many bytes.
/// A field at its default is left out, an unknown tag is skipped: fields may be
/// added freely.  The version changes only if old readers must not read on.
inline constexpr uint8_t encoding_version = 1;

/// Appends.  The id is not in it: it is the key.
void encode(std::string& out, const VerdictRecord& record, std::string_view check,
            std::string_view service, std::span<const Asked> asked = {});
void encode(std::string& out, const Outcome& outcome);

/// Nothing when the bytes are damaged or of a version that is not ours.
std::optional<Entry> decode_entry(const VerdictId& id, Bytes in);
std::optional<Outcome> decode_outcome(const VerdictId& verdict, Bytes in);

}  // namespace portcullis::verdicts
