#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "flow/flow.h"
#include "packet/burst.h"
#include "records/action.h"
#include "records/id.h"

namespace portcullis::stages {

/// What detect decided about a Flow while it looked at one packet; enforce does
/// it at the end of the same burst.
struct PendingAction {
    static constexpr uint8_t no_packet = 255;  ///< An Order's: no packet is to blame.

    Flow* flow = nullptr;
    policy::Action action{};     ///< drop, neutralise, sever, kick or block.
    uint8_t packet = no_packet;  ///< Index in the Burst of the packet that did it.
    /// For kick: the game's own disconnect message, framed and compressed as the client
    /// expects the next one; sealed when it is sent.  Empty: no message, sever.
    Bytes message;
    /// What it is done about; empty: an Order, or a verdict like one told before.
    verdicts::VerdictId verdict;
    FlowKey key{};  ///< Of the Flow; `PendingActions::add` writes it.

    /// An Order comes before track, which may forget its Flow and give the place away.
    bool stale() const noexcept { return flow->key != key; }
};

/// The actions of one burst.
class PendingActions {
public:
    static constexpr size_t actions_max = 128;
    static constexpr size_t message_bytes_max = 16'384;

    /// False when full: the action is lost, its verdict was written, and its packet is
    /// `missed`.  The message is copied, so it may be built anywhere.
    [[nodiscard]] bool add(PendingAction action) noexcept {
        if (size_ == actions_max) {
            miss(action.packet);
            return false;
        }
        if (action.message.size() > message_bytes_max - text_size_) action.message = {};
        if (!action.message.empty()) {
            std::byte* const copy = text_.data() + text_size_;
            for (size_t i = 0; i < action.message.size(); ++i) copy[i] = action.message[i];
            text_size_ += action.message.size();
            action.message = {copy, action.message.size()};
        }
        action.key = action.flow->key;
        actions_[size_++] = action;
        return true;
    }
    /// Something that this packet did had no room: `on_failure.stage` says what becomes of it.
    void miss(uint8_t packet) noexcept {
        if (packet != PendingAction::no_packet) missed_ |= uint64_t{1} << packet;
    }
    /// A bit for each packet of the burst.
    uint64_t missed() const noexcept { return missed_; }
    std::span<const PendingAction> all() const noexcept { return {actions_.data(), size_}; }
    void clear() noexcept {
        size_ = text_size_ = 0;
        missed_ = 0;
    }

private:
    static_assert(Burst::packets_max <= 64, "a bit each in `missed_`");

    std::array<PendingAction, actions_max> actions_;
    std::array<std::byte, message_bytes_max> text_;
    size_t size_ = 0;
    size_t text_size_ = 0;
    uint64_t missed_ = 0;
};

}  // namespace portcullis::stages
