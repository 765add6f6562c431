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
/// finish, the first.  So the last few started or cancelled blocks are all held
/// possible until one is finished.  Cancelling what was never started gains a
/// cheat nothing and is only written down.
/// Blind: what is started and finished in order, however fast: digging.fast.
class DigOrder {
public:
    static constexpr std::string_view name = "digging.order";
    static constexpr float weight = 3;

    struct Settings {};

    void on(const protocol::Dig& dig, const Player& player, const Settings&,
            Findings& out) noexcept {
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
                if (possible(dig.block)) {
                    remember(dig.block);
                } else {
                    out.add(0.9f, {.note = "cancelled what was not started"});
                }
                break;
            case Status::finish:
                if (!possible(dig.block)) out.add(0.99f, {.note = "finished what was not started"});
                size_ = 0;
                break;
            default:
                break;
        }
    }

private:
    static constexpr int32_t version_known_max = 774;  ///< 1.21.11.

    /// Off-hand swap came with 1.9, the spear's stab with 1.21.11.
    static protocol::Dig::Status last_status(int32_t version) noexcept {
        if (version <= 47) return protocol::Dig::Status::release_item;
        return version < 774 ? protocol::Dig::Status::swap_hands : protocol::Dig::Status::stab;
    }
    bool possible(const protocol::BlockPosition& block) const noexcept {
        return std::find(blocks_.begin(), blocks_.begin() + size_, block) !=
               blocks_.begin() + size_;
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
        }
        std::rotate(at, at + 1, blocks_.begin() + size_);
    }

    std::array<protocol::BlockPosition, 4> blocks_;
    uint8_t size_ = 0;
};
static_assert(Hears<DigOrder, protocol::Dig>);

}  // namespace portcullis::checks
