#include "flow/block_list.h"

#include <bit>
#include <cstring>

#include "base/ip_mask.h"

namespace portcullis {

struct BlockList::Entry {
    IpAddress base;
    Nanos until{};
    uint8_t bits = 0;
    bool used = false;
};

namespace {

constexpr uint32_t kept_a_call = 64;

/// Only operators and our own verdicts put entries here: no secret is needed.
uint32_t home(const IpAddress& base, uint8_t bits) noexcept {
    std::array<uint64_t, 2> words;
    std::memcpy(words.data(), base.octets.data(), sizeof words);
    uint64_t h = (words[0] * 0x9e3779b97f4a7c15u) ^ std::rotl(words[1], 17) ^ bits;
    h *= 0xd6e8feb86659fd93u;
    return static_cast<uint32_t>(h >> 32);
}

}  // namespace

BlockList::BlockList(uint32_t capacity)
    : slots_(std::bit_ceil(capacity * 2 + 2)),
      capacity_(capacity),
      entries_(std::make_unique<Entry[]>(slots_)) {}

BlockList::~BlockList() = default;

BlockList::Entry* BlockList::find(const IpAddress& base, uint8_t bits) const noexcept {
    for (uint32_t i = home(base, bits);; ++i) {
        Entry& entry = entries_[i & (slots_ - 1)];
        if (!entry.used) return nullptr;  // Half the slots are free, so there is one.
        if (entry.bits == bits && entry.base == base) return &entry;
    }
}

bool BlockList::block(const IpPrefix& prefix, Nanos until) noexcept {
    const uint8_t bits = prefix.bits > 128 ? uint8_t{128} : prefix.bits;
    const IpAddress base = masked(prefix.address, bits);
    ++blocks_made_;
    if (Entry* entry = find(base, bits)) {
        entry->until = until;
        return true;
    }
    if (size_ == capacity_) return false;
    uint32_t i = home(base, bits);
    while (entries_[i & (slots_ - 1)].used) ++i;
    entries_[i & (slots_ - 1)] = {base, until, bits, true};
    ++of_length_[bits];
    ++size_;
    return true;
}

void BlockList::unblock(const IpPrefix& prefix) noexcept {
    const uint8_t bits = prefix.bits > 128 ? uint8_t{128} : prefix.bits;
    if (Entry* entry = find(masked(prefix.address, bits), bits)) {
        erase(static_cast<uint32_t>(entry - entries_.get()));
    }
}

bool BlockList::blocks(const IpAddress& address, Nanos now) const noexcept {
    if (size_ == 0) return false;
    for (unsigned bits = 0; bits < of_length_.size(); ++bits) {
        if (of_length_[bits] == 0 || (bits < v4_bits && address.is_v4())) continue;
        const auto length = static_cast<uint8_t>(bits);
        const Entry* entry = find(masked(address, length), length);
        if (entry != nullptr && now < entry->until) return true;
    }
    return false;
}

void BlockList::erase(uint32_t index) noexcept {
    --of_length_[entries_[index].bits];
    --size_;
    // Close the hole: a later entry of the same run moves up if its home allows.
    const uint32_t mask = slots_ - 1;
    uint32_t hole = index;
    for (uint32_t i = (index + 1) & mask; entries_[i].used; i = (i + 1) & mask) {
        const uint32_t wanted = home(entries_[i].base, entries_[i].bits) & mask;
        if (((i - wanted) & mask) >= ((i - hole) & mask)) {
            entries_[hole] = entries_[i];
            hole = i;
        }
    }
    entries_[hole] = Entry{};
}

void BlockList::keep_house(Nanos now) noexcept {
    for (uint32_t i = 0; i < kept_a_call && size_ > 0; ++i) {
        hand_ = (hand_ + 1) & (slots_ - 1);
        if (entries_[hand_].used && entries_[hand_].until <= now) erase(hand_);
    }
}

}  // namespace portcullis
