#include <algorithm>

#include "protocol/shadowland/decoder.h"

/// Packets that go on although something in them must not arrive.
namespace portcullis::shadowland {

namespace {

constexpr uint32_t none = Pool<Harmless>::none;

}  // namespace

/// What of the packet at hand was made harmless when it came first; null: nothing.
Harmless* Decoder::harmless_at_hand() noexcept {
    for (uint32_t at = session_->harmless; at != none; at = harmless_[at].next) {
        Harmless& one = harmless_[at];
        const Header& header = seen_.header;
        if (one.sequence == header.sequence && one.channel == header.channel) return &one;
    }
    return nullptr;
}

/// Gives back those that no receiver takes any more.
void Decoder::forget_harmless(Session& session, uint64_t highest, Channel channel) noexcept {
    for (uint32_t* at = &session.harmless; *at != none;) {
        const uint32_t handle = *at;
        Harmless& one = harmless_[handle];
        if (one.channel == channel && highest - one.sequence >= ReplayWindow::size) {
            *at = one.next;
            harmless_.unmake(handle);
        } else {
            at = &one.next;
        }
    }
}

/// Where to put down what of the packet at hand goes on harmless; null: it can not.
Harmless* Decoder::begin_harmless() noexcept {
    if (changes_ != nullptr) return changes_;
    const Header& header = seen_.header;
    const bool may = session_ != nullptr && seen_.fresh && seen_.opened &&
                     direction_ == Direction::to_server && (!header.encrypted() || link_->reseal);
    if (!may) return nullptr;
    if (!header.reliable()) {
        lone_changes_ = {};
        return changes_ = &lone_changes_;
    }
    const uint32_t handle = harmless_.make();
    if (handle == none) return nullptr;
    Harmless& one = harmless_[handle];
    one = {.next = session_->harmless,
           .sequence = header.sequence,
           .channel = header.channel,
           .whole = false};
    session_->harmless = handle;
    return changes_ = &one;
}

bool Decoder::make_harmless() noexcept {
    const bool inside = !message_.empty() && !payload_.empty() &&
                        message_.data() >= payload_.data() &&
                        message_.data() < payload_.data() + payload_.size();
    // What was compressed or cut into fragments has no place of its own to be changed at.
    if (!inside) return false;
    if (message_.data() == payload_.data()) return make_whole_harmless();
    Harmless* changes = begin_harmless();
    const auto at = static_cast<uint16_t>(message_.data() - payload_.data());
    if (changes == nullptr) return false;
    const bool known = changes->count > 0 && changes->offsets[changes->count - 1u] == at;
    if (!known && changes->count == Harmless::messages_max) return false;
    if (!known) changes->offsets[changes->count++] = at;
    return outcome_.rewritten = true;
}

bool Decoder::make_whole_harmless() noexcept {
    Harmless* changes = begin_harmless();
    if (changes == nullptr) return false;
    changes->whole = true;
    return outcome_.rewritten = true;
}

size_t Decoder::rewrite(MutableBytes out) noexcept {
    if (changes_ == nullptr || out.size() < datagram_.size() || payload_.empty()) return 0;
    const MutableBytes whole = out.first(datagram_.size());
    std::ranges::copy(datagram_, whole.begin());
    const MutableBytes payload = whole.subspan(header_size, payload_.size());
    std::ranges::copy(payload_, payload.begin());
    Header header = seen_.header;
    constexpr std::byte nop{payload_type::nop};
    if (changes_->whole) {
        header.flags &= flag::sealed;
        write_header(header, whole);
        payload[0] = nop;
    }
    for (size_t i = 0; i < changes_->count; ++i) {
        if (changes_->offsets[i] < payload.size()) payload[changes_->offsets[i]] = nop;
    }
    if (!header.encrypted()) {
        write_crc(whole);
        return whole.size();
    }
    const Epoch& current = session_->epoch;
    const Epoch& epoch = current.number == seen_.epoch ? current : session_->previous;
    Cipher::seal(header, whole, epoch.keys.of(direction_));
    return whole.size();
}

}  // namespace portcullis::shadowland
