#include "flow/fast_open.h"

#include <algorithm>
#include <cstring>

namespace portcullis {

FastOpen::FastOpen(Nanos timeout)
    : timeout_(timeout), entries_(std::make_unique<Entry[]>(syns_max)) {}

DropReason FastOpen::keep(uint64_t hash, Seq isn, Bytes data, Nanos now) noexcept {
    if (data.size() > data_max) return DropReason::no_buffer;
    Entry* const set = set_of(hash);
    Entry* room = nullptr;
    for (Entry* entry = set; entry != set + ways; ++entry) {
        if (!living(*entry, now)) {
            room = entry;
        } else if (entry->hash == hash && entry->isn == isn) {
            const bool same = entry->size == data.size() &&
                              std::memcmp(entry->data.data(), data.data(), data.size()) == 0;
            if (!same) return DropReason::conflicting_overlap;
            entry->began = now;
            return DropReason::none;
        }
    }
    if (room == nullptr) return DropReason::no_buffer;
    room->hash = hash;
    room->began = now;
    room->isn = isn;
    room->size = static_cast<uint16_t>(data.size());
    std::memcpy(room->data.data(), data.data(), data.size());
    return DropReason::none;
}

std::optional<FastOpen::Taken> FastOpen::taken(uint64_t hash, Seq ack, Nanos now) const noexcept {
    const Entry* const set = set_of(hash);
    for (const Entry* entry = set; entry != set + ways; ++entry) {
        if (entry->hash != hash || !living(*entry, now)) continue;
        const Seq first = entry->isn + 1;
        if (ack > first && ack <= first + entry->size) {
            return Taken{entry->isn, static_cast<uint16_t>(ack - first)};
        }
    }
    return std::nullopt;
}

Bytes FastOpen::release(uint64_t hash, const Taken& taken) noexcept {
    Bytes bytes;
    Entry* const set = set_of(hash);
    for (Entry* entry = set; entry != set + ways; ++entry) {
        if (entry->hash != hash || entry->size == 0) continue;
        if (entry->isn == taken.isn) {
            bytes = Bytes(entry->data).first(std::min(entry->size, taken.size));
        }
        entry->size = 0;
    }
    return bytes;
}

}  // namespace portcullis
