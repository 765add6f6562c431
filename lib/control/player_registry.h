#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/ip.h"
#include "base/time.h"
#include "records/record.h"

namespace portcullis::control {

/// Who is connected, as far as records tell: what `ctl players` shows.
/// Built from logins, disconnects and verdicts alone, so it costs Workers
/// nothing, and knows of a player who came before us once he is found at fault.
class PlayerRegistry {
public:
    struct Found {
        uint64_t count = 0;  ///< Findings, those between records included.
        float level = 0;     ///< As of the last record.
        float confidence_max = 0;
        Nanos last{};
    };
    struct Entry {
        verdicts::PlayerIdentity identity;
        protocol::Protocol protocol{};
        uint16_t service = 0;
        uint16_t worker = 0;
        Endpoint client, server;
        Nanos since{};                   ///< 0: before we could see it.
        bool opaque = false;             ///< Encrypted: nothing is known of what he does.
        std::map<uint8_t, Found> found;  ///< By CheckId: no more than there are checks.

        float level() const noexcept;  ///< The highest of all checks.
        /// Checks, gravest first.
        std::vector<std::pair<uint8_t, Found>> gravest() const;
    };

    explicit PlayerRegistry(size_t players_max) : players_max_(players_max) {}

    void take(const verdicts::VerdictRecord& record);

    size_t size() const noexcept { return entries_.size(); }
    /// Players not listed for want of room.
    uint64_t unlisted() const noexcept { return unlisted_; }
    /// Calls `see(const Entry&)` for each, by client address.
    template <class See>
    void each(See&& see) const {
        for (const auto& [flow, entry] : entries_) see(entry);
    }
    /// By name, in any case; all of them: one player may play on several services.
    std::vector<const Entry*> find_all(std::string_view name) const;

private:
    using FlowName = std::pair<Endpoint, Endpoint>;

    Entry* place_for(const verdicts::VerdictRecord& record);

    size_t players_max_;
    uint64_t unlisted_ = 0;
    std::map<FlowName, Entry> entries_;
};

}  // namespace portcullis::control
