#pragma once

#include <algorithm>

#include "checks/check.h"
#include "player/player.h"

namespace portcullis::checks {

/// Order: a block finished that was never started, or an action that no client
/// has; what a breaker that skips the animation sends.
///
/// A client keeps the block it works on when it breaks another at one blow
/// (only "start" is sent for that one), and may then cancel, or go on with and
/// finish, the first.  So the last few started blocks are all held possible until
/// one is finished, and the last one finished or cancelled however many came after:
/// from 1.14.4 on a client whose button stays down finishes a block that comes back
/// again and again without a new start; so may one of any version that a proxy
/// translates.  When more were started than are held,
/// any may be it, and a finish is only written down.  Cancelling what was never
/// started gains a cheat nothing and is only written down too.
/// Blind: what is started and finished in order, however fast: digging.fast.  The
/// same block finished anew with no time for it, from 1.14.4 on: there too.
class DigOrder {
public:
    static constexpr std::string_view name = "digging.order";
    static constexpr float weight = 3;

    struct Settings {};

    void on(const protocol::Dig& dig, const Player& player, const Settings&,
            Findings& out) noexcept {
        if (player.bedrock()) return;  // Geyser up to 2025-09 holds starts back, and no end.
        if (dig.status > static_cast<uint8_t>(last_status(player.version))) {
            out.add(player.version > version_known_max ? 0.5f : 0.97f,
                    {.observed = static_cast<double>(dig.status),
                     .limit = static_cast<double>(last_status(player.version)),
                     .note = "no such action"});
            return;
        }
        using Status = protocol::Dig::Status;
        switch (static_cast<Status>(dig.status)) {
            case Status::start:
                remember(dig.block);
                break;
            case Status::cancel:
                if (!possible(dig.block)) {
                    out.add(unsure, {.note = "cancelled what was not started"});
                    if (!too_many_started()) break;
                }
                hold(dig.block);
                break;
            case Status::finish:
                if (!possible(dig.block)) {
                    out.add(too_many_started() ? unsure : certain,
                            {.note = "finished what was not started"});
                }
                hold(dig.block);
                size_ = 0;
                // Before, a client forgets the block that it has broken.
                if (player.version < version_keeps_finished && !player.line.translated) {
                    holds_ = false;
                }
                break;
            default:
                break;
        }
    }

private:
    static constexpr int32_t version_known_max = 774;       ///< 1.21.11.
    static constexpr int32_t version_keeps_finished = 498;  ///< 1.14.4.
    static constexpr float certain = 0.99f;
    static constexpr float unsure = 0.9f;

    /// Off-hand swap came with 1.9, the spear's stab with 1.21.11.
    static protocol::Dig::Status last_status(int32_t version) noexcept {
        if (version <= 47) return protocol::Dig::Status::release_item;
        return version < 774 ? protocol::Dig::Status::swap_hands : protocol::Dig::Status::stab;
    }
    bool possible(const protocol::BlockPosition& block) const noexcept {
        const auto end = blocks_.begin() + size_;
        return (holds_ && held_ == block) || std::find(blocks_.begin(), end, block) != end;
    }
    bool too_many_started() const noexcept { return started_since_ > blocks_.size(); }
    /// It is the one worked on, whatever was started before.
    void hold(const protocol::BlockPosition& block) noexcept {
        held_ = block;
        holds_ = true;
        started_since_ = 0;
    }
    /// Makes it the latest; the one longest not heard of gives way.
    void remember(const protocol::BlockPosition& block) noexcept {
        auto at = std::find(blocks_.begin(), blocks_.begin() + size_, block);
        if (at == blocks_.begin() + size_) {
            if (size_ < blocks_.size()) {
                at = blocks_.begin() + size_++;
            } else {
                at = blocks_.begin();
            }
            *at = block;
            if (!too_many_started()) ++started_since_;
        }
        std::rotate(at, at + 1, blocks_.begin() + size_);
    }

    std::array<protocol::BlockPosition, 4> blocks_;  ///< Started, the latest last.
    protocol::BlockPosition held_{};                 ///< The last finished or cancelled.
    uint8_t size_ = 0;
    uint8_t started_since_ = 0;  ///< Other blocks, since `held_` was.
    bool holds_ = false;         ///< `held_` may be gone on with.
};

}  // namespace portcullis::checks
