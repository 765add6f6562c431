#include "control/player_registry.h"

#include <algorithm>
#include <cctype>

#include "policy/packet_wishes.h"

namespace portcullis::control {

namespace {

using Kind = verdicts::VerdictRecord::Kind;

}  // namespace

float PlayerRegistry::Entry::level() const noexcept {
    float highest = 0;
    for (const auto& [check, about] : found) highest = std::max(highest, about.level);
    return highest;
}

std::vector<std::pair<uint8_t, PlayerRegistry::Found>> PlayerRegistry::Entry::gravest() const {
    std::vector<std::pair<uint8_t, Found>> all(found.begin(), found.end());
    std::ranges::stable_sort(all, [](const auto& a, const auto& b) {
        return std::pair(a.second.level, a.second.count) >
               std::pair(b.second.level, b.second.count);
    });
    return all;
}

PlayerRegistry::Entry* PlayerRegistry::place_for(const verdicts::VerdictRecord& record) {
    const FlowName flow{record.client, record.server};
    auto at = entries_.find(flow);
    if (at == entries_.end()) {
        if (entries_.size() >= players_max_) {
            ++unlisted_;
            return nullptr;
        }
        at = entries_.emplace(flow, Entry{}).first;
    } else if (record.kind == Kind::login) {
        at->second = {};  // The port was used again, and the end of the first was lost.
    }
    Entry& entry = at->second;
    if (!record.player.name.empty()) entry.identity = record.player;
    entry.protocol = record.protocol;
    entry.service = record.service;
    entry.worker = record.worker;
    entry.client = record.client;
    entry.server = record.server;
    return &entry;
}

void PlayerRegistry::take(const verdicts::VerdictRecord& record) {
    if (record.kind == Kind::disconnect) {
        entries_.erase({record.client, record.server});
        return;
    }
    // A scanner's broken handshake is no player, nor is who never got in; both stand in
    // the verdict log.
    if (record.kind == Kind::verdict && (record.player.name.empty() || !record.in_game)) return;
    if (record.kind == Kind::outcome) return;  // Says what became of a verdict, not of a player.
    Entry* const entry = place_for(record);
    if (entry == nullptr) return;
    switch (record.kind) {
        case Kind::login:
            entry->since = record.time;
            break;
        case Kind::opaque:
            entry->opaque = true;
            break;
        case Kind::verdict: {
            Found& about = entry->found[record.check];
            about.count += uint64_t{1} + record.repeats;
            about.level = record.level;
            about.confidence_max = std::max(about.confidence_max, record.confidence);
            about.last = record.time;
            break;
        }
        case Kind::disconnect:
        case Kind::outcome:
        case Kind::count:
            break;
    }
}

std::vector<const PlayerRegistry::Entry*> PlayerRegistry::find_all(std::string_view name) const {
    std::vector<const Entry*> all;
    for (const auto& [flow, entry] : entries_) {
        if (policy::same_player(entry.identity.name.view(), name)) all.push_back(&entry);
    }
    return all;
}

}  // namespace portcullis::control
