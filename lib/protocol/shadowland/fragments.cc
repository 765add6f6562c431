#include "protocol/shadowland/fragments.h"

#include <algorithm>
#include <cstring>

namespace portcullis::shadowland {

namespace {
constexpr uint32_t none = FragmentSets::none;
constexpr size_t whole_size_max = large_payload_max[1];
/// A client's fragments may hold this part of what is free.
constexpr uint32_t share_of_free = 16;
}  // namespace

Fragments::Fragments(const Limits& limits)
    : sets_(limits.sets),
      blocks_(limits.blocks),
      whole_(std::make_unique<std::byte[]>(whole_size_max)) {}

Fragments::Piece Fragments::add(FragmentSets& sets, Direction direction, Channel channel,
                                bool compressed, const Fragment& fragment, Nanos now) noexcept {
    uint32_t handle = find(sets, fragment.fragment_id);
    if (handle != none && now - sets_[handle].since > set_timeout) {
        drop(sets, handle);
        handle = none;
    }
    if (handle == none) {
        if (sets.count >= sets_max[index_of(direction)]) {
            return {any_unread(sets) ? Result::no_room : Result::flood, {}};
        }
        handle = sets_.make();
        if (handle == none) return {Result::no_room, {}};
        Set& fresh = sets_[handle];
        fresh.total_size = fragment.total_size;
        fresh.id = fragment.fragment_id;
        fresh.channel = channel;
        fresh.compressed = compressed;
        fresh.since = now;
        fresh.next = sets.first;
        sets.first = handle;
        ++sets.count;
    }
    Set& set = sets_[handle];
    if (set.total_size != fragment.total_size || set.channel != channel ||
        set.compressed != compressed) {
        return {Result::changed, {}};
    }
    Result result = Result::kept;
    if (room_for(sets, direction) == 0) set.unread = true;
    if (set.unread) {
        // It stays until its time is up, or the rest of it would look like the next one.
        drop_blocks(sets, set);
        return {Result::no_room, {}};
    }
    if (!insert(set, fragment, result)) return {result, {}};
    ++sets.blocks;
    if (set.received < set.total_size) return {Result::kept, {}};
    const Piece piece{Result::complete, join(set), set.compressed};
    drop(sets, handle);
    return piece;
}

/// How many blocks more these sets may hold.  A server's are for its client alone to suffer.
uint32_t Fragments::room_for(const FragmentSets& sets, Direction direction) const noexcept {
    const uint32_t free = blocks_.capacity() - blocks_.used();
    if (direction == Direction::to_client) return free;
    const uint32_t share = (free + sets.blocks) / share_of_free;
    return share > sets.blocks ? std::min(free, share - sets.blocks) : 0;
}

bool Fragments::any_unread(const FragmentSets& sets) const noexcept {
    for (uint32_t at = sets.first; at != none; at = sets_[at].next) {
        if (sets_[at].unread) return true;
    }
    return false;
}

/// False when nothing was kept; `result` says why.
bool Fragments::insert(Set& set, const Fragment& fragment, Result& result) noexcept {
    // Fragments mostly come in order, and then none but the last is looked at.
    uint32_t before = none;
    if (set.last_block != none && blocks_[set.last_block].offset < fragment.offset) {
        before = set.last_block;
    } else {
        for (uint32_t at = set.first_block; at != none; at = blocks_[at].next) {
            const Block& block = blocks_[at];
            if (block.offset > fragment.offset) break;
            if (block.offset == fragment.offset) {
                result = std::ranges::equal(block.bytes(), fragment.data) ? Result::repeated
                                                                          : Result::overlap;
                return false;
            }
            before = at;
        }
    }
    const uint32_t handle = blocks_.make();
    Block& block = blocks_[handle];
    block.offset = fragment.offset;
    block.size = static_cast<uint16_t>(fragment.data.size());
    std::ranges::copy(fragment.data, block.data.begin());
    uint32_t& link = before == none ? set.first_block : blocks_[before].next;
    block.next = link;
    link = handle;
    if (block.next == none) set.last_block = handle;
    set.received += block.size;
    return true;
}

/// Offsets are multiples of a whole fragment's size and sizes follow from them,
/// so as many bytes as the total, without repeats, leave no gap.
Bytes Fragments::join(const Set& set) noexcept {
    size_t at = 0;
    for (uint32_t i = set.first_block; i != none; i = blocks_[i].next) {
        std::ranges::copy(blocks_[i].bytes(), whole_.get() + at);
        at += blocks_[i].size;
    }
    return {whole_.get(), at};
}

uint32_t Fragments::expire(FragmentSets& sets, Nanos now) noexcept {
    uint32_t expired = 0;
    for (uint32_t at = sets.first; at != none;) {
        const uint32_t next = sets_[at].next;
        if (now - sets_[at].since > set_timeout) {
            expired += !sets_[at].unread;
            drop(sets, at);
        }
        at = next;
    }
    return expired;
}

bool Fragments::any_expired(const FragmentSets& sets, Nanos now) const noexcept {
    for (uint32_t at = sets.first; at != none; at = sets_[at].next) {
        if (now - sets_[at].since > set_timeout) return true;
    }
    return false;
}

bool Fragments::put_down(const FragmentSets& sets, Writer& out) const noexcept {
    out.u8(sets.count);
    for (uint32_t at = sets.first; at != none; at = sets_[at].next) {
        const Set& set = sets_[at];
        out.bytes(as_bytes(&set, sizeof set));
        for (uint32_t b = set.first_block; b != none; b = blocks_[b].next) {
            const Block& block = blocks_[b];
            out.u8(1);
            out.u16(block.offset);
            out.u16(block.size);
            out.bytes(block.bytes());
        }
        out.u8(0);
    }
    return out.ok();
}

bool Fragments::take_up(FragmentSets& sets, Reader& in) noexcept {
    sets = {};
    uint32_t* link = &sets.first;
    for (unsigned left = in.u8(); left > 0; --left) {
        const uint32_t handle = sets_.make();
        if (handle == none) return false;
        Set& set = sets_[handle];
        const Bytes bytes = in.bytes(sizeof set);
        if (bytes.size() == sizeof set) std::memcpy(&set, bytes.data(), sizeof set);
        set.next = set.first_block = set.last_block = none;
        *link = handle;
        link = &set.next;
        ++sets.count;
        uint32_t* last = &set.first_block;
        while (in.u8() == 1) {
            const uint32_t b = blocks_.make();
            if (b == none) return false;
            ++sets.blocks;
            Block& block = blocks_[b];
            block.next = none;
            block.offset = in.u16();
            block.size = in.u16();
            const Bytes data = in.bytes(std::min<size_t>(block.size, block.data.size()));
            std::ranges::copy(data, block.data.begin());
            block.size = static_cast<uint16_t>(data.size());
            *last = b;
            last = &block.next;
            set.last_block = b;
        }
    }
    return in.ok();
}

void Fragments::forget(FragmentSets& sets, uint16_t id) noexcept {
    const uint32_t handle = find(sets, id);
    if (handle != none) drop(sets, handle);
}

void Fragments::forget(FragmentSets& sets) noexcept {
    while (sets.first != none) drop(sets, sets.first);
}

uint32_t Fragments::find(const FragmentSets& sets, uint16_t id) const noexcept {
    uint32_t at = sets.first;
    while (at != none && sets_[at].id != id) at = sets_[at].next;
    return at;
}

void Fragments::drop(FragmentSets& sets, uint32_t handle) noexcept {
    uint32_t* link = &sets.first;
    while (*link != handle) link = &sets_[*link].next;
    *link = sets_[handle].next;
    drop_blocks(sets, sets_[handle]);
    sets_.unmake(handle);
    --sets.count;
}

void Fragments::drop_blocks(FragmentSets& sets, Set& set) noexcept {
    for (uint32_t at = set.first_block; at != none;) {
        const uint32_t next = blocks_[at].next;
        blocks_.unmake(at);
        --sets.blocks;
        at = next;
    }
    set.first_block = set.last_block = none;
}

}  // namespace portcullis::shadowland
