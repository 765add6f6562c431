#include "flow/fast_open.h"

#include <algorithm>
#include <cstring>

namespace portcullis {

FastOpen::FastOpen(Nanos timeout)
    : timeout_(timeout), entries_(std::make_unique<Entry[]>(syns_max)) {}

DropReason FastOpen::offer(uint64_t hash, Seq isn, Bytes data, Nanos now) noexcept {
    if (data.size() > data_max) return DropReason::no_buffer;
    const size_t set = set_of(hash);
    size_t room = ways;
    for (size_t way = 0; way < ways; ++way) {
        const bool mine = owners_[set][way] == name_of(hash);
        if (!mine && data.empty()) continue;
        if (!living(set, way, now)) {
            room = way;
            continue;
        }
        if (!mine) continue;
        Entry& entry = entries_[set * ways + way];
        if (entry.isn != isn) return DropReason::conflicting_overlap;
        if (data.empty()) return DropReason::none;
        const bool same = entry.size == data.size() &&
                          std::memcmp(entry.data.data(), data.data(), data.size()) == 0;
        if (!same) return DropReason::conflicting_overlap;
        entry.began = now;
        return DropReason::none;
    }
    if (data.empty()) return DropReason::none;
    if (room == ways) return DropReason::no_buffer;
    owners_[set][room] = name_of(hash);
    Entry& entry = entries_[set * ways + room];
    entry.began = now;
    entry.isn = isn;
    entry.size = static_cast<uint16_t>(data.size());
    std::memcpy(entry.data.data(), data.data(), data.size());
    return DropReason::none;
}

std::optional<FastOpen::Taken> FastOpen::taken(uint64_t hash, Seq ack, Nanos now) noexcept {
    const size_t set = set_of(hash);
    for (size_t way = 0; way < ways; ++way) {
        if (owners_[set][way] != name_of(hash) || !living(set, way, now)) continue;
        const Entry& entry = entries_[set * ways + way];
        const Seq first = entry.isn + 1;
        if (ack == first) owners_[set][way] = 0;
        if (ack > first && ack <= first + entry.size) {
            return Taken{entry.isn, static_cast<uint16_t>(ack - first)};
        }
    }
    return std::nullopt;
}

Bytes FastOpen::release(uint64_t hash, const Taken& taken) noexcept {
    Bytes bytes;
    const size_t set = set_of(hash);
    for (size_t way = 0; way < ways; ++way) {
        const Entry& entry = entries_[set * ways + way];
        if (owners_[set][way] != name_of(hash) || entry.isn != taken.isn) continue;
        bytes = Bytes(entry.data).first(std::min(entry.size, taken.size));
    }
    give_up(hash);
    return bytes;
}

void FastOpen::give_up(uint64_t hash) noexcept {
    for (uint64_t& owner : owners_[set_of(hash)]) {
        if (owner == name_of(hash)) owner = 0;
    }
}

}  // namespace portcullis
